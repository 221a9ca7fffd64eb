/** A JSON object: whatever a server sent. */
export type Fields = Record<string, unknown>;

/** The value where it is a JSON object, else undefined. */
export function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
