import { nearestName } from '../config/nearest-name.ts';
import { type Problem, problem, showName } from '../config/reading.ts';
import { errorMessage } from '../util/errors.ts';
import {
  ALLOWED_NEEDED,
  COMPARE_OPTIONS,
  type CompareOptionName,
  type CompareOptions,
  NEEDED_OPTIONS,
} from './compare-options.ts';

export interface CompareArguments {
  readonly isHelp: boolean;
  /** Whole where there are no problems. */
  readonly options: CompareOptions;
  readonly problems: readonly Problem[];
}

const HELP = 'help';
const NAMES = Object.keys(COMPARE_OPTIONS) as CompareOptionName[];
/** May be given more than once: the lists are one. */
const REPEATABLE: ReadonlySet<CompareOptionName> = new Set(['ignore']);

/** Reads what stands behind `compare`: `--name value` or `--name=value`. Never throws. */
export function readCompareArguments(argv: readonly string[]): CompareArguments {
  return new CompareArgumentReader(argv).read();
}

class CompareArgumentReader {
  readonly #argv: readonly string[];
  readonly #values = new Map<CompareOptionName, unknown>();
  readonly #problems: Problem[] = [];
  #isHelp = false;
  #next = 0;

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  read(): CompareArguments {
    while (this.#next < this.#argv.length) this.#readArgument();
    for (const name of NEEDED_OPTIONS) {
      const isTold = this.#values.has(name) || this.#problems.some((told) => told.name === `--${name}`);
      if (!isTold) this.#refuse(`--${name}`, `is needed; allowed: ${ALLOWED_NEEDED}`, 'missing');
    }
    for (const name of NAMES) this.#fillIn(name);
    const options = Object.fromEntries(
      NAMES.map((name) => [name, this.#values.get(name)]),
    ) as unknown as CompareOptions;
    return { isHelp: this.#isHelp, options, problems: this.#problems };
  }

  #readArgument(): void {
    const argument = this.#argv[this.#next++]!;
    const [flag, inline] = splitAtEquals(argument);
    const name = NAMES.find((each) => flag === `--${each}`);
    if (name !== undefined) this.#readOption(name, inline);
    else if (flag === `--${HELP}`) this.#isHelp = true;
    else this.#refuseUnknown(flag, inline);
  }

  #readOption(name: CompareOptionName, inline: string | undefined): void {
    const origin = `argument ${this.#next}`;
    const { value, read } = COMPARE_OPTIONS[name];
    const text = inline ?? (value === '' ? 'true' : this.#takeValue());
    if (text === undefined) return this.#refuse(`--${name}`, `the value is missing; it is a ${value}`, origin);
    if (this.#values.has(name) && !REPEATABLE.has(name))
      return this.#refuse(`--${name}`, 'given more than once', origin);
    try {
      this.#keep(name, read(text));
    } catch (error) {
      this.#refuse(`--${name}`, errorMessage(error), origin);
    }
  }

  #keep(name: CompareOptionName, value: unknown): void {
    const before = this.#values.get(name);
    this.#values.set(name, Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value);
  }

  #fillIn(name: CompareOptionName): void {
    const { default: standard, read } = COMPARE_OPTIONS[name];
    if (!this.#values.has(name) && standard !== undefined) this.#values.set(name, read(standard));
  }

  #refuseUnknown(flag: string, inline: string | undefined): void {
    const origin = `argument ${this.#next}`;
    if (!flag.startsWith('-'))
      return this.#refuse(showName(flag), 'belongs to no flag; flags are written --name value', origin);
    if (inline === undefined) this.#takeValue();
    const nearest = nearestName(flag.replace(/^-+/, ''), [...NAMES, HELP]);
    const hint = nearest === undefined ? '--help lists them all' : `did you mean --${nearest}?`;
    this.#refuse(showName(flag), `there is no such option; ${hint}`, origin);
  }

  #takeValue(): string | undefined {
    const following = this.#argv[this.#next];
    if (following === undefined || following.startsWith('--')) return undefined;
    this.#next++;
    return following;
  }

  #refuse(name: string, message: string, origin: string): void {
    this.#problems.push(problem(name, message, origin));
  }
}

function splitAtEquals(argument: string): [flag: string, inline: string | undefined] {
  const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
  return equals < 0 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}
