/** A number on a command line: its name, what is allowed and what it is without being given. */
export interface NumberOption<Key extends string> {
  name: string;
  key: Key;
  min: number;
  max: number;
  default: number;
  whole: boolean;
  about: string;
}

export function numberOption<Key extends string>(
  name: string,
  key: Key,
  min: number,
  max: number,
  value: number,
  about: string,
  whole = true,
): NumberOption<Key> {
  return { name, key, min, max, default: value, whole, about };
}

/** Throws an Error that names the option, its value and what is allowed. */
export function parseNumber(option: NumberOption<string>, text: string | undefined): number {
  if (text === undefined) return option.default;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const fits = value >= option.min && value <= option.max && (!option.whole || Number.isInteger(value));
  if (!fits) {
    const kind = option.whole ? 'a whole number' : 'a number';
    throw new Error(
      `--${option.name} is ${JSON.stringify(text)}; allowed: ${kind} from ${option.min} to ${option.max}`,
    );
  }
  return value;
}
