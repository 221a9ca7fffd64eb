import type { Account } from './account.ts';
import type { Epochs } from './epochs.ts';
import { type HistoryParts, oldestReadable } from './oldest-readable.ts';
import type { TopicCatalog } from './topic-catalog.ts';

/** Where a client wants to go on: the newest publication it has, in the numbering of `epoch`. */
export interface ResumeRequest {
  readonly epoch: string;
  readonly seq: number;
}

/** Why a resume is refused, as the reply says it. */
export type ResumeRefusal = 'UNKNOWN_EPOCH' | 'HISTORY_TOO_SHORT' | 'SEQ_IN_FUTURE' | 'ALREADY_SUBSCRIBED';

export interface ResumePlan {
  /** Topics to replay. */
  readonly topics: ReadonlySet<number>;
  /** Publications to replay, in all and by topic. */
  readonly count: number;
  readonly countByTopic: ReadonlyMap<number, number>;
  /** Where the replay begins: everything wanted has a higher seq. */
  readonly afterSeq: number;
  /** What was asked for: nothing that matches was published between the two. */
  readonly sinceSeq: number;
}

export interface ResumeParts extends HistoryParts {
  epochs: Epochs;
  catalog: TopicCatalog;
}

/**
 * Whether everything that matches and was published after the client's last publication can be replayed, and what that is.
 * All or nothing: a part of it would look like the whole. The shard has read on to the end of the ring where `seq` is ahead.
 * @param matching topics of the filter
 */
export function planResume(
  { epoch, seq }: ResumeRequest,
  matching: readonly number[],
  account: Account,
  parts: ResumeParts,
): ResumePlan | ResumeRefusal {
  const { table, catalog, index } = parts;
  if (!parts.epochs.covers(epoch, seq)) return 'UNKNOWN_EPOCH';
  if (seq > table.seq) return 'SEQ_IN_FUTURE';
  // The client may have been with another gateway, which had what is missing here.
  if (parts.epochs.isShared(epoch) && seq + 1 < index.completeFrom) return 'HISTORY_TOO_SHORT';
  const covered = account.coveredSince(catalog);
  const wanted = matching.filter((topic) => (covered.get(topic) ?? Number.POSITIVE_INFINITY) > seq);
  const moved = wanted.filter((topic) => table.lastSeq(topic) > seq);
  if (moved.some((topic) => covered.has(topic))) return 'ALREADY_SUBSCRIBED';
  const oldest = oldestReadable(parts);
  if (seq + 1 < oldest && !reachesBack(seq, oldest, wanted, parts)) return 'HISTORY_TOO_SHORT';
  return { ...countFrom(Math.max(seq, oldest - 1), wanted, parts), sinceSeq: seq };
}

/** Whether none of the topics published anything between `seq` and what can still be read. */
function reachesBack(seq: number, oldest: number, wanted: readonly number[], parts: ResumeParts): boolean {
  const { history, index, table } = parts;
  // A topic that nothing is known of may have published.
  if (wanted.some((topic) => table.lastSeq(topic) === 0)) return false;
  const open = new Set(wanted.filter((topic) => table.lastSeq(topic) > seq));
  for (let at = oldest; at <= table.seq && open.size > 0; at++) {
    const topic = index.topic(at);
    if (!open.delete(topic)) continue;
    if (!history.peekAt(index.position(at)) || history.prevSeq > seq) return false;
  }
  return open.size === 0;
}

/** Looks no further than where one of the topics may have published: a quiet one is not worth reading the whole index for. */
function countFrom(afterSeq: number, wanted: readonly number[], { index, table }: ResumeParts) {
  const topics = new Set(wanted);
  const lastSeq = wanted.reduce((last, topic) => Math.max(last, table.lastSeq(topic) || table.seq), 0);
  const countByTopic = new Map<number, number>();
  let count = 0;
  for (let seq = afterSeq + 1; seq <= lastSeq; seq++) {
    const topic = index.topic(seq);
    if (!topics.has(topic)) continue;
    count++;
    countByTopic.set(topic, (countByTopic.get(topic) ?? 0) + 1);
  }
  return { topics, count, countByTopic, afterSeq };
}
