import type { FilterTerms } from '../subscription/filter.ts';
import type { LatestValues } from './latest-values.ts';
import type { TopicCatalog } from './topic-catalog.ts';

/** Latest publications in one answer, and their text's length in UTF-16 units. */
const TOPICS_MAX = 1_000;
const LENGTH_MAX = 1024 * 1024;

/**
 * Answer to `requestSnapshot`: the payloads of the latest values of all topics that the filter matches.
 * @param asked is repeated in the answer
 */
export function snapshotAnswer(
  terms: FilterTerms,
  asked: object,
  catalog: TopicCatalog,
  values: LatestValues,
): Record<string, unknown> {
  const data: unknown[] = [];
  let length = 0;
  let truncated = false;
  for (const topic of catalog.matching(terms)) {
    const payload = values.payload(topic);
    if (payload === undefined) {
      truncated ||= values.wasPublished(topic);
      continue;
    }
    length += JSON.stringify(payload).length;
    if (data.length >= TOPICS_MAX || length > LENGTH_MAX) {
      truncated = true;
      break;
    }
    data.push(payload);
  }
  return { ...asked, data, ...(truncated ? { truncated } : {}), timestamp: Date.now() };
}
