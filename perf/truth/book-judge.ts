import type { BookWatch } from './book-watch.ts';
import type { ClientRecord } from './client-record.ts';
import type { MarketLog } from './market-log.ts';
import { Problems } from './problems.ts';
import { topicText } from './wire-message.ts';

/** Compares clients' books, behind every frame of theirs, with the books made of all publications. */
export class BookJudge {
  readonly problems = new Problems();
  /** Books that were compared, one for each frame. */
  compared = 0;
  readonly #log: MarketLog;

  constructor(log: MarketLog) {
    this.#log = log;
  }

  judge(record: ClientRecord, books: BookWatch): void {
    const wrong = new Set<number>();
    for (const { topic, seq, low, high } of books.claims()) {
      this.compared++;
      // Once it is wrong, a book stays wrong: the first time is the one to look at.
      if (wrong.has(topic)) continue;
      const name = record.topics[topic]!;
      const real = this.#log.digestAt(name, seq);
      if (real?.low === low && real.high === high) continue;
      wrong.add(topic);
      this.problems.add(`${record.client}: the book of ${topicText(name)} is wrong behind ${seq}`);
    }
  }
}
