import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DataFrame, topicOf } from '../../perf/truth/wire-message.ts';
import { type Depth, readDepth } from '../../src/delivery/depth.ts';
import { SNAPSHOT_TAIL } from '../../src/delivery/latest-values.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';
import { depth, NaiveBook } from '../support/depths.ts';
import { textsOf } from '../support/received-frames.ts';

const TOPICS = ['depth A', 'depth B', 'ticker A', 'trade A'];

type Step =
  | { do: 'publish'; topic: number; depth: Depth; isOdd: boolean; bytes: number }
  /** Other publications, this part of the ring. */
  | { do: 'fill'; part: number }
  | { do: 'read' }
  | { do: 'look'; topic: number }
  /** Keeps in mind where a value stands, to look for it later. */
  | { do: 'ask'; topic: number }
  | { do: 'trim' };

const topic = fc.nat(TOPICS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      topic,
      depth,
      isOdd: fc.nat(7).map((dice) => dice === 0),
      bytes: fc.constantFrom(0, 0, 300, 1_500),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fill' as const), part: fc.constantFrom(0.05, 0.2, 0.4) }) },
  { weight: 6, arbitrary: fc.constant<Step>({ do: 'read' }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('look' as const), topic }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ask' as const), topic }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'trim' }) },
);

interface Published {
  seq: number;
  data: unknown;
}

/** So far ahead of the writer values are moved: a shard that is further behind finds those that it has not come to yet. */
const BEHIND_MAX = 1 / 16;

/** Latest values over a small ring, and beside them a list of all that was published. */
class ValuesAndList {
  readonly #stage = new DeliveryStage();
  readonly #published = TOPICS.map((): Published[] => []);
  readonly #asked: { topic: number; seq: number; at: number }[] = [];

  take(next: Step): void {
    switch (next.do) {
      case 'publish':
        return this.#publish(next);
      case 'fill':
        return this.#fill(next.part);
      case 'read':
        return this.#read();
      case 'look':
        return this.#look(next.topic);
      case 'trim':
        return this.#stage.values.trim();
      case 'ask': {
        const id = this.#id(next.topic);
        if (id === undefined) return;
        const { table } = this.#stage;
        this.#asked.push({ topic: next.topic, seq: table.lastSeq(id), at: table.latestAt(id) });
      }
    }
  }

  /** Everything that was asked for is looked at once more. */
  end(): void {
    for (const topic of TOPICS.keys()) this.#look(topic);
    this.#read();
    for (const topic of TOPICS.keys()) this.#look(topic);
    for (const { topic, seq, at } of this.#asked) {
      const bytes = this.#stage.values.snapshotAt(this.#id(topic)!, seq, at);
      if (bytes !== undefined) this.#check(topic, bytes, seq);
    }
  }

  #publish({ topic, depth, isOdd, bytes }: Extract<Step, { do: 'publish' }>): void {
    const [type, symbol] = TOPICS[topic]!.split(' ') as [string, string];
    const padding = bytes === 0 ? {} : { padding: 'x'.repeat(bytes) };
    const isBook = type === 'depth' && !isOdd;
    const data = isBook ? { ...depth, ...padding } : { n: this.#stage.publisher.seq, ...padding };
    const seq = this.#stage.publish(type, symbol, data);
    this.#published[topic]!.push({ seq, data: JSON.parse(JSON.stringify(data)) });
    this.#keepUp();
  }

  #fill(part: number): void {
    const { receiver, ring } = this.#stage;
    const from = receiver.tail;
    while (receiver.tail - from < part * ring.capacity) {
      this.#stage.publish('trade', 'FILLER', 'x'.repeat(300));
      this.#keepUp();
    }
  }

  /** A shard that was lapped reads in another way. */
  #keepUp(): void {
    const { receiver, ring } = this.#stage;
    if (receiver.tail - receiver.position > 0.6 * ring.capacity) this.#read();
  }

  #read(): void {
    this.#stage.read();
  }

  /** The value is as of what the shard has read, not of what has been published. */
  #look(topic: number): void {
    const { table, values, receiver, ring } = this.#stage;
    const id = this.#id(topic);
    if (id === undefined) return;
    const seq = table.lastSeq(id);
    const last = this.#readOf(topic).at(-1);
    expect(seq).toBe(last?.seq ?? 0);
    expect(values.wasPublished(id)).toBe(last !== undefined);
    const bytes = values.snapshotAt(id, seq, table.latestAt(id));
    if (last === undefined)
      return expect([bytes, values.payload(id), values.isKept(id)]).toEqual([undefined, undefined, false]);
    if (bytes !== undefined) this.#check(topic, bytes, seq);
    const isFarBehind = receiver.tail - receiver.position > BEHIND_MAX * ring.capacity;
    // What it has not read is kept in place of what it has.
    const hasMoved = this.#published[topic]!.at(-1) !== last;
    const hasBook = this.#readOf(topic).some(({ data }) => readDepth(data) !== undefined);
    if (!isFarBehind && !hasMoved) {
      expect(bytes, `${TOPICS[topic]} has a value`).toBeDefined();
      expect(values.isKept(id)).toBe(true);
      expect(values.bookLevels(id) !== undefined).toBe(TOPICS[topic]!.startsWith('depth') && hasBook);
    }
    if (bytes !== undefined) expect(values.payload(id)).toEqual(frameOf(bytes).payload);
  }

  #check(topic: number, bytes: Buffer, seq: number): void {
    const frame = frameOf(bytes);
    expect(frame).toMatchObject({ seq, prevSeq: 0, snapshot: true });
    expect(frame.merged).toBeUndefined();
    const [type, symbol] = TOPICS[topic]!.split(' ') as [string, string];
    expect(topicOf(frame)).toEqual({ exchange: 'binance', symbol, dataType: type });
    const upTo = this.#published[topic]!.filter((each) => each.seq <= seq);
    const books = upTo.filter(({ data }) => readDepth(data) !== undefined);
    const { data } = frame.payload;
    if (type !== 'depth' || books.length === 0) return expect(data).toEqual(upTo.at(-1)!.data);
    const book = new NaiveBook();
    for (const each of books) book.apply(readDepth(each.data)!);
    const rest = books.at(-1)!.data as object;
    expect(data).toEqual({ ...rest, bids: book.bids(), asks: book.asks(), isSnapshot: true });
    const levels = this.#stage.values.bookLevels(this.#id(topic)!);
    if (seq === this.#stage.table.lastSeq(this.#id(topic)!)) {
      expect(levels).toBe(book.bids().length + book.asks().length);
      const tail = { prevSeq: 3, merged: 2, resumeSeq: 1 };
      const merged = frameOf(this.#stage.values.fullBook(this.#id(topic)!, tail)!);
      expect(merged).toEqual({ ...frameOf(bytes), ...tail, snapshot: undefined });
    }
  }

  /** Publications of the topic that the shard has read. */
  #readOf(topic: number): Published[] {
    return this.#published[topic]!.filter(({ seq }) => seq <= this.#stage.table.seq);
  }

  /** Undefined before its first publication. */
  #id(topic: number): number | undefined {
    const [type, symbol] = TOPICS[topic]!.split(' ') as [string, string];
    return this.#stage.catalog.matching({ exchanges: [], symbols: [symbol], dataTypes: [type] })[0];
  }
}

function frameOf(bytes: Buffer): DataFrame {
  const texts = textsOf(bytes);
  expect(texts).toHaveLength(1);
  return JSON.parse(texts[0]!) as DataFrame;
}

describe('LatestValues', () => {
  it('are those of what the shard has read, whatever has been published, moved or overwritten since', () => {
    expect(SNAPSHOT_TAIL).toEqual({ prevSeq: 0, snapshot: true });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const both = new ValuesAndList();
        for (const each of steps) both.take(each);
        both.end();
      }),
      // What fails is soon read as it is, and takes long to be made smaller.
      { numRuns: 200, endOnFailure: true },
    );
  });
});
