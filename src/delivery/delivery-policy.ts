/**
 * How the publications of a data type may be thinned out for a client that cannot take them all. A record of the ring
 * carries its code, so a shard needs neither the configuration nor the text.
 */
export const EVERY = 0; // each is delivered, or told by a gap
export const LATEST = 1; // the newest stands for those before it
export const BOOK_UPDATE = 2; // updates of an order book merge level by level
export const BOOK_SNAPSHOT = 3; // a whole order book: stands for everything before it

/** What the configuration says of data types. */
export interface ConflationOptions {
  readonly latest: readonly string[];
  readonly book: readonly string[];
}

/**
 * Policy of a data type: EVERY, LATEST, or BOOK_UPDATE for those whose publications are books.
 * @param dataType as in a topic's name; klines of all intervals have the policy of `kline`
 */
export function policyOf(dataType: string | null, { latest, book }: ConflationOptions): number {
  if (dataType === null) return EVERY;
  const name = dataType.toLowerCase();
  const kind = name === 'kline' || name.startsWith('kline_') ? 'kline' : name;
  if (latest.includes(kind)) return LATEST;
  return book.includes(kind) ? BOOK_UPDATE : EVERY;
}

export function isBook(policy: number): boolean {
  return policy === BOOK_UPDATE || policy === BOOK_SNAPSHOT;
}
