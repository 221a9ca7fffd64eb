import { nearestName } from './nearest-name.ts';
import { findOption, findSectionAnyCase, OPTIONS, type Option } from './options.ts';
import {
  type Given,
  type Problem,
  problem,
  type Reading,
  repeatedProblem,
  sectionProblem,
  showName,
  unknownProblem,
} from './reading.ts';
import { valueFromText } from './value.ts';

/** What the command line asks for. */
export type Action = 'start' | 'help' | 'version' | 'print-config';

export interface Arguments extends Reading {
  readonly action: Action;
  /** The file after `--config`; undefined where there is none. */
  readonly file: string | undefined;
}

/** Flags that are not options, with their sentence. */
export const COMMAND_FLAGS: readonly (readonly [flag: string, description: string])[] = [
  ['--config FILE', 'YAML file of options; environment and flags go before it'],
  ['--print-config', 'print the configuration that would be used, with where each value came from'],
  ['--help', 'print this'],
  ['--version', 'print the version'],
];

/** Words that are no flags: as the first argument, each takes all that follow. See command-line.ts. */
export const COMMANDS = ['compare'] as const;

const ACTIONS: readonly Action[] = ['help', 'version', 'print-config'];
const COMMAND_NAMES: readonly string[] = ['config', ...ACTIONS];

/**
 * Reads the arguments behind the program's name: `--server.port 9000` or `--server.port=9000`; a boolean alone means
 * true. Never throws; what cannot be used is among the problems. A value that starts with two dashes needs the `=` form.
 */
export function readArguments(argv: readonly string[]): Arguments {
  return new ArgumentReader(argv).read();
}

class ArgumentReader {
  readonly #argv: readonly string[];
  readonly #given: Given[] = [];
  readonly #problems: Problem[] = [];
  readonly #seen = new Set<Option>();
  readonly #actions = new Set<string>();
  #file: string | undefined;
  #next = 0;
  /** The argument before may have been part of a secret (say, one with a space and no quotes): name nothing of this one. */
  #besideSecret = false;

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  read(): Arguments {
    while (this.#next < this.#argv.length) this.#readFlag();
    const action = ACTIONS.find((each) => this.#actions.has(each)) ?? 'start';
    return { action, file: this.#file, given: this.#given, problems: this.#problems };
  }

  #readFlag(): void {
    const argument = this.#argv[this.#next++]!;
    const equals = argument.indexOf('=');
    const flag = equals < 0 ? argument : argument.slice(0, equals);
    const inline = equals < 0 ? undefined : argument.slice(equals + 1);
    const name = flag.startsWith('--') ? flag.slice(2) : '';
    const option = findOption(name);
    if (option !== undefined) this.#readOption(option, inline);
    else if (name === 'config') this.#readFile(inline);
    else if (COMMAND_NAMES.includes(name)) this.#readAction(name, inline);
    else this.#refuse(flag, inline);
  }

  #readOption(option: Option, inline: string | undefined): void {
    const origin = `flag --${option.name}`;
    const text = inline ?? this.#takeValue() ?? (option.type === 'boolean' ? 'true' : undefined);
    this.#besideSecret = option.secret;
    if (text === undefined) {
      this.#problems.push(problem(option.name, `the value is missing; allowed: ${option.allowed}`, origin));
    } else if (this.#seen.has(option)) {
      this.#problems.push(repeatedProblem(option, origin));
    } else {
      this.#given.push({ option, value: valueFromText(option.schema, text), origin });
    }
    this.#seen.add(option);
  }

  #readFile(inline: string | undefined): void {
    const file = inline ?? this.#takeValue();
    this.#besideSecret = false;
    if (file === undefined || file === '')
      this.#problems.push(
        problem('--config', 'the value is missing; allowed: the path of a YAML file', 'flag --config'),
      );
    else if (this.#file !== undefined)
      this.#problems.push(problem('--config', 'given more than once', 'flag --config'));
    else this.#file = file;
  }

  #readAction(name: string, inline: string | undefined): void {
    this.#besideSecret = false;
    if (inline === undefined) this.#actions.add(name);
    else this.#problems.push(problem(`--${name}`, 'takes no value', `flag --${name}`));
  }

  /** Takes along what looks like the value of the unknown flag, without a word about it: it may be a mistyped secret. */
  #refuse(flag: string, inline: string | undefined): void {
    const argumentNumber = this.#next;
    const shown = this.#besideSecret ? '(hidden)' : showName(flag);
    if (inline === undefined) this.#takeValue();
    if (this.#besideSecret || !flag.startsWith('-')) {
      const hint = this.#besideSecret ? '' : hintOf(flag);
      this.#problems.push(problem(shown, `belongs to no flag${hint}`, `argument ${argumentNumber}`));
    } else {
      const name = flag.replace(/^-+/, '');
      const section = flag.startsWith('--') ? findSectionAnyCase(name) : undefined;
      const origin = `flag ${shown}`;
      this.#problems.push(
        section ? sectionProblem(section, origin) : { ...unknownProblem(name, origin, COMMAND_NAMES), name: shown },
      );
    }
    this.#besideSecret ||= nearestOption(flag)?.secret ?? false;
  }

  #takeValue(): string | undefined {
    const following = this.#argv[this.#next];
    if (following === undefined || following.startsWith('--')) return undefined;
    this.#next++;
    return following;
  }
}

function hintOf(flag: string): string {
  const command = nearestName(flag, COMMANDS);
  if (command !== undefined) return `; a command stands first: ${command} --help`;
  const option = findOption(flag);
  return option === undefined ? '; flags are written --name value' : `; did you mean --${option.name}?`;
}

function nearestOption(flag: string): Option | undefined {
  const nearest = nearestName(
    flag.replace(/^-+/, ''),
    OPTIONS.map((option) => option.name),
  );
  return nearest === undefined ? undefined : findOption(nearest);
}
