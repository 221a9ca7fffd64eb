/** A JSON object: whatever a server sent. */
export type Fields = Record<string, unknown>;

/** The value where it is a JSON object, else undefined. */
export function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/**
 * The field's value; undefined where the object does not have it itself: its names come from outside, `constructor`
 * among them.
 */
export function ownValue(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
