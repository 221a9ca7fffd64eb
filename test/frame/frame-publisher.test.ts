import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY, LATEST } from '../../src/delivery/delivery-policy.ts';
import { FRAME, NO_POSITION, payloadBytesMax } from '../../src/ring/layout.ts';
import { dataTypeSlot } from '../../src/telemetry/statistics-block.ts';
import { FrameStage } from '../support/frame-stage.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';
import { decodeAsClient } from '../support/ws-codec.ts';

const TRADE = {
  exchange: 'binance',
  symbol: 'BTCUSDT',
  type: 'trade',
  timestamp: 1_700_000_000_000,
  data: { price: 1.5 },
};
const KIB = 1024;

describe('FramePublisher', () => {
  it('makes one frame of a publication: type, payload, timestamp, and the numbering last', () => {
    const stage = new FrameStage();
    const before = Date.now();
    stage.publish(TRADE);
    const [text] = stage.texts();
    const { timestamp } = JSON.parse(text!) as { timestamp: number };
    expect(text).toBe(
      '{"type":"trade","payload":{"type":"trade","exchange":"binance","symbol":"BTCUSDT",' +
        '"timestamp":1700000000000,"data":{"price":1.5}},' +
        `"timestamp":${timestamp},"seq":1,"prevSeq":0}`,
    );
    expect(timestamp).toBeGreaterThanOrEqual(before);
    expect(timestamp).toBeLessThanOrEqual(Date.now());
  });

  it('carries every JSON object as it is (T31)', () => {
    const seed = seedOfRun('frame publisher');
    const stage = new FrameStage({ ringBytes: 4 * KIB * KIB, topicsMax: 20_000 });
    const name = fc.oneof(fc.constantFrom('binance', 'trade', 'kline', '__proto__', ''), fc.jsonValue());
    const publications = fc
      .tuple(
        fc.record(
          { exchange: name, symbol: name, type: name, timestamp: fc.jsonValue(), data: fc.jsonValue() },
          { requiredKeys: [] },
        ),
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }),
      )
      .map(([known, unknown]) => ({ ...unknown, ...known }));
    let seq = 0;
    const property = fc.property(publications, (publication) => {
      const frame = stage.frameOf(publication);
      seq++;
      const { type } = publication;
      expect(frame).toStrictEqual({
        type: typeof type === 'string' ? type : 'data',
        payload: JSON.parse(JSON.stringify(publication)),
        timestamp: expect.any(Number),
        seq,
        prevSeq: expect.any(Number),
      });
      expect(frame.prevSeq).toBeLessThan(seq);
    });
    fc.assert(property, { seed, numRuns: 2_000, interruptAfterTimeLimit: 5_000, markInterruptAsFailure: false });
    expect(seq).toBeGreaterThan(0);
  });

  it.each([
    ['nothing at all', {}],
    ['only data', { data: 1 }],
    ['data of null', { ...TRADE, data: null }],
    ['no data', { exchange: 'x', symbol: 'Y', type: 'trade' }],
    ['data that is an array', { ...TRADE, data: [1, 2, 3] }],
    ['an unknown type', { ...TRADE, type: 'liquidation' }],
    ['unknown keys', { ...TRADE, 日: { x: [null] }, latency: 3 }],
    ['an exchange and a symbol that are no strings', { exchange: 5, symbol: ['Y'], type: 'trade' }],
    ['a null for every name', { exchange: null, symbol: null, type: null, data: 1 }],
    ['names with quotes, breaks and lone surrogates', { exchange: '"}', symbol: '\n\\', type: '\ud800', data: 1 }],
    ['a key of __proto__', JSON.parse('{"__proto__":{"x":1},"type":"trade"}')],
    ['a body of 100 KB', { ...TRADE, data: { text: 'x'.repeat(100_000) } }],
    ['a body of 100 KB in which each character takes three bytes', { ...TRADE, data: '日'.repeat(34_000) }],
  ])('carries %s', (_name, publication) => {
    const frame = new FrameStage().frameOf(publication);
    expect(frame.payload).toStrictEqual(publication);
    expect(frame.type).toBe(typeof publication.type === 'string' ? publication.type : 'data');
  });

  it('gives frames that a ws client reads, of every size', async () => {
    const stage = new FrameStage({ ringBytes: 16 * KIB * KIB });
    const sizes = [0, 1, 10, 20, 30, 40, 50, 65_380, 65_400, 65_420, 65_536, 100_000, 1_048_000];
    for (const bytes of sizes) stage.publish({ data: 'x'.repeat(bytes) });
    const bytes = Buffer.concat(stage.records().map(({ frame }) => frame));
    expect(bytes.length).toBe(stage.publisher.bytes);
    const texts = await decodeAsClient(bytes, sizes.length);
    const dataOf = (text: string) => (JSON.parse(text) as { payload: { data: string } }).payload.data;
    expect(texts.map((text) => dataOf(text).length)).toEqual(sizes);
  });

  it('adds the fields that older front ends look for to the payload', () => {
    const stage = new FrameStage({ hoists: true });
    const { payload } = stage.frameOf({ type: 'trade', data: { price: 2, quantity: 3, side: 'buy' } });
    expect(payload).toMatchObject({ price: '2', volume: '3', side: 'buy' });
  });

  it('does not send a receivedAt that the gateway added', () => {
    const stage = new FrameStage();
    stage.publish({ ...TRADE, receivedAt: 7 }, 1, true);
    stage.publish({ ...TRADE, receivedAt: 7 }, 1, false);
    expect(stage.frames().map(({ payload }) => payload.receivedAt)).toEqual([undefined, 7]);
  });

  it('fills the record for the shards: topic, slot, due time, place of the record before', () => {
    const stage = new FrameStage();
    const ticker = { ...TRADE, type: 'ticker' };
    for (const [i, publication] of [TRADE, ticker, TRADE, TRADE].entries()) stage.publish(publication, 1_000.5 + i);
    const records = stage.records();
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(records.map(({ topic }) => topic)).toEqual([0, 1, 0, 0]);
    expect(records.map(({ dueUs }) => dueUs)).toEqual([1_000.5, 1_001.5, 1_002.5, 1_003.5]);
    expect(records.map(({ slot }) => slot)).toEqual(['trade', 'ticker', 'trade', 'trade'].map(dataTypeSlot));
    expect(records.map(({ previous }) => previous).slice(0, 3)).toEqual([NO_POSITION, NO_POSITION, 0]);
    const { receiver } = stage;
    expect(receiver.readAt(records[3]!.previous)).toBe(true);
    expect(receiver.seq).toBe(3);
    expect(receiver.readAt(stage.directory.latest(0))).toBe(true);
    expect(receiver.seq).toBe(4);
    expect(stage.announced).toBe(4);
  });

  it('announces a publication when it stands in the ring, once', () => {
    const waiting: boolean[] = [];
    const stage: FrameStage = new FrameStage({ published: () => waiting.push(!stage.receiver.drained) });
    stage.publish(TRADE);
    expect(waiting).toEqual([true]);
  });

  it('chains each topic by prevSeq, and numbers all of them together', () => {
    const seed = seedOfRun('prevSeq chains');
    const random = new SeededRandom(seed);
    const stage = new FrameStage({ ringBytes: 8 * KIB * KIB });
    const last = new Map<string, number>();
    const expected: [string, number, number][] = [];
    for (let seq = 1; seq <= 2_000; seq++) {
      const symbol = `S${random.below(20)}`;
      stage.publish({ ...TRADE, symbol });
      expected.push([symbol, seq, last.get(symbol) ?? 0]);
      last.set(symbol, seq);
    }
    const chains = stage.frames().map(({ payload, seq, prevSeq }) => [payload.symbol, seq, prevSeq]);
    expect(chains).toEqual(expected);
  });

  it('sends klines of all intervals as kline, each interval with a chain of its own (T35)', () => {
    const stage = new FrameStage();
    const intervals = ['1m', '5m', '1m', '1M', '5m', '1m'];
    for (const interval of intervals) stage.publish({ exchange: 'x', symbol: 'Y', type: 'kline', data: { interval } });
    const frames = stage.frames();
    expect(frames.map(({ type, payload }) => [type, payload.type])).toEqual(Array(6).fill(['kline', 'kline']));
    expect(frames.map(({ payload }) => (payload.data as { interval: string }).interval)).toEqual(intervals);
    expect(frames.map(({ prevSeq }) => prevSeq)).toEqual([0, 0, 1, 0, 2, 3]);
  });

  it('tells in each record how it may be conflated', () => {
    const stage = new FrameStage();
    const book = { bids: [[1, 2]], asks: [] };
    const expected: [object, number][] = [
      [{ type: 'trade' }, EVERY],
      [{ type: 'ticker' }, LATEST],
      [{ type: 'kline' }, LATEST],
      [{ type: 'kline', data: { interval: '1m' } }, LATEST],
      [{ type: 'depth', data: book }, BOOK_UPDATE],
      [{ type: 'depth', data: { ...book, isSnapshot: true } }, BOOK_SNAPSHOT],
      [{ type: 'depth', data: { ...book, isSnapshot: 'yes' } }, BOOK_UPDATE],
      [{ type: 'depth', data: { bids: 'none' } }, EVERY],
      [{ type: 'depth' }, EVERY],
      [{ type: 'trade', data: { ...book, isSnapshot: true } }, EVERY],
      [{ type: 'ticker', data: { ...book, isSnapshot: true } }, LATEST],
      [{ data: book }, EVERY],
    ];
    for (const [publication] of expected) stage.publish(publication);
    expect(stage.records().map(({ policy }) => policy)).toEqual(expected.map(([, policy]) => policy));
  });

  it('counts the publications of each topic, and tells which one was before', () => {
    const seed = seedOfRun('ordinals');
    const random = new SeededRandom(seed);
    const stage = new FrameStage({ ringBytes: 256 * KIB });
    const published = new Map<string, number[]>();
    for (let seq = 1; seq <= 3_000; seq++) {
      // From one in five down to one in three hundred.
      const symbol = `S${Math.floor(random.below(1_000) ** 3 / 1e7)}`;
      stage.publish({ symbol, data: 'x'.repeat(random.below(200)) });
      const seqs = published.get(symbol) ?? [];
      published.set(symbol, [...seqs, seq]);
      const publications = stage.records().filter(({ kind }) => kind === FRAME);
      expect(publications).toMatchObject([{ seq, ordinal: seqs.length + 1, prevSeq: seqs.at(-1) ?? 0 }]);
    }
    expect(stage.publisher.latestValues.carried).toBeGreaterThan(0);
  });

  it('puts each publication into the index under its number, when it stands in the ring', () => {
    const newest: [number, number, number][] = [];
    const stage: FrameStage = new FrameStage({
      ringBytes: 64 * KIB,
      published: () => newest.push([stage.index.newest(), stage.index.topic(newest.length + 1), stage.publisher.seq]),
    });
    const positions: number[] = [];
    for (let seq = 1; seq <= 600; seq++) {
      stage.publish({ symbol: `S${seq % 7}`, data: 'x'.repeat(seq) });
      for (const { kind, at } of stage.records()) if (kind === FRAME) positions.push(at);
      expect(stage.index.position(seq)).toBe(positions.at(-1));
    }
    expect(newest).toEqual(
      Array.from({ length: 600 }, (_, i) => [i + 1, (i + 1) % 7 === 0 ? 6 : ((i + 1) % 7) - 1, i + 1]),
    );
  });
});

describe('FramePublisher, refusing', () => {
  const circle: { self?: object } = {};
  circle.self = circle;
  const refusals: [string, string, object][] = [
    ['a circle', 'PUBLICATION_NOT_SERIALISABLE', { ...TRADE, data: circle }],
    ['a BigInt', 'PUBLICATION_NOT_SERIALISABLE', { ...TRADE, data: { id: 1n } }],
    ['a throwing toJSON', 'PUBLICATION_NOT_SERIALISABLE', { ...TRADE, x: { toJSON: () => JSON.parse('{') } }],
    ['one byte over the limit', 'PUBLICATION_TOO_LARGE', sized(10_001)],
    ['one byte over the limit in characters of three', 'PUBLICATION_TOO_LARGE', sized(10_001, '日')],
    ['a topic too many', 'TOPIC_LIMIT_REACHED', { symbol: 'third' }],
    ['a name too long', 'TOPIC_LIMIT_REACHED', { symbol: 'x'.repeat(5_000) }],
  ];

  it.each(refusals)(
    '%s publishes nothing, and the next one goes through without a hole',
    (_name, code, publication) => {
      const stage = new FrameStage({ topicsMax: 2, payloadBytesMax: 10_000 });
      stage.publish(TRADE);
      stage.publish({ symbol: 'second' });
      expect(() => stage.publish(publication)).toThrow(expect.objectContaining({ code }));
      expect(stage.publisher.seq).toBe(2);
      expect(stage.announced).toBe(2);
      expect(stage.index.newest()).toBe(2);
      expect([stage.latest(0)?.seq, stage.latest(1)?.seq]).toEqual([1, 2]);
      stage.publish(TRADE);
      expect(stage.latest(0)).toMatchObject({ seq: 3, ordinal: 2, prevSeq: 1 });
      expect(stage.frames().map(({ seq, prevSeq }) => [seq, prevSeq])).toEqual([
        [1, 0],
        [2, 0],
        [3, 1],
      ]);
    },
  );

  it('publishes nothing that would have to be merged, and changes no book', () => {
    const stage = new FrameStage({ payloadBytesMax: 1_000 });
    const depth = (data: object) => stage.publish({ type: 'depth', symbol: 'A', data });
    depth({ bids: [[1, 1]], isSnapshot: true });
    expect(() => depth({ bids: [[2, 2, 'x'.repeat(1_000)]] })).toThrow('allowed are 1000');
    expect(() => depth({ bids: [[3, 3, 1n]] })).toThrow('BigInt');
    depth({ asks: [[9, 9]] });
    expect(stage.book(0)).toMatchObject({ seq: 2, bids: [[1, 1]], asks: [[9, 9]] });
  });

  it('takes exactly the limit, which counts the fields in bytes', () => {
    const stage = new FrameStage({ payloadBytesMax: 10_000 });
    expect(stage.frameOf(sized(10_000)).payload).toEqual(sized(10_000));
    expect(stage.frameOf(sized(10_000, '日')).payload).toEqual(sized(10_000, '日'));
  });

  it('tells how large it was and what is allowed', () => {
    const stage = new FrameStage({ payloadBytesMax: 10_000 });
    const detail = { bytes: 10_001, allowed: 10_000 };
    expect(() => stage.publish(sized(10_001))).toThrow(expect.objectContaining({ detail }));
  });

  it('takes as much as the ring does where there is no limit, whole', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    const max = payloadBytesMax(64 * KIB) - 4_096;
    const name = 'n'.repeat(1_000);
    for (const character of ['x', '日']) {
      const publication = { ...sized(max, character), type: name };
      expect(stage.frameOf(publication).payload).toEqual(publication);
      expect(() => stage.publish(sized(max + 1, character))).toThrow(
        expect.objectContaining({ code: 'PUBLICATION_TOO_LARGE' }),
      );
    }
    expect(stage.receiver.lapped).toBe(0);
  });
});

/** A publication whose fields take this many bytes of JSON, as the limit counts them. */
function sized(bytes: number, character = 'x'): { data: string } {
  const text = bytes - ',"data":""'.length;
  const width = Buffer.byteLength(character);
  return { data: character.repeat(Math.floor(text / width)) + 'x'.repeat(text % width) };
}
