import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Replay } from '../../src/delivery/replay.ts';
import { dataTypeSlot } from '../../src/telemetry/statistics-block.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';

const SYMBOLS = ['A', 'B', 'C', 'D'];
const SLOT_OF_OTHERS = dataTypeSlot('t');

type Step =
  | { do: 'publish'; count: number; dice: number; bytes: number }
  | { do: 'replay'; count: number }
  | { do: 'giveUpLate' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      count: fc.integer({ min: 1, max: 80 }),
      dice: fc.nat(99),
      bytes: fc.constantFrom(0, 100, 400),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replay' as const), count: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('giveUpLate' as const) }) },
);

/** A replay over a small ring, and beside it a list of the publications that it is still to come upon. */
class ReplayAndList {
  readonly #stage = new DeliveryStage();
  readonly #replay: Replay;
  /** Symbol by seq. */
  readonly #symbols: string[] = [''];
  readonly #askedAt: number;
  readonly #asked: readonly string[];
  readonly #wanted: readonly string[];
  /** Everything up to here has been told. */
  #told: number;

  constructor(published: number, afterSeq: number, asked: readonly string[], wanted: readonly string[]) {
    for (const symbol of SYMBOLS) this.#publish(symbol, 0);
    for (let i = 0; i < published; i++) this.#publish(SYMBOLS[(i * 7) % SYMBOLS.length]!, 0);
    this.#stage.read();
    this.#askedAt = this.#stage.table.seq;
    this.#asked = asked;
    this.#wanted = wanted;
    this.#told = Math.min(afterSeq, this.#askedAt);
    const topics = new Set(asked.map((symbol) => this.#topic(symbol)));
    const wants = (topic: number) => wanted.some((symbol) => this.#topic(symbol) === topic);
    this.#replay = new Replay(this.#stage, this.#told, topics, wants);
  }

  take(next: Step): void {
    switch (next.do) {
      case 'publish':
        // Further behind it would be lost.
        if (this.#stage.table.seq - this.#told > this.#stage.index.entries - 100) return;
        for (let i = 0; i < next.count; i++) this.#publish(SYMBOLS[(next.dice + i * i) % SYMBOLS.length]!, next.bytes);
        return this.#stage.read();
      case 'giveUpLate':
        if (this.#replay.isLate && this.#replay.giveUp() === 'gaps') this.#checkGaps();
        return;
      case 'replay':
        for (let i = 0; i < next.count; i++) this.#step();
    }
  }

  /** Nothing is published any more: it comes to the end of the ring. */
  end(): void {
    while (this.#step());
    expect(this.#left()).toEqual([]);
    expect(this.#replay.step()).toBe('end');
  }

  /** @returns whether there may be more */
  #step(): boolean {
    this.#checkPending();
    const found = this.#replay.step();
    switch (found) {
      case 'end':
        expect(this.#left()).toEqual([]);
        return false;
      case 'record': {
        const { seq, topic } = this.#stage.history;
        const next = this.#left()[0];
        expect({ seq, topic }).toEqual({ seq: next, topic: this.#topic(this.#symbols[seq]!) });
        this.#told = seq;
        return true;
      }
      case 'gaps':
        this.#checkGaps();
        return true;
      case 'lost':
        throw new Error('it is not that far behind');
    }
  }

  #checkGaps(): void {
    const { gaps } = this.#replay;
    const count = gaps.reduce((sum, gap) => sum + gap.count, 0);
    const gone = this.#left().slice(0, count);
    const byTopic = Map.groupBy(gone, (seq) => this.#topic(this.#symbols[seq]!));
    const expected = [...byTopic].map(([topic, seqs]) => ({
      topic,
      slot: SLOT_OF_OTHERS,
      fromSeq: seqs[0],
      toSeq: seqs.at(-1),
      count: seqs.length,
      reason: 'replay_overrun',
    }));
    expect(gaps).toEqual(expected.sort((a, b) => a.toSeq! - b.toSeq!));
    this.#told = Math.max(this.#told, ...gone);
  }

  #checkPending(): void {
    const pending = new Map<number, number>();
    this.#replay.forEach((topic, count) => {
      pending.set(topic, (pending.get(topic) ?? 0) + count);
    });
    const left = Map.groupBy(this.#left(), (seq) => this.#topic(this.#symbols[seq]!));
    expect(pending).toEqual(new Map([...left].map(([topic, { length }]) => [topic, length])));
  }

  /** seqs that it still has to come upon. */
  #left(): number[] {
    const left: number[] = [];
    for (let seq = this.#told + 1; seq <= this.#stage.table.seq; seq++) {
      const symbols = seq <= this.#askedAt ? this.#asked : this.#wanted;
      if (symbols.includes(this.#symbols[seq]!)) left.push(seq);
    }
    return left;
  }

  #publish(symbol: string, bytes: number): void {
    this.#stage.publish('t', symbol, 'x'.repeat(bytes));
    this.#symbols.push(symbol);
  }

  #topic(symbol: string): number {
    return this.#stage.topic('t', symbol);
  }
}

describe('Replay', () => {
  it('comes upon each publication that is wanted, or leaves it out in a gap, once and in order', () => {
    const symbols = fc.subarray(SYMBOLS, { minLength: 1 });
    fc.assert(
      fc.property(
        fc.nat(150),
        fc.nat(160),
        symbols,
        symbols,
        fc.array(step, { maxLength: 20 }),
        (published, afterSeq, asked, wanted, steps) => {
          const both = new ReplayAndList(published, afterSeq, asked, wanted);
          for (const each of steps) both.take(each);
          both.end();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('looks for the topics of its filter up to where it was asked, and behind that for all that is wanted', () => {
    const stage = new DeliveryStage();
    for (const symbol of ['A', 'B', 'C', 'A', 'B']) stage.tell('trade', symbol);
    const [a, b, c] = ['A', 'B', 'C'].map((symbol) => stage.topic('trade', symbol));
    const replay = new Replay(stage, 1, new Set([a!]), (topic) => topic === b || topic === c);
    for (const symbol of ['A', 'B', 'C']) stage.tell('trade', symbol);
    expect(seqsOf(stage, replay)).toEqual([4, 7, 8]);
  });

  it('goes on where the shard reads on', () => {
    const stage = new DeliveryStage();
    stage.tell('trade', 'A');
    const replay = new Replay(stage, 0, new Set([0]), () => true);
    stage.publish('trade', 'A');
    expect(seqsOf(stage, replay)).toEqual([1]);
    stage.read();
    expect(seqsOf(stage, replay)).toEqual([2]);
  });

  it('leaves out a quarter of what there is once it was overtaken, so as not to be overtaken at once again', () => {
    const stage = new DeliveryStage();
    stage.tell('trade', 'A');
    const replay = new Replay(stage, 0, new Set([0]), () => true);
    for (let i = 0; i < 400; i++) stage.tell('trade', 'A', 'x'.repeat(100));
    expect(replay.step()).toBe('gaps');
    expect(replay.gaps).toHaveLength(1);
    const { fromSeq, toSeq, count } = replay.gaps[0]!;
    expect([fromSeq, count]).toEqual([1, toSeq]);
    let oldest = 401;
    while (stage.history.holds(stage.index.position(oldest - 1))) oldest--;
    expect(toSeq + 1 - oldest).toBe(Math.ceil((402 - oldest) / 4));
    expect(seqsOf(stage, replay)).toEqual(Array.from({ length: 401 - toSeq }, (_, i) => toSeq + 1 + i));
  });

  it('is not late while all that it is to read is there', () => {
    // Of small publications the ring holds more than half as many as the index has entries. A resumption that was granted
    // from its very beginning was late at once, and a quarter of it was given up for nothing.
    const stage = new DeliveryStage();
    for (let i = 0; i < 1_000; i++) stage.tell('t', 'A', 1);
    let oldest = 1_000;
    while (stage.history.holds(stage.index.position(oldest - 1))) oldest--;
    expect(1_000 - oldest).toBeGreaterThan(stage.index.entries / 2);
    const replay = new Replay(stage, oldest - 1, new Set([0]), () => true);
    expect(replay.isLate).toBe(false);
    expect(seqsOf(stage, replay)).toHaveLength(1_001 - oldest);
  });

  it('is late before the index forgets what it has not come to, and loses nothing uncounted if it gives up then', () => {
    const stage = new DeliveryStage();
    stage.tell('t', 'A', 1);
    const replay = new Replay(stage, 0, new Set([0]), () => true);
    while (!replay.isLate) stage.tell('t', 'A', 1);
    expect(stage.table.seq).toBeLessThan(stage.index.entries);
    expect(replay.giveUp()).toBe('gaps');
    expect(replay.gaps[0]).toMatchObject({ fromSeq: 1, count: replay.gaps[0]!.toSeq });
  });

  it('says that nothing can be said any more where the index has forgotten', () => {
    const stage = new DeliveryStage();
    stage.tell('t', 'A', 1);
    const replay = new Replay(stage, 0, new Set([0]), () => true);
    for (let i = 0; i < 2 * stage.index.entries; i++) stage.tell('t', 'A', 1);
    expect(replay.step()).toBe('lost');
    expect(replay.giveUp()).toBe('lost');
  });

  it('has nothing to give up at its end', () => {
    const stage = new DeliveryStage();
    stage.tell('t', 'A', 1);
    const replay = new Replay(stage, 1, new Set([0]), () => true);
    expect([replay.isLate, replay.giveUp(), replay.step()]).toEqual([false, 'end', 'end']);
  });
});

/** seqs of the records up to the end. */
function seqsOf(stage: DeliveryStage, replay: Replay): number[] {
  const seqs: number[] = [];
  while (replay.step() === 'record') seqs.push(stage.history.seq);
  expect(replay.step()).toBe('end');
  return seqs;
}
