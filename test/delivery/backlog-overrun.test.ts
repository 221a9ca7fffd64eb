import { describe, expect, it } from 'vitest';
import { Backlog, type BacklogParts } from '../../src/delivery/backlog.ts';
import type { HistoryParts } from '../../src/delivery/oldest-readable.ts';
import type { Outgoing } from '../../src/delivery/outgoing.ts';
import { PendingSet } from '../../src/delivery/pending-set.ts';
import { Replay } from '../../src/delivery/replay.ts';

const TOPICS = 10;
const ENTRIES = 10_000;

/** A ring and its index of publications that go round all topics; `table.seq` is the newest. */
function passingRing() {
  const table = { seq: 0, slot: () => 0, policy: () => 0 };
  const index = {
    entries: ENTRIES,
    topic: (seq: number) => (table.seq - seq < ENTRIES ? seq % TOPICS : -1),
    position: (seq: number) => seq,
  };
  const history = { holds: (position: number) => table.seq - position < ENTRIES, readAt: () => false };
  return { table, index, history };
}

function told(backlog: Backlog): Outgoing[] {
  const messages: Outgoing[] = [];
  for (let next = backlog.next(); next !== undefined && next !== 'lost' && messages.length < 2 * TOPICS; ) {
    messages.push(next);
    next = backlog.next();
  }
  return messages;
}

describe('Backlog', () => {
  // What a replay gave up was queued as a gap a topic, each time anew: a client that reads a byte now and then, so that it
  // is never given up, made that grow for ever.
  it('holds one gap a topic for all that a replay gives up before its client reads on', () => {
    const ring = passingRing();
    const parts = { ...ring, nameOf: () => ({ exchange: null, symbol: null, dataType: null }) };
    const backlog = new Backlog(parts as unknown as BacklogParts, new PendingSet(), 0);
    backlog.replay = new Replay(ring as unknown as HistoryParts, 0, new Set(), () => true);
    for (let pass = 0; pass < 80; pass++) {
      ring.table.seq += ENTRIES / 8;
      backlog.giveUpLate();
    }
    expect(backlog.messages).toBe(TOPICS);
    let pending = 0;
    backlog.forEachPending((_topic, publications) => {
      pending += publications;
    });
    expect(pending).toBe(ring.table.seq);
    const gaps = told(backlog)
      .slice(0, TOPICS)
      .map(({ gap }) => gap!);
    expect(gaps.map(({ fromSeq }) => fromSeq).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const { fromSeq, toSeq, count } of gaps) expect(count).toBe((toSeq - fromSeq) / TOPICS + 1);
  });
});
