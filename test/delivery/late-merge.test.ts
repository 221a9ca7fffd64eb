import { afterEach, describe, expect, it, vi } from 'vitest';
import { BOOK_UPDATE } from '../../src/delivery/delivery-policy.ts';
import { textOfFrame } from '../../src/delivery/frame-tail.ts';
import type { HeldFrame } from '../../src/delivery/held-frame.ts';
import { type OutgoingParts, outgoingOf } from '../../src/delivery/outgoing.ts';
import { PendingSet } from '../../src/delivery/pending-set.ts';
import { textFrame } from '../../src/frame/frame-header.ts';

const LIMITS = { messages: 0, bytes: 0 };

afterEach(() => vi.restoreAllMocks());

/** The `ordinal`-th update of book `topic`, of which there are two that take turns: 20 new levels a side. */
function update(topic: number, ordinal: number): HeldFrame {
  const seq = ordinal * 2 + topic;
  const prevSeq = ordinal === 1 ? 0 : seq - 2;
  const levels = (from: number) => Array.from({ length: 20 }, (_, n) => [from + ordinal * 20 + n, 1]);
  const data = { bids: levels(10_000), asks: levels(50_000) };
  const message = { type: 'depth', payload: { type: 'depth', data }, timestamp: 1, seq, prevSeq };
  const bytes = textFrame(JSON.stringify(message));
  return { bytes, topic, slot: 0, policy: BOOK_UPDATE, seq, prevSeq, ordinal, dueUs: 0 };
}

/** Two books of which three updates each have waited, cut. */
function twoBooks(values: object) {
  const pending = new PendingSet();
  for (let ordinal = 1; ordinal <= 3; ordinal++) {
    for (const topic of [0, 1]) pending.note(update(topic, ordinal), 0, LIMITS);
  }
  return outgoingOf(pending.cut(), { values } as unknown as OutgoingParts, () => {});
}

describe('books that have waited', () => {
  // All of them were merged when the cut was made: for 4 MiB of updates that took some 200 ms in one go, for one slow client.
  it('are merged when their turn comes, not before', () => {
    const parse = vi.spyOn(JSON, 'parse');
    const outgoing = twoBooks({ isNewest: () => false });
    expect(outgoing.map(({ kind, topic, toSeq, merged }) => [kind, topic, toSeq, merged])).toEqual([
      ['data', 0, 6, 2],
      ['data', 1, 7, 2],
    ]);
    expect(parse).not.toHaveBeenCalled();
    const { bytes } = outgoing[0]!;
    expect(parse).toHaveBeenCalledTimes(3);
    expect(outgoing[0]!.bytes).toBe(bytes);
    const { seq, prevSeq, merged, payload } = JSON.parse(textOfFrame(bytes, 0, bytes.length));
    expect([seq, prevSeq, merged, payload.data.bids.length]).toEqual([6, 0, 2, 60]);
  });

  it('are not told as the full book, though it is smaller, once that is a newer one', () => {
    const newest = new Map([[0, 6]]);
    const full = Buffer.from('full');
    const values = {
      isNewest: (topic: number, seq: number) => newest.get(topic) === seq,
      bookLevels: () => 1,
      fullBook: () => full,
    };
    const outgoing = twoBooks(values);
    expect(outgoing[0]!.bytes).toBe(full);
    expect(outgoing[1]!.bytes).not.toBe(full);
    expect(JSON.parse(textOfFrame(outgoing[1]!.bytes, 0, outgoing[1]!.bytes.length)).seq).toBe(7);
  });
});
