import { describe, expect, it } from 'vitest';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY, LATEST } from '../../src/delivery/delivery-policy.ts';
import type { Gap } from '../../src/delivery/gap.ts';
import type { HeldFrame } from '../../src/delivery/held-frame.ts';
import { isFrame, type PendingCut, type PendingLimits, PendingSet } from '../../src/delivery/pending-set.ts';
import { FrameSource } from '../support/frame-source.ts';

const NO_LIMITS: PendingLimits = { messages: 0, bytes: 0 };

/** A set and what is published for it. */
class Waiting {
  readonly source = new FrameSource();
  readonly set = new PendingSet();
  limits = NO_LIMITS;

  note(topic: number, policy: number, padding = 0, nowMs = 0): HeldFrame {
    const frame = this.source.publish(topic, { policy, data: { padding: 'x'.repeat(padding) } });
    this.set.note(frame, nowMs, this.limits);
    return frame;
  }

  /** How much waits of each topic. */
  get pending(): Map<number, number> {
    const pending = new Map<number, number>();
    this.set.forEach((topic, count) => {
      pending.set(topic, (pending.get(topic) ?? 0) + count);
    });
    return pending;
  }
}

function everyOf({ every }: PendingCut): (number | Gap)[] {
  return every.map((each) => (isFrame(each) ? each.seq : each));
}

function gap(
  topic: number,
  fromSeq: number,
  toSeq: number,
  count: number,
  reason: Gap['reason'] = 'slow_consumer',
): Gap {
  return { topic, slot: 0, fromSeq, toSeq, count, reason };
}

describe('PendingSet', () => {
  it('keeps each frame of a topic that is never merged', () => {
    const { set, note } = bound(new Waiting());
    const frames = [note(1, EVERY), note(2, EVERY), note(1, EVERY)];
    expect([set.messages, set.bytes]).toEqual([3, frames.reduce((sum, { bytes }) => sum + bytes.length, 0)]);
    const { gaps, every, conflated } = set.cut();
    expect([gaps, conflated]).toEqual([[], []]);
    expect(every).toEqual(frames);
    expect([set.isEmpty, set.bytes, set.messages]).toEqual([true, 0, 0]);
  });

  it('keeps the newest alone of a topic whose newest stands for all', () => {
    const { set, note, source } = bound(new Waiting());
    source.publish(1);
    const own = { ...source.last(1) };
    const first = note(1, LATEST, 500);
    note(2, LATEST);
    const last = note(1, LATEST);
    expect(set.messages).toBe(2);
    const { conflated } = set.cut();
    expect(conflated.map(({ last }) => last.topic)).toEqual([2, 1]);
    expect(conflated[1]).toEqual({ own, firstSeq: first.seq, last, updates: undefined, bytes: last.bytes.length });
  });

  it('keeps the updates of a book, to be merged, from the last whole book on', () => {
    const { set, note } = bound(new Waiting());
    const updates = [note(1, BOOK_UPDATE), note(1, BOOK_UPDATE)];
    expect(set.cut().conflated[0]!.updates).toEqual(updates);
    note(1, BOOK_UPDATE, 300);
    const whole = [note(1, BOOK_SNAPSHOT), note(1, BOOK_UPDATE)];
    expect(set.bytes).toBe(whole[0]!.bytes.length + whole[1]!.bytes.length);
    expect(set.cut().conflated[0]!.updates).toEqual(whole);
  });

  it('does not keep more than a thousand updates of a book', () => {
    const { set, note } = bound(new Waiting());
    for (let i = 0; i < 1_000; i++) note(1, BOOK_UPDATE);
    expect(set.bytes).toBeGreaterThan(100_000);
    const last = note(1, BOOK_UPDATE);
    expect(set.bytes).toBe(last.bytes.length);
    note(1, BOOK_UPDATE);
    expect(set.cut().conflated[0]).toMatchObject({ updates: undefined, own: { ordinal: 0 }, last: { ordinal: 1_002 } });
  });

  it('knows since when something waits', () => {
    const { set, note } = bound(new Waiting());
    note(1, EVERY, 0, 5);
    note(1, EVERY, 0, 6);
    expect(set.sinceMs).toBe(5);
    expect(set.cut().sinceMs).toBe(5);
    note(2, LATEST, 0, 9);
    expect(set.sinceMs).toBe(9);
    set.cut();
    set.noteGap(gap(1, 7, 8, 2), 11);
    expect(set.sinceMs).toBe(11);
  });

  describe('beyond its limits', () => {
    it('gives up the oldest frame, and tells it by a gap in front of everything', () => {
      const waiting = new Waiting();
      waiting.limits = { messages: 2, bytes: 0 };
      const { set, note } = bound(waiting);
      for (const topic of [1, 2, 1, 1, 2]) note(topic, EVERY);
      expect(waiting.pending).toEqual(
        new Map([
          [1, 3],
          [2, 2],
        ]),
      );
      const { gaps, every } = set.cut();
      expect(gaps).toEqual([gap(2, 2, 2, 1), gap(1, 1, 3, 2)]);
      expect(every.map((each) => (each as HeldFrame).seq)).toEqual([4, 5]);
    });

    it('gives up what is merged once there is nothing else, that whose first came first', () => {
      const waiting = new Waiting();
      waiting.limits = { messages: 2, bytes: 0 };
      const { set, note } = bound(waiting);
      note(3, LATEST);
      note(1, EVERY);
      note(4, LATEST);
      note(3, LATEST);
      note(5, LATEST);
      const { gaps, conflated } = set.cut();
      expect(gaps).toEqual([gap(1, 2, 2, 1), gap(3, 1, 4, 2)]);
      expect(conflated.map(({ last }) => last.topic)).toEqual([4, 5]);
      expect([...set.broken]).toEqual([3]);
    });

    it('lets go of the updates of books before it gives anything up, but of none that it would save nothing by', () => {
      const waiting = new Waiting();
      const { set, note } = bound(waiting);
      note(1, BOOK_UPDATE, 100);
      for (let i = 0; i < 5; i++) note(2, BOOK_UPDATE, 100);
      note(9, EVERY, 100);
      const single = set.bytes / 7;
      waiting.limits = { messages: 0, bytes: 5 * single };
      note(9, EVERY, 100);
      const { gaps, every, conflated } = set.cut();
      expect(gaps).toEqual([]);
      expect(every).toHaveLength(2);
      expect(conflated.map(({ last, updates }) => [last.topic, updates?.length])).toEqual([
        [1, 1],
        [2, undefined],
      ]);
    });

    it('gives up a frame that is too large by itself', () => {
      const waiting = new Waiting();
      waiting.limits = { messages: 0, bytes: 300 };
      const { set, note } = bound(waiting);
      note(1, EVERY);
      note(1, EVERY, 1_000);
      expect([set.messages, set.bytes]).toEqual([0, 0]);
      expect(set.cut().gaps).toEqual([gap(1, 1, 2, 2)]);
      note(2, LATEST, 1_000);
      expect(set.cut().gaps).toEqual([gap(2, 3, 3, 1)]);
    });

    it('tells gaps of different reasons apart', () => {
      const waiting = new Waiting();
      waiting.limits = { messages: 2, bytes: 0 };
      const { set, note } = bound(waiting);
      for (let i = 0; i < 4; i++) note(1, EVERY);
      set.shrink({ messages: 1, bytes: 0, reason: 'memory_pressure' });
      note(1, EVERY);
      note(1, EVERY);
      expect(set.cut().gaps).toEqual([gap(1, 1, 2, 2), gap(1, 3, 3, 1, 'memory_pressure'), gap(1, 4, 4, 1)]);
    });

    it('keeps no more in memory than its limit, however much it gives up', () => {
      const waiting = new Waiting();
      waiting.limits = { messages: 10, bytes: 0 };
      const { set, note } = bound(waiting);
      for (let i = 0; i < 5_000; i++) note(i % 3, EVERY);
      expect(set.messages).toBe(10);
      const { gaps, every } = set.cut();
      expect(gaps.reduce((sum, { count }) => sum + count, 0)).toBe(4_990);
      expect(gaps).toHaveLength(3);
      expect(every.map((each) => (each as HeldFrame).seq)).toEqual(Array.from({ length: 10 }, (_, i) => 4_991 + i));
    });
  });

  describe('behind a gap', () => {
    it('never lets an update of a book stand alone', () => {
      const { set, note } = bound(new Waiting());
      set.setBroken(1);
      note(1, BOOK_UPDATE);
      note(1, BOOK_UPDATE);
      expect(set.cut().conflated[0]!.updates).toBeUndefined();
      note(1, BOOK_UPDATE);
      expect(set.cut().conflated[0]!.updates).toHaveLength(1);
      set.setBroken(1);
      note(1, BOOK_SNAPSHOT);
      expect(set.cut().conflated[0]!.updates).toHaveLength(1);
    });

    it('remembers which topics lack their value until that waits or has been told', () => {
      const waiting = new Waiting();
      waiting.limits = { messages: 1, bytes: 0 };
      const { set, note } = bound(waiting);
      for (const topic of [1, 2, 3, 4]) note(topic, topic === 1 ? BOOK_UPDATE : LATEST);
      expect([...set.broken]).toEqual([1, 2, 3]);
      note(2, LATEST);
      expect([...set.broken]).toEqual([1, 3, 4]);
      set.mend(3);
      expect([...set.broken]).toEqual([1, 4]);
    });

    it('merges nothing across publications that were lost to a lap', () => {
      const waiting = new Waiting();
      const { set, note } = bound(waiting);
      note(1, LATEST);
      set.noteGap(gap(1, 2, 3, 2, 'shard_lapped'), 0);
      waiting.source.seq = 3;
      note(1, LATEST);
      const { gaps, every, conflated } = set.cut();
      expect(gaps).toEqual([]);
      expect(every).toEqual([gap(1, 1, 1, 1), gap(1, 2, 3, 2, 'shard_lapped')]);
      expect(conflated[0]).toMatchObject({ firstSeq: 4 });
    });
  });

  it('tells in its place what it gives up of a book for something that is none', () => {
    // The gap overtook frames of its own topic that came before it, and a later one swallowed a frame between the two.
    const { set, note } = bound(new Waiting());
    note(1, EVERY);
    note(1, BOOK_UPDATE);
    note(1, BOOK_UPDATE);
    note(1, EVERY);
    note(1, BOOK_UPDATE);
    note(1, EVERY);
    const cut = set.cut();
    expect(cut.gaps).toEqual([]);
    expect(everyOf(cut)).toEqual([1, gap(1, 2, 3, 2), 4, gap(1, 5, 5, 1), 6]);
    expect([...set.broken]).toEqual([1]);
  });

  it('gives up what waits of topics that are gone, and of no others', () => {
    const waiting = new Waiting();
    const { set, note } = bound(waiting);
    for (const topic of [1, 2, 1, 3, 4]) note(topic, topic < 3 ? EVERY : LATEST);
    set.setBroken(5);
    set.noteGap(gap(1, 6, 7, 2, 'shard_lapped'), 0);
    const isGone = (topic: number) => [1, 3, 5].includes(topic);
    set.drop(isGone, 'unsubscribed');
    expect(set.takeGaps(isGone)).toEqual([
      gap(1, 1, 3, 2, 'unsubscribed'),
      gap(3, 4, 4, 1, 'unsubscribed'),
      gap(1, 6, 7, 2, 'shard_lapped'),
    ]);
    expect([...set.broken]).toEqual([]);
    expect(waiting.pending).toEqual(
      new Map([
        [2, 1],
        [4, 1],
      ]),
    );
    expect(set.cut().gaps).toEqual([]);
  });

  it('has what waits of a book told whole where that is asked for', () => {
    const { set, note } = bound(new Waiting());
    note(1, BOOK_UPDATE, 50);
    const last = note(1, BOOK_UPDATE);
    set.collapse(1);
    expect(set.bytes).toBe(last.bytes.length);
    expect(set.cut().conflated[0]!.updates).toBeUndefined();
    set.collapse(2);
    note(2, BOOK_UPDATE);
    expect(set.cut().conflated[0]!.updates).toBeUndefined();
  });
});

function bound(waiting: Waiting) {
  const { set, source } = waiting;
  const note = (topic: number, policy: number, padding?: number, nowMs?: number) =>
    waiting.note(topic, policy, padding, nowMs);
  return { set, source, note };
}
