import { type ErrorCode, TickcastError } from '../util/errors.ts';
import { nearestName } from './nearest-name.ts';
import { OPTIONS, type Option, type Section } from './options.ts';
import { cut, showValue } from './value.ts';

/** A value that somebody gave to an option, not validated yet. */
export interface Given {
  readonly option: Option;
  readonly value: unknown;
  /** `file config.yaml`, `environment TICKCAST__SERVER__PORT`, `flag --server.port`, `Gateway options`. */
  readonly origin: string;
}

/** Something that keeps the gateway from starting. */
export interface Problem {
  readonly code: Extract<ErrorCode, 'INVALID_OPTION' | 'CONFIG_FILE_UNREADABLE'>;
  /** The option's name, or what was written in its place. */
  readonly name: string;
  readonly message: string;
  readonly origin: string;
}

/** What one layer of the configuration says. */
export interface Reading {
  readonly given: Given[];
  readonly problems: Problem[];
}

/** The name in a message, its problem, and where it came from. */
export function problem(
  name: string,
  message: string,
  origin: string,
  code: Problem['code'] = 'INVALID_OPTION',
): Problem {
  return { code, name, message, origin };
}

export function valueProblem(
  option: Option,
  value: unknown,
  origin: string,
  allowed: string = option.allowed,
): Problem {
  const shown = option.secret ? 'its value (hidden)' : showValue(value);
  return problem(option.name, `${shown} is not allowed; allowed: ${allowed}`, origin);
}

export function repeatedProblem(option: Option, origin: string): Problem {
  return problem(option.name, 'given more than once', origin);
}

/** @param known further names that could have been meant, such as `help` among the flags */
export function unknownProblem(name: string, origin: string, known: readonly string[] = []): Problem {
  const nearest = nearestName(name, [...OPTIONS.map((option) => option.name), ...known]);
  const hint = nearest === undefined ? '--help lists them all' : `did you mean ${nearest}?`;
  return problem(showName(name), `there is no such option; ${hint}`, origin);
}

/** A value that was given to a group as if it were an option. */
export function sectionProblem(section: Section, origin: string): Problem {
  const names = [...section.children.values()].map((child) => child.name).join(', ');
  const message = section.name === '' ? `holds options by name: ${names}` : `is a group of options: ${names}`;
  return problem(section.name === '' ? 'configuration' : section.name, message, origin);
}

/** One error for all problems, a line each. Its `detail.problems` lists them as option, message and origin. */
export function configurationError(problems: readonly Problem[]): TickcastError {
  const code = problems.find((each) => each.code !== 'INVALID_OPTION')?.code ?? 'INVALID_OPTION';
  const lines = problems.map((each) => `${each.name}: ${each.message} (${each.origin})`);
  const detail = problems.map((each) => ({ option: each.name, message: each.message, origin: each.origin }));
  return new TickcastError(code, lines.join('\n'), { problems: detail });
}

/** A name from outside on one line: cut, control characters escaped. */
export function showName(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) ? cut(name) : JSON.stringify(cut(name));
}
