import type { Publication } from '../dataflow/publication.ts';
import { errorMessage, TickcastError } from '../util/errors.ts';

/**
 * JSON of a publication's fields behind those that name its topic (`type`, `exchange`, `symbol`, which a frame's head
 * holds ready): `timestamp` and `data` first, then whatever else it has, each with a comma in front.
 *
 * @param withoutReceivedAt leave `receivedAt` out: the gateway added it for its own use
 * @throws TickcastError PUBLICATION_NOT_SERIALISABLE for a circle, a BigInt, a throwing toJSON
 */
export function payloadText(publication: Publication, withoutReceivedAt: boolean): string {
  let text = '';
  for (const key in publication) {
    // Publications are plain objects, nearly always of five known fields; the rest is the way of the strangers.
    if (key === 'timestamp' || key === 'data') continue;
    const value = publication[key];
    if ((key === 'type' || key === 'exchange' || key === 'symbol') && typeof value === 'string') continue;
    if (key === 'receivedAt' && withoutReceivedAt) continue;
    if (Object.hasOwn(publication, key)) text += fieldText(key, value);
  }
  return `${timestampText(publication.timestamp)}${fieldText('data', publication.data)}${text}`;
}

function timestampText(timestamp: unknown): string {
  if (typeof timestamp === 'number' && Number.isFinite(timestamp)) return `,"timestamp":${timestamp}`;
  return fieldText('timestamp', timestamp);
}

function fieldText(key: string, value: unknown): string {
  if (value === undefined) return '';
  const json = stringify(key, value);
  // Functions and symbols have no JSON; such a field is left out, as JSON.stringify does.
  if (json === undefined) return '';
  return key === 'data' ? `,"data":${json}` : `,${JSON.stringify(key)}:${json}`;
}

function stringify(key: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined;
  } catch (thrown) {
    const reason = errorMessage(thrown).split('\n', 1)[0] as string;
    throw new TickcastError('PUBLICATION_NOT_SERIALISABLE', `"${key}" cannot be written as JSON: ${reason}`, {
      key,
      reason,
    });
  }
}
