import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY, isBook, LATEST } from '../../src/delivery/delivery-policy.ts';
import type { Gap } from '../../src/delivery/gap.ts';
import type { HeldFrame } from '../../src/delivery/held-frame.ts';
import {
  type Before,
  type Conflated,
  isFrame,
  type PendingCut,
  type PendingLimits,
  PendingSet,
} from '../../src/delivery/pending-set.ts';
import { FrameSource } from '../support/frame-source.ts';

/** Two topics of each kind, by their numbers. */
const KINDS = ['every', 'every', 'latest', 'latest', 'book', 'book'] as const;

type Step =
  | { do: 'publish'; topic: number; dice: number }
  /** The transmitter runs over the shard: of each topic so many publications are lost. The last one may still be read. */
  | { do: 'lap'; lost: number[]; follows: boolean; dice: number }
  | { do: 'cut' }
  | { do: 'drop'; topics: number[] }
  | { do: 'shrink'; limits: PendingLimits };

const topic = fc.nat(KINDS.length - 1);
const dice = fc.nat(9);
const limits: fc.Arbitrary<PendingLimits> = fc.record({
  messages: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 8 })),
  bytes: fc.oneof(fc.constant(0), fc.integer({ min: 50, max: 2_000 })),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: fc.record({ do: fc.constant('publish' as const), topic, dice }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('lap' as const),
      lost: fc.array(fc.nat(3), { minLength: KINDS.length, maxLength: KINDS.length }),
      follows: fc.boolean(),
      dice,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), topics: fc.array(topic, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shrink' as const), limits }) },
);

/** What was published of a topic and has not been told yet. */
interface Waiting {
  readonly frame: HeldFrame;
  /** The shard has not read it. */
  readonly isLost: boolean;
}

/** One thing that the client would be told of a topic. */
interface Told {
  readonly count: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly from: Gap | HeldFrame | Conflated;
}

/** A pending set, and beside it a list of all that it was told. */
class SetAndModel {
  readonly #source = new FrameSource();
  readonly #waiting = KINDS.map((): Waiting[] => []);
  /** What the client was told last of each topic, and whether that leaves it without the topic's latest value. */
  readonly #last = KINDS.map(() => ({ seq: 0, ordinal: 0 }));
  readonly #isBroken = KINDS.map(() => false);
  readonly #limits: PendingLimits;
  readonly #set = new PendingSet();

  constructor(limits: PendingLimits) {
    this.#limits = limits;
  }

  take(next: Step): void {
    switch (next.do) {
      case 'publish':
        return this.#publish(next.topic, next.dice);
      case 'lap':
        return this.#lap(next);
      case 'cut':
        return this.cut();
      case 'shrink':
        this.#set.shrink({ ...next.limits, reason: 'memory_pressure' });
        return this.#checkLimits(next.limits);
      case 'drop':
        return this.#drop(new Set(next.topics));
    }
  }

  cut(): void {
    const messages = this.#set.messages;
    const cut = this.#set.cut();
    expect(cut.every.length + cut.conflated.length).toBe(messages);
    expect(this.#set.isEmpty).toBe(true);
    expect(this.#set.bytes).toBe(0);
    for (const topic of KINDS.keys()) {
      for (const each of toldOf(cut, topic)) this.#checkTold(topic, each);
      expect(this.#waiting[topic], `topic ${topic} has been told to its end`).toEqual([]);
      if (KINDS[topic] !== 'every') expect(this.#set.broken.has(topic), `topic ${topic}`).toBe(this.#isBroken[topic]);
    }
  }

  #publish(topic: number, dice: number): void {
    this.#note(this.#source.publish(topic, { policy: policyOf(topic, dice) }));
  }

  /** As CatchUp tells it to those that are behind. */
  #lap({ lost, follows, dice }: Extract<Step, { do: 'lap' }>): void {
    for (const [topic, count] of lost.entries()) {
      const frames = Array.from({ length: count }, (_, i) =>
        this.#source.publish(topic, { policy: policyOf(topic, dice + i) }),
      );
      const last = follows && !isBook(frames.at(-1)?.policy ?? EVERY) ? frames.pop() : undefined;
      if (last?.policy === LATEST) {
        this.#noteBehind(last, frames);
        continue;
      }
      if (frames.length > 0) this.#noteGap(topic, frames);
      if (last !== undefined) this.#note(last);
    }
  }

  /** The newest stands for those that were lost in front of it. */
  #noteBehind(last: HeldFrame, lost: readonly HeldFrame[]): void {
    const { topic, prevSeq, ordinal } = last;
    const first = lost[0] ?? last;
    for (const frame of lost) this.#waiting[topic]!.push({ frame, isLost: true });
    this.#note(last, { seq: lost[0]?.prevSeq ?? prevSeq, ordinal: ordinal - lost.length - 1, firstSeq: first.seq });
  }

  #noteGap(topic: number, frames: readonly HeldFrame[]): void {
    const [fromSeq, toSeq] = [frames[0]!.seq, frames.at(-1)!.seq];
    for (const frame of frames) this.#waiting[topic]!.push({ frame, isLost: true });
    this.#set.noteGap({ topic, slot: 0, fromSeq, toSeq, count: frames.length, reason: 'shard_lapped' }, 0);
    if (KINDS[topic] !== 'every') this.#set.setBroken(topic);
  }

  #note(frame: HeldFrame, before?: Before): void {
    this.#waiting[frame.topic]!.push({ frame, isLost: false });
    this.#set.note(frame, 0, this.#limits, before);
    this.#checkLimits(this.#limits);
    for (const topic of KINDS.keys()) expect(this.#pendingOf(topic)).toBe(this.#waiting[topic]!.length);
  }

  #drop(topics: ReadonlySet<number>): void {
    this.#set.drop((topic) => topics.has(topic), 'unsubscribed');
    for (const gap of this.#set.takeGaps((topic) => topics.has(topic))) {
      expect(topics.has(gap.topic)).toBe(true);
      this.#checkTold(gap.topic, asTold(gap));
    }
    for (const topic of topics) {
      expect(this.#waiting[topic]).toEqual([]);
      expect(this.#pendingOf(topic)).toBe(0);
      this.#isBroken[topic] = false;
    }
  }

  /** The next thing told of a topic is the next that waits of it, and all of that as far as it reaches. */
  #checkTold(topic: number, { count, fromSeq, toSeq, from }: Told): void {
    const stoodFor = this.#waiting[topic]!.splice(0, count);
    const [first, last] = [stoodFor[0]!, stoodFor.at(-1)!];
    const name = `topic ${topic}, ${JSON.stringify({ count, fromSeq, toSeq })}`;
    expect(stoodFor, name).toHaveLength(count);
    expect(toSeq, name).toBe(last.frame.seq);
    expect(fromSeq, name).toBe(first.frame.seq);
    if ('own' in from) this.#checkConflated(topic, stoodFor, from);
    else if (isFrame(from)) expect(from.prevSeq, name).toBe(this.#last[topic]!.seq);
    this.#last[topic] = { seq: toSeq, ordinal: last.frame.ordinal };
    const isGap = !('own' in from) && !isFrame(from);
    // What is no book changes none, if it was seen to be none.
    const isChange = ({ frame, isLost }: Waiting) => frame.policy !== EVERY || isLost;
    if (isGap && KINDS[topic] !== 'every' && stoodFor.some(isChange)) this.#isBroken[topic] = true;
  }

  #checkConflated(topic: number, stoodFor: readonly Waiting[], { own, last, updates }: Conflated): void {
    expect({ seq: own.seq, ordinal: own.ordinal }).toEqual(this.#last[topic]);
    expect(last.seq).toBe(stoodFor.at(-1)!.frame.seq);
    const isBroken = this.#isBroken[topic]!;
    this.#isBroken[topic] = false;
    if (!isBook(last.policy)) return expect(updates).toBeUndefined();
    if (updates === undefined) return;
    const snapshotAt = stoodFor.findLastIndex(({ frame }) => frame.policy === BOOK_SNAPSHOT);
    const needed = stoodFor.slice(Math.max(snapshotAt, 0));
    expect(updates, 'all updates are there to be merged').toEqual(needed.map(({ frame }) => frame));
    expect(
      needed.some(({ isLost }) => isLost),
      'nothing lost is left out of a merge',
    ).toBe(false);
    expect(isBroken && snapshotAt < 0, 'no update follows a gap').toBe(false);
  }

  #checkLimits({ messages, bytes }: PendingLimits): void {
    if (messages > 0) expect(this.#set.messages).toBeLessThanOrEqual(messages);
    if (bytes > 0) expect(this.#set.bytes).toBeLessThanOrEqual(bytes);
  }

  #pendingOf(topic: number): number {
    let pending = 0;
    this.#set.forEach((each, publications) => {
      if (each === topic) pending += publications;
    });
    return pending;
  }
}

function policyOf(topic: number, dice: number): number {
  const kind = KINDS[topic]!;
  if (kind === 'every') return EVERY;
  if (kind === 'latest') return LATEST;
  if (dice % 10 < 2) return EVERY;
  return dice % 10 < 4 ? BOOK_SNAPSHOT : BOOK_UPDATE;
}

/** What a cut holds of a topic, in the order in which it goes out. */
function toldOf({ gaps, every, conflated }: PendingCut, topic: number): Told[] {
  const later = [...every, ...conflated].map(asTold).sort((a, b) => a.toSeq - b.toSeq);
  return [...gaps.map(asTold), ...later].filter(({ from }) => ('own' in from ? from.last : from).topic === topic);
}

function asTold(from: Gap | HeldFrame | Conflated): Told {
  if ('own' in from) {
    const { own, firstSeq, last } = from;
    return { count: last.ordinal - own.ordinal, fromSeq: firstSeq, toSeq: last.seq, from };
  }
  if (isFrame(from)) return { count: 1, fromSeq: from.seq, toSeq: from.seq, from };
  return { count: from.count, fromSeq: from.fromSeq, toSeq: from.toSeq, from };
}

describe('PendingSet, against a list of all that it was told', () => {
  it('stands for each publication once and in order, within its limits, and never merges behind a gap', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 120 }), (ofSet, steps) => {
        const both = new SetAndModel(ofSet);
        for (const each of steps) both.take(each);
        both.cut();
      }),
      { numRuns: 1_000 },
    );
  });
});
