import type { TopicName } from '../ring/topic-directory.ts';
import { conflate, linked } from './conflate.ts';
import type { FrameTail } from './frame-tail.ts';
import { type Gap, gapFrame } from './gap.ts';
import type { HeldFrame } from './held-frame.ts';
import type { LatestValues } from './latest-values.ts';
import { type Conflated, isFrame, type PendingCut } from './pending-set.ts';

/** One message on its way to one client that is behind. */
export interface Outgoing {
  readonly kind: 'data' | 'gap' | 'snapshot';
  readonly bytes: Buffer;
  readonly topic: number;
  readonly slot: number;
  /** What it settles of its topic; of data and gaps. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** When it should have left its source, µs since the epoch; of data alone. */
  readonly dueUs: number;
  /** Publications that it stands for besides its own. */
  readonly merged: number;
  /** Read from the ring once more, for a client that has come back. */
  readonly isReplayed?: boolean;
  /** Of a gap; it counts as dropped once it is told. */
  readonly gap?: Gap;
}

export interface OutgoingParts {
  values: LatestValues;
  nameOf: (topic: number) => TopicName;
}

/** What one element of a cut comes to: in the order of `seq`, settling the topic from `firstSeq` on. */
interface Due {
  readonly seq: number;
  readonly firstSeq: number;
  readonly from: HeldFrame | Gap | Conflated;
}

export function outgoingGap(gap: Gap, nameOf: OutgoingParts['nameOf']): Outgoing {
  const { topic, slot, fromSeq, toSeq } = gap;
  return { kind: 'gap', bytes: gapFrame(gap, nameOf(topic)), topic, slot, fromSeq, toSeq, dueUs: 0, merged: 0, gap };
}

/**
 * A cut of a pending set as messages: what was given up first, then everything by seq. Where something older than a frame
 * is still to come behind it, the frame says from where a client that gets no further has to resume.
 * @param broken called for a book that cannot be told: its next frame has to be a whole one
 */
export function outgoingOf(cut: PendingCut, parts: OutgoingParts, broken: (topic: number) => void): Outgoing[] {
  const due = dueOf(cut);
  const resumeSeqs = resumeSeqsOf(due);
  const outgoing = cut.gaps.map((gap) => outgoingGap(gap, parts.nameOf));
  for (const [i, { from }] of due.entries()) {
    if ('own' in from) outgoing.push(conflatedOut(from, parts, resumeSeqs[i], broken));
    else if (isFrame(from)) outgoing.push(frameOut(from, resumeSeqs[i]));
    else outgoing.push(outgoingGap(from, parts.nameOf));
  }
  return outgoing;
}

function dueOf({ every, conflated }: PendingCut): Due[] {
  const due: Due[] = every.map((from) =>
    isFrame(from) ? { seq: from.seq, firstSeq: from.seq, from } : { seq: from.toSeq, firstSeq: from.fromSeq, from },
  );
  for (const from of conflated) due.push({ seq: from.last.seq, firstSeq: from.firstSeq, from });
  return due.sort((a, b) => a.seq - b.seq);
}

/** For each, where to resume while it is the last; undefined where that is its own seq. */
function resumeSeqsOf(due: readonly Due[]): (number | undefined)[] {
  const resumeSeqs: (number | undefined)[] = [];
  let oldest = Number.POSITIVE_INFINITY;
  for (let i = due.length - 1; i >= 0; i--) {
    const { seq, firstSeq } = due[i]!;
    resumeSeqs[i] = oldest <= seq ? oldest - 1 : undefined;
    oldest = Math.min(oldest, firstSeq);
  }
  return resumeSeqs;
}

function frameOut(frame: HeldFrame, resumeSeq: number | undefined): Outgoing {
  const { topic, slot, dueUs, seq, prevSeq } = frame;
  const tail: FrameTail = { prevSeq, ...(resumeSeq === undefined ? {} : { resumeSeq }) };
  return { kind: 'data', bytes: linked(frame, tail), topic, slot, fromSeq: seq, toSeq: seq, dueUs, merged: 0 };
}

function conflatedOut(
  conflated: Conflated,
  { values, nameOf }: OutgoingParts,
  resumeSeq: number | undefined,
  broken: (topic: number) => void,
): Outgoing {
  const { own, firstSeq, last, updates } = conflated;
  const { topic, slot, dueUs } = last;
  const count = last.ordinal - own.ordinal;
  const settles = { topic, slot, fromSeq: firstSeq, toSeq: last.seq };
  const data = { kind: 'data', ...settles, dueUs, merged: count - 1 } as const;
  if (updates !== undefined && updates.length > 1)
    return new MergedBook(data, () => conflate(conflated, values, resumeSeq)!.bytes);
  const frame = conflate(conflated, values, resumeSeq);
  if (frame !== undefined) return { ...data, bytes: frame.bytes };
  broken(topic);
  return outgoingGap({ ...settles, count, reason: 'slow_consumer' }, nameOf);
}

/**
 * Updates of a book that are merged when their turn comes: those of all the books that a connection waits for, in one go,
 * would take the shard a hundred milliseconds and more.
 */
class MergedBook implements Outgoing {
  readonly kind = 'data';
  readonly topic: number;
  readonly slot: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly dueUs: number;
  readonly merged: number;
  readonly #merge: () => Buffer;
  #bytes: Buffer | undefined;

  constructor(data: Omit<Outgoing, 'bytes' | 'kind'>, merge: () => Buffer) {
    this.topic = data.topic;
    this.slot = data.slot;
    this.fromSeq = data.fromSeq;
    this.toSeq = data.toSeq;
    this.dueUs = data.dueUs;
    this.merged = data.merged;
    this.#merge = merge;
  }

  get bytes(): Buffer {
    this.#bytes ??= this.#merge();
    return this.#bytes;
  }
}
