import { z } from 'zod';

/** What an option can hold. */
export type OptionValue = string | number | boolean | readonly (string | number | boolean)[];

/** What kind of value an option takes, in the operator's words. */
export type ValueType = 'integer' | 'number' | 'boolean' | 'text' | 'choice' | 'list';

const NUMBER_TEXT = /^[+-]?\d+(?:\.\d+)?$/;

/** The kind of value that a leaf of the schema takes. */
export function valueType(schema: z.ZodType): ValueType {
  if (schema instanceof z.ZodNumber) return schema.isInt ? 'integer' : 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodString) return 'text';
  if (schema instanceof z.ZodArray) return 'list';
  return 'choice';
}

/** What a leaf of the schema allows, in words that fit behind "allowed:". */
export function allowedValues(schema: z.ZodType): string {
  if (schema.description !== undefined) return schema.description;
  if (schema instanceof z.ZodNumber) return allowedNumbers(schema);
  if (schema instanceof z.ZodBoolean) return 'true or false';
  if (schema instanceof z.ZodLiteral) return alternatives([...schema.values].map(String));
  if (schema instanceof z.ZodEnum) return alternatives(schema.options.map(String));
  if (schema instanceof z.ZodUnion) return alternatives(schema.options.map((option) => allowedValues(asType(option))));
  if (schema instanceof z.ZodArray) return `a list of ${allowedValues(asType(schema.element))}, each at most once`;
  return 'any text';
}

/**
 * Reads a value out of a flag or an environment variable. A text that is none of the schema's kind comes back as it is,
 * for the schema to refuse.
 */
export function valueFromText(schema: z.ZodType, text: string): unknown {
  if (schema instanceof z.ZodNumber) return NUMBER_TEXT.test(text) ? Number(text) : text;
  if (schema instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text;
  if (schema instanceof z.ZodArray) return listFromText(asType(schema.element), text);
  if (schema instanceof z.ZodUnion) return unionFromText(schema.options.map(asType), text);
  return text;
}

/** A value as messages and tables show it: texts quoted and cut, what is neither text nor number named by its kind. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value));
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value))
    return `[${value.slice(0, LIST_SHOWN_MAX).map(showValue).join(', ')}${value.length > LIST_SHOWN_MAX ? ', …' : ''}]`;
  return typeof value === 'object' ? 'a group' : `a ${typeof value}`;
}

const TEXT_SHOWN_MAX = 80;
const LIST_SHOWN_MAX = 8;

/** The first characters of a text that came from outside and may be of any length. */
export function cut(text: string): string {
  return text.length > TEXT_SHOWN_MAX ? `${text.slice(0, TEXT_SHOWN_MAX)}…` : text;
}

function allowedNumbers(schema: z.ZodNumber): string {
  return `${schema.minValue ?? 'any'} to ${schema.maxValue ?? 'any'}`;
}

function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function listFromText(element: z.ZodType, text: string): unknown[] {
  if (text.trim() === '') return [];
  return text.split(',').map((term) => valueFromText(element, term.trim()));
}

function unionFromText(options: readonly z.ZodType[], text: string): unknown {
  for (const option of options) {
    const value = valueFromText(option, text);
    if (option.safeParse(value).success) return value;
  }
  return NUMBER_TEXT.test(text) ? Number(text) : text;
}

/** zod types the parts of a compound schema by its core; in this schema they all come from the classic constructors. */
function asType(schema: z.core.$ZodType): z.ZodType {
  return schema as z.ZodType;
}
