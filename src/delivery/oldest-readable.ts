import type { Receiver } from '../ring/receiver.ts';
import type { SequenceIndexReader } from '../ring/sequence-index.ts';
import type { TopicTable } from './topic-table.ts';

export interface HistoryParts {
  history: Receiver;
  index: SequenceIndexReader;
  table: TopicTable;
}

/**
 * seq of the oldest publication behind `afterSeq` whose record has not been overwritten; one more than the newest where
 * there is none. Records go in their order, so it is found by halves.
 */
export function oldestReadable({ history, index, table }: HistoryParts, afterSeq = 0): number {
  let gone = Math.max(afterSeq, table.seq - index.entries);
  let kept = table.seq + 1;
  while (kept - gone > 1) {
    const middle = Math.floor((gone + kept) / 2);
    if (history.holds(index.position(middle))) kept = middle;
    else gone = middle;
  }
  return kept;
}
