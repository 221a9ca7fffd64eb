const TEXT_MAX = 120;

/** A value of a publication for people: JSON, cut; what is not there is said so. */
export function valueText(value: unknown): string {
  if (value === undefined) return '(absent)';
  const text = jsonOf(value);
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deep to be shown)';
  }
}
