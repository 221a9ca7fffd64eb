import { describe, expect, it } from 'vitest';
import { Backlog } from '../../src/delivery/backlog.ts';
import { holdFrame } from '../../src/delivery/held-frame.ts';
import { PendingSet } from '../../src/delivery/pending-set.ts';
import { Replay } from '../../src/delivery/replay.ts';
import { SnapshotQueue } from '../../src/delivery/snapshot-queue.ts';
import { inShort } from '../support/delivery-client.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';
import { textsOf } from '../support/received-frames.ts';

const NO_LIMITS = { messages: 0, bytes: 0 };
const WHOLE = { bids: [[1, 1]], asks: [], isSnapshot: true };
const UPDATE = { bids: [[2, 1]], asks: [] };

/** The backlog of one connection that wants everything, over a small ring. */
class BacklogStage {
  readonly stage = new DeliveryStage();
  readonly backlog: Backlog;
  limits = NO_LIMITS;

  constructor() {
    const { history, table, values, catalog } = this.stage;
    const nameOf = (topic: number) => catalog.name(topic);
    const snapshotsOf = (topics: readonly number[]) => new SnapshotQueue(topics, table, values);
    this.backlog = new Backlog({ history, table, values, nameOf, snapshotsOf }, new PendingSet(), 0);
  }

  /** Publishes, and what is published waits. */
  note(type: string, symbol: string, data?: unknown, nowMs = 0): void {
    this.stage.publish(type, symbol, data);
    this.stage.read((record) => this.backlog.note(holdFrame(record), nowMs, this.limits));
  }

  replay(afterSeq: number, ...symbols: string[]): void {
    const asked = new Set(symbols.map((symbol) => this.topic(symbol)));
    this.backlog.replay = new Replay(this.stage, afterSeq, asked, (topic) => asked.has(topic));
  }

  topic(symbol: string): number {
    return this.stage.catalog.matching({ exchanges: [], symbols: [symbol], dataTypes: [] })[0]!;
  }

  get pending(): Record<string, number> {
    const pending: Record<string, number> = {};
    this.backlog.forEachPending((topic, count) => {
      const symbol = this.stage.catalog.name(topic).symbol!;
      pending[symbol] = (pending[symbol] ?? 0) + count;
    });
    return pending;
  }

  /** So many messages more, or all. */
  told(count = Number.POSITIVE_INFINITY): string[] {
    const told: string[] = [];
    while (told.length < count) {
      const next = this.backlog.next();
      if (next === undefined) break;
      told.push(next === 'lost' ? next : inShort(JSON.parse(textsOf(next.bytes)[0]!)));
    }
    return told;
  }
}

describe('Backlog', () => {
  it('tells what was cut, then latest values, then what is pending', () => {
    const { stage, backlog, note, told } = bound(new BacklogStage());
    stage.tell('ticker', 'V');
    note('trade', 'A');
    note('trade', 'A');
    expect(told(1)).toEqual(['A 2 <0']);
    note('trade', 'B');
    backlog.addSnapshots(new SnapshotQueue([0], stage.table, stage.values));
    note('trade', 'A');
    expect(told()).toEqual(['A 3 <2', 'V 1 <0 snapshot', 'B 4 <0', 'A 5 <3']);
    expect(told()).toEqual([]);
  });

  it('tells a replay first, as it was published, and notes nothing meanwhile', () => {
    const test = new BacklogStage();
    const { stage, backlog, note, told } = bound(test);
    for (const symbol of ['A', 'B', 'A', 'A']) stage.tell('trade', symbol);
    test.replay(1, 'A');
    expect(backlog.lane).toBe('replaying');
    note('trade', 'A');
    expect(backlog.pending.isEmpty).toBe(true);
    expect(test.pending).toEqual({ A: 3 });
    expect(told(2)).toEqual(['A 3 <1', 'A 4 <3']);
    note('trade', 'A');
    expect(told()).toEqual(['A 5 <4', 'A 6 <5']);
    expect(backlog.lane).toBe('behind');
    note('trade', 'A');
    expect(told()).toEqual(['A 7 <6']);
  });

  it('tells gaps of a replay that was overtaken, the rest of it, and then the values of merged topics', () => {
    const test = new BacklogStage();
    const { stage, told } = bound(test);
    stage.tell('ticker', 'V');
    stage.tell('depth', 'D', WHOLE);
    stage.tell('trade', 'A');
    test.replay(0, 'V', 'D', 'A');
    stage.goRound(2, 'Z');
    stage.tell('trade', 'A');
    const last = stage.table.seq;
    expect(told()).toEqual([
      'V 1-1 1 replay_overrun',
      'D 2-2 1 replay_overrun',
      'A 3-3 1 replay_overrun',
      `A ${last} <3`,
      'V 1 <0 snapshot',
      'D 2 <0 snapshot',
    ]);
  });

  it('does not tell a value again that the replay brings behind the gap', () => {
    const test = new BacklogStage();
    const { stage, told } = bound(test);
    stage.tell('ticker', 'V');
    stage.tell('depth', 'D', WHOLE);
    test.replay(0, 'V', 'D');
    stage.goRound(2, 'Z');
    const [v, d] = [stage.tell('ticker', 'V'), stage.tell('depth', 'D', WHOLE)];
    expect(told()).toEqual(['V 1-1 1 replay_overrun', 'D 2-2 1 replay_overrun', `V ${v} <1`, `D ${d} <2`]);
  });

  it('tells the full book behind an overtaken replay, also where an update of it comes first', () => {
    // The snapshot was left out where something of the topic was pending, which then went out alone behind the gap.
    const test = new BacklogStage();
    const { stage, backlog, note, told } = bound(test);
    stage.tell('ticker', 'V');
    stage.tell('depth', 'D', WHOLE);
    test.replay(0, 'D', 'V');
    stage.goRound(2, 'Z');
    expect(told(3)).toEqual(['V 1-1 1 replay_overrun', 'D 2-2 1 replay_overrun', 'V 1 <0 snapshot']);
    note('depth', 'D', UPDATE);
    const next = backlog.next();
    if (next === undefined || next === 'lost') throw new Error('there is something to tell');
    const frame = JSON.parse(textsOf(next.bytes)[0]!);
    expect(frame).toMatchObject({ seq: stage.table.seq, prevSeq: 2, payload: { data: { isSnapshot: true } } });
    expect(told()).toEqual([]);
  });

  it('counts what a replay gives up as pending until it is told', () => {
    const test = new BacklogStage();
    const { stage, backlog, told } = bound(test);
    for (let i = 0; i < 5; i++) stage.tell('t', 'A', 1);
    test.replay(0, 'A');
    while (!backlog.replay!.isLate) stage.tell('t', 'A', 1);
    const all = stage.table.seq;
    expect(test.pending).toEqual({ A: all });
    backlog.giveUpLate();
    expect(backlog.messages).toBe(1);
    expect(test.pending).toEqual({ A: all });
    const [gap] = told(1);
    expect(gap).toMatch(/^A 1-\d+ \d+ replay_overrun$/);
    expect(test.pending).toEqual({ A: all - Number(gap!.split(' ')[2]) });
  });

  it('is lost where nobody can say what it has missed', () => {
    const test = new BacklogStage();
    const { stage, told } = bound(test);
    stage.tell('t', 'A', 1);
    test.replay(0, 'A');
    for (let i = 0; i < 2 * stage.index.entries; i++) stage.tell('t', 'A', 1);
    expect(told(1)).toEqual(['lost']);
  });

  it('lets the value follow where a merged topic ends with a gap', () => {
    // A book whose update was given up got its next one as it was, once the connection had caught up: for ever wrong.
    const test = new BacklogStage();
    const { note, told, backlog } = bound(test);
    note('depth', 'D', WHOLE);
    expect(told()).toEqual(['D 1 <0']);
    test.limits = { messages: 1, bytes: 0 };
    note('depth', 'D', UPDATE);
    note('ticker', 'V');
    note('trade', 'A');
    expect(told()).toEqual(['D 2-2 1 slow_consumer', 'A 4-4 1 slow_consumer', 'V 3 <0', 'D 2 <0 snapshot']);
    expect(backlog.pending.broken.size).toBe(0);
  });

  it('has no value to follow a gap of topics that are not merged', () => {
    const test = new BacklogStage();
    const { note, told } = bound(test);
    test.limits = { messages: 1, bytes: 0 };
    for (const symbol of ['A', 'B', 'A']) note('trade', symbol);
    expect(told()).toEqual(['A 1-1 1 slow_consumer', 'B 2-2 1 slow_consumer', 'A 3 <1']);
  });

  describe('where its connection wants less', () => {
    it('tells at once what is given up: one gap a topic of what was cut, then of what was pending', () => {
      const test = new BacklogStage();
      const { backlog, note, told } = bound(test);
      for (const symbol of ['A', 'B', 'A', 'C', 'A']) note('trade', symbol);
      expect(told(1)).toEqual(['A 1 <0']);
      for (const symbol of ['A', 'B']) note('trade', symbol);
      const narrowed = backlog.narrow((topic) => topic !== test.topic('A'));
      expect(narrowed.map(({ bytes }) => inShort(JSON.parse(textsOf(bytes)[0]!)))).toEqual([
        'A 3-5 2 unsubscribed',
        'A 6-6 1 unsubscribed',
      ]);
      expect(test.pending).toEqual({ B: 2, C: 1 });
      expect(told()).toEqual(['B 2 <0', 'C 4 <0', 'B 7 <2']);
    });

    it('tells gaps of what stays in their turn', () => {
      // Told at once they overtook frames of their topic that had been cut before.
      const test = new BacklogStage();
      const { backlog, note, told } = bound(test);
      for (const symbol of ['Z', 'A', 'B']) note('trade', symbol);
      expect(told(1)).toEqual(['Z 1 <0']);
      test.limits = { messages: 1, bytes: 0 };
      for (const symbol of ['A', 'B']) note('trade', symbol);
      const narrowed = backlog.narrow((topic) => topic !== test.topic('B'));
      expect(narrowed.map(({ gap }) => gap?.topic)).toEqual([test.topic('B'), test.topic('B')]);
      expect(told()).toEqual(['A 2 <0', 'A 4-4 1 slow_consumer']);
    });

    it('tells a gap all the same that was among what was cut, in its place', () => {
      const test = new BacklogStage();
      const { stage, backlog, note, told } = bound(test);
      for (const symbol of ['Z', 'A']) note('trade', symbol);
      const topic = test.topic('A');
      backlog.pending.noteGap({ topic, slot: 0, fromSeq: 3, toSeq: 4, count: 2, reason: 'shard_lapped' }, 0);
      for (let i = 0; i < 2; i++) stage.tell('trade', 'A');
      note('trade', 'A');
      expect(told(1)).toEqual(['Z 1 <0']);
      const narrowed = backlog.narrow(() => false);
      expect(narrowed.map(({ bytes }) => inShort(JSON.parse(textsOf(bytes)[0]!)))).toEqual([
        'A 2-2 1 unsubscribed',
        'A 3-4 2 shard_lapped',
        'A 5-5 1 unsubscribed',
      ]);
      expect(told()).toEqual([]);
    });

    it('tells no values of topics that are not wanted any more', () => {
      const test = new BacklogStage();
      const { stage, backlog, told } = bound(test);
      for (const symbol of ['A', 'B']) stage.tell('ticker', symbol);
      backlog.addSnapshots(new SnapshotQueue([0, 1], stage.table, stage.values));
      backlog.pending.setBroken(0);
      backlog.narrow((topic) => topic === 1);
      expect(told()).toEqual(['B 2 <0 snapshot']);
    });
  });

  describe('tells how far behind it is', () => {
    it('by what has waited longest', () => {
      const { backlog, note, told } = bound(new BacklogStage());
      expect(backlog.lagMs(50)).toBe(0);
      note('trade', 'A', undefined, 100);
      note('trade', 'A', undefined, 130);
      expect([backlog.lagMs(140), backlog.messages]).toEqual([40, 2]);
      told(1);
      note('trade', 'A', undefined, 150);
      expect([backlog.lagMs(160), backlog.messages]).toEqual([60, 2]);
      told(1);
      expect(backlog.lagMs(160)).toBe(10);
      told();
      expect([backlog.lagMs(170), backlog.messages]).toEqual([0, 0]);
    });

    it('by when a client took something last, as long as it is told what was published before', () => {
      const test = new BacklogStage();
      const { stage, backlog } = bound(test);
      stage.tell('t', 'A', 1);
      test.replay(0, 'A');
      backlog.progressMs = 100;
      expect(backlog.lagMs(140)).toBe(40);
      // Gaps that a replay leaves have not been cut from anything: it seemed to be behind since the process began.
      while (!backlog.replay!.isLate) stage.tell('t', 'A', 1);
      backlog.giveUpLate();
      expect(backlog.messages).toBe(1);
      expect(backlog.lagMs(140)).toBe(40);
    });
  });

  it('knows which topics wait', () => {
    const test = new BacklogStage();
    const { backlog, note, told } = bound(test);
    for (const symbol of ['A', 'B', 'A']) note('trade', symbol);
    told(2);
    note('ticker', 'C');
    test.limits = { messages: 1, bytes: 0 };
    note('trade', 'D');
    expect(backlog.waitingTopics()).toEqual(new Set(['A', 'C', 'D'].map((symbol) => test.topic(symbol))));
  });
});

function bound(test: BacklogStage) {
  const { stage, backlog } = test;
  const note = (type: string, symbol: string, data?: unknown, nowMs?: number) => test.note(type, symbol, data, nowMs);
  const told = (count?: number) => test.told(count);
  return { stage, backlog, note, told };
}
