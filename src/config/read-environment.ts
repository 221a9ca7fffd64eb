import { findOptionAnyCase, findSectionAnyCase, type Option } from './options.ts';
import {
  type Given,
  type Problem,
  type Reading,
  repeatedProblem,
  sectionProblem,
  showName,
  unknownProblem,
} from './reading.ts';
import { valueFromText } from './value.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'TICKCAST__';

/**
 * Reads the variables that begin with `TICKCAST__`; two underscores stand between the levels, cases do not matter:
 * `TICKCAST__SERVER__PORT`. One underscore does not make a variable ours: clusters set TICKCAST_PORT by themselves for a
 * service of that name. Never throws.
 */
export function readEnvironment(env: Environment): Reading {
  const given: Given[] = [];
  const problems: Problem[] = [];
  const seen = new Set<Option>();
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.toUpperCase().startsWith(PREFIX)) continue;
    const name = variable.slice(PREFIX.length).split('__').join('.');
    const option = findOptionAnyCase(name);
    const origin = `environment ${showName(variable)}`;
    if (option === undefined) problems.push({ ...noOptionProblem(name, origin), name: showName(variable) });
    else if (seen.has(option)) problems.push(repeatedProblem(option, origin));
    else given.push({ option, value: valueFromText(option.schema, text), origin });
    if (option !== undefined) seen.add(option);
  }
  return { given, problems };
}

/** The variable that sets this option. */
export function environmentVariable(option: Option): string {
  return PREFIX + option.name.replaceAll('.', '__').toUpperCase();
}

function noOptionProblem(name: string, origin: string): Problem {
  const section = findSectionAnyCase(name);
  return section === undefined ? unknownProblem(name, origin) : sectionProblem(section, origin);
}
