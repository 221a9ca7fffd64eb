import { ALLOWED_ALLOWANCES } from './allowance.ts';
import { COMPARE_OPTIONS } from './compare-options.ts';
import { EXIT_MEANINGS } from './outcome.ts';

const HEAD = `Subscribes to two servers, an old and a new one, and tells in what their data differ

  tickcast compare --old ws://127.0.0.1:3000/ws --new ws://127.0.0.1:8080/ws [--NAME VALUE]...
  npm start -s -- compare --old ... --new ...      in a clone
`;
const HELP_OPTION = '  --help\n      print this';
const ALLOWANCES = `\nAn ALLOWANCE is ${ALLOWED_ALLOWANCES}.\n`;
const FLAG_WIDTH = 32;

/** What `compare --help` prints. */
export function compareHelp(): string {
  const options = Object.entries(COMPARE_OPTIONS).map(([name, { value, default: standard, sentence }]) => {
    const flag = `  --${name} ${value}`.padEnd(FLAG_WIDTH);
    return `${flag}${standard ?? (name === 'old' || name === 'new' ? 'needed' : 'none')}\n      ${sentence}`;
  });
  const exits = Object.entries(EXIT_MEANINGS).map(([status, meaning]) => `  ${status}  ${meaning}`);
  return [HEAD, 'Options\n', ...options, HELP_OPTION, ALLOWANCES, 'Exit status\n', ...exits, ''].join('\n');
}
