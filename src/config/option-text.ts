import { OPTIONS, type Option } from './options.ts';
import { COMMAND_FLAGS } from './read-arguments.ts';
import type { OptionValue } from './value.ts';

const HELP_HEAD = `Tickcast, a WebSocket fan-out gateway for market data

  tickcast [--config FILE] [--NAME VALUE]...       installed from the registry
  npm start -- [--config FILE] [--NAME VALUE]...   in a clone
  tickcast compare --help                          tells in what two servers differ, of which one replaces the other
`;

const HELP_LAYERS = `
A flag goes before the environment, the environment before the file, the file before the default:

  --server.port 9000   TICKCAST__SERVER__PORT=9000   server: { port: 9000 }

Lists are separated by commas, a boolean flag alone means true.
`;

const FLAG_WIDTH = 46;
const UNIT_STEP = 1024;
const UNITS_OF_BYTES = ['KiB', 'MiB', 'GiB'] as const;

/** What `--help` prints. */
export function helpText(): string {
  const flags = COMMAND_FLAGS.map(([flag, description]) => `  ${flag.padEnd(FLAG_WIDTH)}${description}`);
  return `${HELP_HEAD}\n${flags.join('\n')}\n${HELP_LAYERS}\nOptions\n\n${OPTIONS.map(helpOf).join('\n')}\n`;
}

/** The table of docs/configuration.md. */
export function optionTable(): string {
  const rows = OPTIONS.map((option) =>
    [
      `\`${option.name}\``,
      `\`${showDefault(option)}\`${inBrackets(option)}`,
      `${option.allowed}${unitOf(option)}`,
      option.description,
    ]
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | '),
  );
  return [
    '| option | default | allowed | what it does |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

/** A number of bytes for the eye, such as `64 MiB`; empty where it is none, or not a round one. */
export function byteSize(option: Option, value: OptionValue): string {
  if (option.unit !== 'bytes' || typeof value !== 'number' || value === 0) return '';
  let size = value;
  let unit = '';
  for (const larger of UNITS_OF_BYTES) {
    if (size % UNIT_STEP !== 0) break;
    [size, unit] = [size / UNIT_STEP, ` ${larger}`];
  }
  return unit === '' ? '' : `${size}${unit}`;
}

function helpOf(option: Option): string {
  const flag = `  --${option.name}`.padEnd(FLAG_WIDTH + 2);
  return `${flag}${showDefault(option)}${inBrackets(option)}\n      ${option.description}\n      allowed: ${option.allowed}${unitOf(option)}`;
}

/** As it would be written behind a flag. */
function showDefault(option: Option): string {
  const text = Array.isArray(option.default) ? option.default.join(',') : String(option.default);
  return text === '' ? '""' : text;
}

function inBrackets(option: Option): string {
  const size = byteSize(option, option.default);
  return size === '' ? '' : ` (${size})`;
}

function unitOf(option: Option): string {
  return option.unit === '' ? '' : ` (${option.unit})`;
}
