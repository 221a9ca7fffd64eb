import { valueAt } from './cross-checks.ts';
import type { LoadedConfig } from './load-config.ts';
import { byteSize } from './option-text.ts';
import { OPTION_TREE, type Option, type Section } from './options.ts';
import type { OptionValue } from './value.ts';

const EFFECTIVE_HEAD = [
  '# The options that this command line, environment and file come to.',
  '# Where a value was given, the comment behind it says by whom; the others are defaults.',
];

const DEFAULT_HEAD = [
  '# Every option with its default: a file to copy from. Options that a file leaves out keep their defaults.',
  '# Made from the schema by `npm run config:write`, and checked against it: edit src/config/schema.ts instead.',
  '# Environment (TICKCAST__SERVER__PORT=9000) and flags (--server.port 9000) go before a file.',
];

// Words that YAML 1.1 or 1.2 takes for something else than text.
const NOT_TEXT = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

/**
 * What `--print-config` prints: a YAML file that gives the same configuration again, but for secrets. A secret that is
 * set stands there as a comment only, so that a copy of the output never makes a token out of a placeholder.
 */
export function effectiveYaml({ config, origins }: LoadedConfig): string {
  return yamlFile(EFFECTIVE_HEAD, (option) => {
    const key = lastKey(option);
    const value = valueAt(config, option.name) as OptionValue;
    const origin = origins.get(option.name);
    if (option.secret && value !== '') return [`# ${key}: set, hidden; ${oneLine(origin ?? 'default')}`];
    return [`${key}: ${yamlValue(value)}${origin === undefined ? '' : ` # ${oneLine(origin)}`}`];
  });
}

/** The text of config/default.yaml. */
export function defaultYaml(): string {
  return yamlFile(DEFAULT_HEAD, (option) => {
    const size = byteSize(option, option.default);
    const unit = option.unit === '' ? '' : `, ${option.unit}`;
    return [
      `# ${option.description}`,
      `# (${option.type}${unit}: ${option.allowed})`,
      `${lastKey(option)}: ${yamlValue(option.default)}${size === '' ? '' : ` # ${size}`}`,
    ];
  });
}

function yamlFile(head: readonly string[], lines: (option: Option) => string[]): string {
  return `${[...head, '', ...sectionLines(OPTION_TREE, lines)].join('\n')}\n`;
}

function sectionLines(section: Section, lines: (option: Option) => string[]): string[] {
  return [...section.children.entries()].flatMap(([key, child]) => {
    if (child.kind === 'option') return lines(child);
    return [`${key}:`, ...sectionLines(child, lines).map((line) => `  ${line}`)];
  });
}

function yamlValue(value: OptionValue): string {
  if (Array.isArray(value)) return `[${value.map((term: OptionValue) => yamlValue(term)).join(', ')}]`;
  if (typeof value !== 'string') return String(value);
  return /^[a-zA-Z/][\w./-]*$/.test(value) && !NOT_TEXT.test(value) ? value : JSON.stringify(value);
}

function lastKey(option: Option): string {
  return option.name.slice(option.name.lastIndexOf('.') + 1);
}

/** An origin holds a path, and a path may hold anything. */
function oneLine(origin: string): string {
  return origin.replace(/\p{Cc}|[\u2028\u2029]/gu, '?');
}
