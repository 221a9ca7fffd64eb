import { z } from 'zod';
import { configSchema } from './schema.ts';
import { allowedValues, type OptionValue, type ValueType, valueType } from './value.ts';

/** One option, flat. */
export interface Option {
  readonly kind: 'option';
  /** As in flags: `server.port`. */
  readonly name: string;
  readonly type: ValueType;
  /** Range or choices in words: `0 to 65535`. */
  readonly allowed: string;
  /** `ms`, `bytes`, `MB`, `1/s` or, where it counts or names something, nothing. */
  readonly unit: string;
  readonly default: OptionValue;
  readonly description: string;
  /** Its value is never printed. */
  readonly secret: boolean;
  /** The schema of the value, without its default. */
  readonly schema: z.ZodType;
}

/** A group of options, as in files. The root's name is empty. */
export interface Section {
  readonly kind: 'section';
  readonly name: string;
  readonly children: ReadonlyMap<string, Section | Option>;
}

const UNITS: readonly (readonly [ending: RegExp, unit: string])[] = [
  [/Ms$/, 'ms'],
  [/[bB]ytes$/, 'bytes'],
  [/Mb$/, 'MB'],
  [/PerSecond$|\.rate$/, '1/s'],
];

/** The options as they nest in a file. */
export const OPTION_TREE: Section = sectionOf(configSchema, '');

/** All options, in the schema's order. */
export const OPTIONS: readonly Option[] = optionsOf(OPTION_TREE);

const BY_NAME: ReadonlyMap<string, Option> = new Map(OPTIONS.map((option) => [option.name, option]));
const BY_LOWER_NAME: ReadonlyMap<string, Option> = new Map(
  OPTIONS.map((option) => [option.name.toLowerCase(), option]),
);

const SECTIONS_BY_LOWER_NAME: ReadonlyMap<string, Section> = new Map(
  sectionsOf(OPTION_TREE).map((section) => [section.name.toLowerCase(), section]),
);

/** The option of this name; undefined where there is none. */
export function findOption(name: string): Option | undefined {
  return BY_NAME.get(name);
}

/** The option of this name in any mixture of cases; undefined where there is none. */
export function findOptionAnyCase(name: string): Option | undefined {
  return BY_LOWER_NAME.get(name.toLowerCase());
}

/** The group of this name in any mixture of cases; undefined where there is none. The root has no name to find it by. */
export function findSectionAnyCase(name: string): Section | undefined {
  return SECTIONS_BY_LOWER_NAME.get(name.toLowerCase());
}

function sectionOf(schema: z.ZodObject, name: string): Section {
  const children = new Map<string, Section | Option>();
  for (const [key, child] of Object.entries(schema.shape)) {
    const childName = name === '' ? key : `${name}.${key}`;
    children.set(key, child instanceof z.ZodObject ? sectionOf(child, childName) : optionOf(child, childName));
  }
  return { kind: 'section', name, children };
}

function optionOf(schema: z.core.$ZodType, name: string): Option {
  if (!(schema instanceof z.ZodDefault) || schema.description === undefined) {
    throw new TypeError(`${name}: every option has a default and a description`);
  }
  const inner = schema.unwrap() as z.ZodType;
  return {
    kind: 'option',
    name,
    type: valueType(inner),
    allowed: name.startsWith('limits.') ? `${allowedValues(inner)}; 0: no limit` : allowedValues(inner),
    unit: UNITS.find(([ending]) => ending.test(name))?.[1] ?? '',
    default: schema.def.defaultValue as OptionValue,
    description: schema.description,
    secret: name === 'admin.token',
    schema: inner,
  };
}

function optionsOf(section: Section): Option[] {
  return [...section.children.values()].flatMap((child) => (child.kind === 'option' ? [child] : optionsOf(child)));
}

/** The sections below this one, at any depth. */
function sectionsOf(section: Section): Section[] {
  return [...section.children.values()].flatMap((child) =>
    child.kind === 'section' ? [child, ...sectionsOf(child)] : [],
  );
}
