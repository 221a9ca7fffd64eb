import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataFrame, WireMessage } from '../../perf/truth/wire-message.ts';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY, LATEST } from '../../src/delivery/delivery-policy.ts';
import { type FrameTail, withTail } from '../../src/delivery/frame-tail.ts';
import type { LatestValues } from '../../src/delivery/latest-values.ts';
import { type Outgoing, type OutgoingParts, outgoingOf } from '../../src/delivery/outgoing.ts';
import { PendingSet } from '../../src/delivery/pending-set.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { FrameSource } from '../support/frame-source.ts';
import { textsOf } from '../support/received-frames.ts';

const KINDS = ['every', 'every', 'latest', 'latest', 'book', 'book'] as const;
const NO_LIMITS = { messages: 0, bytes: 0 };

/** Outgoing messages of one connection, made of cuts of its pending set. */
class Lane {
  readonly source = new FrameSource();
  readonly set = new PendingSet();
  readonly outgoing: Outgoing[] = [];
  /** Books that could not be told. */
  readonly broken: number[] = [];
  isBookKept = true;

  publish(topic: number, policy: number, data: object = {}, limits = NO_LIMITS): number {
    this.set.note(this.source.publish(topic, { policy, data, slot: topic, dueUs: topic * 1_000 }), 0, limits);
    return this.source.seq;
  }

  /** @returns what the cut comes to, in short */
  cut(): string[] {
    const made = outgoingOf(this.set.cut(), this.#parts(), (topic) => {
      this.broken.push(topic);
      this.set.setBroken(topic);
    });
    this.outgoing.push(...made);
    return made.map(inShort);
  }

  #parts(): OutgoingParts {
    const fullBook = (topic: number, tail: FrameTail) => {
      const { seq } = this.source.last(topic);
      const data = { bids: [[topic, 1]], asks: [], isSnapshot: true };
      const payload = { type: 'depth', symbol: `S${topic}`, data };
      const frame = textFrame(JSON.stringify({ type: 'depth', payload, timestamp: 1, seq, prevSeq: 0 }));
      return this.isBookKept ? withTail(frame, 0, frame.length, tail) : undefined;
    };
    const bookLevels = () => (this.isBookKept ? 1 : undefined);
    const isNewest = (topic: number, seq: number) => this.source.last(topic).seq === seq;
    const values = { isNewest, fullBook, bookLevels } as unknown as LatestValues;
    return { values, nameOf: (topic) => ({ exchange: null, symbol: `S${topic}`, dataType: 'depth' }) };
  }
}

function messageOf({ bytes }: Outgoing): WireMessage {
  return JSON.parse(textsOf(bytes)[0]!) as WireMessage;
}

function inShort(each: Outgoing): string {
  const { payload, seq, prevSeq, merged, resumeSeq } = messageOf(each);
  if (each.kind === 'gap') return `${payload.symbol} ${payload.fromSeq}-${payload.toSeq} ${payload.reason}`;
  const more = `${merged === undefined ? '' : ` +${merged}`}${resumeSeq === undefined ? '' : ` resume ${resumeSeq}`}`;
  return `${payload.symbol} ${seq} <${prevSeq}${more}`;
}

describe('outgoingOf', () => {
  it('puts what was given up first, then all by seq, each linked to what the client had before', () => {
    const lane = new Lane();
    const limits = { messages: 4, bytes: 0 };
    for (const topic of [0, 2, 1, 2, 0, 1, 4, 2]) {
      lane.publish(topic, [EVERY, EVERY, LATEST, LATEST, BOOK_UPDATE][topic]!, { bids: [], asks: [] }, limits);
    }
    expect(lane.cut()).toEqual([
      'S0 1-1 slow_consumer',
      'S1 3-3 slow_consumer',
      'S0 5 <1 resume 1',
      'S1 6 <3 resume 1',
      'S4 7 <0 resume 1',
      'S2 8 <0 +2',
    ]);
  });

  it('says where to resume as long as something older than a frame is still to come, and only then', () => {
    const lane = new Lane();
    lane.publish(2, LATEST);
    lane.publish(0, EVERY);
    lane.publish(3, LATEST);
    lane.publish(2, LATEST);
    lane.publish(0, EVERY);
    lane.publish(3, LATEST);
    lane.publish(0, EVERY);
    expect(lane.cut()).toEqual([
      'S0 2 <0 resume 0',
      'S2 4 <0 +1 resume 2',
      'S0 5 <2 resume 2',
      'S3 6 <0 +1',
      'S0 7 <5',
    ]);
  });

  it('says it also for a gap that is still to come', () => {
    const lane = new Lane();
    lane.publish(0, EVERY);
    lane.set.noteGap({ topic: 1, slot: 0, fromSeq: 2, toSeq: 9, count: 3, reason: 'shard_lapped' }, 0);
    lane.source.seq = 4;
    lane.publish(0, EVERY);
    expect(lane.cut()).toEqual(['S0 1 <0', 'S0 5 <1 resume 1', 'S1 2-9 shard_lapped']);
  });

  it('leaves a frame that needs no other tail as it is, the same bytes for everybody', () => {
    const lane = new Lane();
    const frame = lane.source.publish(0);
    lane.set.note(frame, 0, NO_LIMITS);
    lane.cut();
    expect(lane.outgoing[0]!.bytes).toBe(frame.bytes);
    expect(lane.outgoing[0]).toMatchObject({ kind: 'data', topic: 0, fromSeq: 1, toSeq: 1, merged: 0 });
  });

  it('tells a gap where a book that has to be whole is not kept, and says that it is broken', () => {
    const lane = new Lane();
    lane.set.setBroken(4);
    lane.publish(4, BOOK_UPDATE);
    lane.publish(4, BOOK_UPDATE);
    lane.isBookKept = false;
    expect(lane.cut()).toEqual(['S4 1-2 slow_consumer']);
    expect(lane.broken).toEqual([4]);
    expect(lane.outgoing[0]!.gap).toMatchObject({ topic: 4, slot: 4, count: 2 });
    lane.isBookKept = true;
    lane.publish(4, BOOK_UPDATE);
    expect(lane.cut()).toEqual(['S4 3 <2']);
    expect(messageOf(lane.outgoing[1]!).payload.data).toMatchObject({ isSnapshot: true });
  });

  it('counts what it merges, and the time of the newest', () => {
    const lane = new Lane();
    for (let i = 0; i < 5; i++) lane.publish(3, LATEST);
    lane.cut();
    expect(lane.outgoing[0]).toMatchObject({ kind: 'data', slot: 3, dueUs: 3_000, fromSeq: 1, toSeq: 5, merged: 4 });
  });

  it('loses nothing for a client that gets only a part of it and resumes from there, wherever it ends', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ topic: fc.nat(KINDS.length - 1), dice: fc.nat(9) }) },
      { weight: 1, arbitrary: fc.constant('cut' as const) },
    );
    const limits = fc.record({ messages: fc.constantFrom(0, 2, 5), bytes: fc.constantFrom(0, 600) });
    fc.assert(
      fc.property(limits, fc.boolean(), fc.array(step, { maxLength: 60, size: 'max' }), (limits, isBookKept, steps) => {
        const lane = new Lane();
        lane.isBookKept = isBookKept;
        /** seqs of each topic's publications. */
        const published = KINDS.map((): number[] => []);
        for (const each of steps) {
          if (each === 'cut') lane.cut();
          else published[each.topic]!.push(lane.publish(each.topic, policyOf(each), { bids: [], asks: [] }, limits));
        }
        lane.cut();
        for (let taken = 0; taken <= lane.outgoing.length; taken++) {
          checkResumed(lane.outgoing.slice(0, taken), published);
        }
        checkComplete(lane.outgoing, published);
      }),
      { numRuns: 500 },
    );
  });
});

function policyOf({ topic, dice }: { topic: number; dice: number }): number {
  const kind = KINDS[topic]!;
  if (kind === 'every') return EVERY;
  if (kind === 'latest') return LATEST;
  if (dice === 0) return EVERY;
  return dice < 3 ? BOOK_SNAPSHOT : BOOK_UPDATE;
}

/** What a client makes of messages: its last seq of each topic, and where it would resume. */
function takenBy(outgoing: readonly Outgoing[]): { last: number[]; resumeSeq: number } {
  const last = KINDS.map(() => 0);
  let resumeSeq = 0;
  for (const each of outgoing) {
    const message = messageOf(each);
    const { topic } = each;
    if (each.kind === 'gap') {
      expect(message.payload.fromSeq).toBeGreaterThan(last[topic]!);
      last[topic] = message.payload.toSeq as number;
      continue;
    }
    const { seq, prevSeq, resumeSeq: from = seq } = message as DataFrame;
    expect(prevSeq, `${inShort(each)} closes the chain`).toBe(last[topic]);
    expect(from).toBeLessThanOrEqual(seq);
    last[topic] = seq;
    resumeSeq = from;
  }
  return { last, resumeSeq };
}

/** Of each topic the first publication that the client has not been told of comes again. */
function checkResumed(taken: readonly Outgoing[], published: readonly (readonly number[])[]): void {
  const { last, resumeSeq } = takenBy(taken);
  for (const [topic, seqs] of published.entries()) {
    const next = seqs.find((seq) => seq > last[topic]!);
    if (next !== undefined)
      expect(next, `topic ${topic} behind ${taken.map(inShort).at(-1)}`).toBeGreaterThan(resumeSeq);
  }
}

/** Nothing more than that comes again where nothing is left, and all of it has been told. */
function checkComplete(outgoing: readonly Outgoing[], published: readonly (readonly number[])[]): void {
  const { last } = takenBy(outgoing);
  for (const [topic, seqs] of published.entries()) {
    expect(last[topic]).toBe(seqs.at(-1) ?? 0);
    const told = outgoing.filter((each) => each.topic === topic);
    const count = told.reduce((sum, { gap, merged }) => sum + (gap?.count ?? 1 + merged), 0);
    expect(count).toBe(seqs.length);
  }
}
