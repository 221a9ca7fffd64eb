import type { TopicName } from '../../src/ring/topic-directory.ts';

/** How publications of a topic may be merged for one who reads slowly. */
export type PolicyName = 'every' | 'latest' | 'book';

export interface ConflatedTypes {
  readonly latest: readonly string[];
  readonly book: readonly string[];
}

/** What is merged unless a gateway is configured otherwise. */
export const USUAL_CONFLATION: ConflatedTypes = { latest: ['ticker', 'kline'], book: ['depth'] };

export function policyOf({ dataType }: TopicName, { latest, book }: ConflatedTypes): PolicyName {
  if (dataType === null) return 'every';
  const type = dataType.startsWith('kline_') && !latest.includes(dataType) ? 'kline' : dataType;
  if (latest.includes(type)) return 'latest';
  return book.includes(type) ? 'book' : 'every';
}
