const TEXT_MAX = 120;
/** Control characters that JSON leaves as they are, and a terminal does not. */
const CONTROL = /[\u007f-\u009f]/g;

/** A value of a publication for people: JSON, cut; what is not there is said so. */
export function valueText(value: unknown): string {
  if (value === undefined) return '(absent)';
  const text = jsonOf(value).replace(CONTROL, escaped);
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deep to be shown)';
  }
}
