import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY } from '../../src/delivery/delivery-policy.ts';
import type { Depth, Level } from '../../src/delivery/depth.ts';
import { OrderBook } from '../../src/delivery/order-book.ts';
import { BOOK, FRAME, NO_POSITION, recordBytes } from '../../src/ring/layout.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';
import { depth, NaiveBook } from '../support/depths.ts';
import { type DataFrame, FrameStage } from '../support/frame-stage.ts';
import { textsOf } from '../support/received-frames.ts';
import { seedOfRun } from '../support/seeded-random.ts';

const KIB = 1024;

describe('LatestKeeper, of books', () => {
  it('has each book whole in the ring after every publication, whatever its updates say', () => {
    const publications = fc.array(fc.tuple(fc.nat(3), depth, fc.nat(2_000)), { minLength: 60, maxLength: 100 });
    let carried = 0;
    const property = fc.property(publications, (depths) => {
      const stage = new FrameStage({ ringBytes: 64 * KIB });
      const books = new Map<string, NaiveBook>();
      for (const [n, data, padding] of depths) {
        const symbol = `S${n}`;
        const book = books.get(symbol) ?? new NaiveBook();
        books.set(symbol, book);
        publishDepth(stage, symbol, data);
        book.apply(data);
        stage.publish({ symbol: 'loud', data: 'x'.repeat(padding) });
        for (const { id, symbol: name, seq, policy } of stage.registry.all()) {
          if (policy !== BOOK_UPDATE) continue;
          const expected = books.get(name!)!;
          expect(stage.book(id)).toMatchObject({ seq, bids: expected.bids(), asks: expected.asks() });
        }
      }
      carried += stage.publisher.latestValues.carried;
      expect(stage.publisher.latestValues.forgotten).toBe(0);
    });
    fc.assert(property, { seed: seedOfRun('books'), numRuns: 20, interruptAfterTimeLimit: 8_000 });
    expect(carried).toBeGreaterThan(10);
  });

  it('has it whole at each step of the primary, as it was before or as it is then', () => {
    const stage = new FrameStage({ ringBytes: 1_024 * KIB });
    const book = new NaiveBook();
    const told = () => JSON.stringify([book.bids(), book.asks()]);
    let before = told();
    let after = told();
    const look = () => {
      const { bids, asks } = stage.book(0)!;
      const read = JSON.stringify([bids, asks]);
      if (read !== before && read !== after) throw new Error(`${read}, neither ${before} nor ${after}`);
    };
    for (let i = 0; i < 1_500; i++) {
      const asks: Level[] = [[i % 50, i % 5]];
      const depth = { bids: [], asks, isSnapshot: i % 700 === 0 };
      before = after;
      book.apply(depth);
      after = told();
      const publish = () => publishDepth(stage, 'A', depth, 'x'.repeat(i % 1_500));
      if (i === 0) publish();
      else withAtomicsHooks({ before: look, after: look }, publish);
      look();
    }
    expect(stage.publisher.latestValues.carried).toBeGreaterThan(10);
  });

  it('writes a key frame when the updates are longer than 64 KiB and than what they build on', () => {
    const stage = new FrameStage({ ringBytes: 4 * KIB * KIB });
    for (const levels of [1, 5_000]) {
      const symbol = `${levels}`;
      const bids = Array.from({ length: levels }, (_, i) => [levels - i, '1.00000000'] as const);
      publishDepth(stage, symbol, { bids, asks: [], isSnapshot: true });
      let base = recordBytes(stage.records()[0]!.frame.length);
      let since = 0;
      let keyFrames = 0;
      for (let i = 0; i < 600; i++) {
        publishDepth(
          stage,
          symbol,
          { bids: [[i % levels, `${i}`]], asks: [[i, 'x'.repeat(0) || 1]], isSnapshot: false },
          'x'.repeat(1_000),
        );
        const [update, keyFrame, ...more] = stage.records();
        expect(more).toEqual([]);
        since += recordBytes(update!.frame.length);
        const due = since > Math.max(64 * KIB, base);
        expect(keyFrame !== undefined).toBe(due);
        if (keyFrame === undefined) continue;
        keyFrames++;
        base = recordBytes(keyFrame.frame.length);
        since = 0;
      }
      expect(keyFrames).toBeGreaterThan(1);
    }
  });

  it('makes a key frame of the newest publication and the full book', () => {
    const stage = new FrameStage({ ringBytes: 4 * KIB * KIB });
    stage.publish({ ...DEPTH, data: { bids: [['1.5', '2']], asks: [], isSnapshot: true, u: 1 } }, 7.5);
    for (let i = 2; i <= 70; i++) {
      const data = { asks: [[100 + i, '3', 'id']], u: i, isSnapshot: false, pad: 'p'.repeat(1_000) };
      stage.publish({ ...DEPTH, timestamp: i, receivedAt: 5, x: { i }, data }, 7.5 + i, i % 2 === 0);
    }
    const records = stage.records();
    const keyFrame = records.find(({ kind }) => kind === BOOK)!;
    const update = records.find(({ kind, seq }) => kind === FRAME && seq === keyFrame.seq)!;
    const { frame, ...fields } = keyFrame;
    expect(fields).toEqual({
      ...update,
      frame: undefined,
      kind: BOOK,
      policy: BOOK_SNAPSHOT,
      previous: update.at,
      at: keyFrame.at,
    });
    const i = keyFrame.seq;
    const message = JSON.parse(textsOf(frame)[0]!) as DataFrame;
    expect(message).toStrictEqual({
      type: 'depth',
      payload: {
        ...DEPTH,
        timestamp: i,
        ...(i % 2 === 0 ? {} : { receivedAt: 5 }),
        x: { i },
        data: {
          asks: Array.from({ length: i - 1 }, (_, at) => [102 + at, '3', 'id']),
          u: i,
          isSnapshot: true,
          pad: 'p'.repeat(1_000),
          bids: [['1.5', '2']],
        },
      },
      timestamp: expect.any(Number),
      seq: i,
      prevSeq: i - 1,
    });
    // It stands for the topic's latest publication, and is none itself.
    expect(stage.announced).toBe(70);
    expect(stage.publisher.seq).toBe(70);
    expect(stage.publisher.latestValues).toEqual({ carried: 1, forgotten: 0 });
    const after = records.find(({ seq }) => seq === keyFrame.seq + 1)!;
    expect(after).toMatchObject({ kind: FRAME, previous: update.at, prevSeq: update.seq, ordinal: i + 1 });
    expect(stage.directory.book(0)).toBe(keyFrame.at);
  });

  it('moves a quiet book ahead as a key frame, with all that its updates have told', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    publishDepth(stage, 'quiet', { bids: [[1, 1]], asks: [], isSnapshot: true });
    publishDepth(stage, 'quiet', { bids: [[2, 1]], asks: [[3, 1]], isSnapshot: false });
    publishDepth(stage, 'quiet', { bids: [[1, 0]], asks: [], isSnapshot: false });
    for (let i = 0; i < 1_500; i++) {
      stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
      expect(stage.book(0)).toMatchObject({ seq: 3, bids: [[2, 1]], asks: [[3, 1]] });
    }
    expect(stage.latest(0)).toMatchObject({ kind: BOOK, seq: 3, prevSeq: 2, ordinal: 3, policy: BOOK_SNAPSHOT });
    expect(stage.directory.latest(0)).toBe(stage.directory.book(0));
  });

  it('builds a book that was never told whole of what was told', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    publishDepth(stage, 'A', { bids: [[1, 1]], asks: [], isSnapshot: false });
    publishDepth(stage, 'A', { bids: [[1, 0]], asks: [[5, 1]], isSnapshot: false });
    expect(stage.records().map(({ policy }) => policy)).toEqual([BOOK_UPDATE, BOOK_UPDATE]);
    expect(stage.directory.book(0)).toBe(0);
    for (let i = 0; i < 300; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
    expect(stage.latest(0)).toMatchObject({ kind: BOOK, seq: 2 });
    expect(stage.book(0)).toMatchObject({ seq: 2, bids: [], asks: [[5, 1]] });
  });

  it('takes a depth publication that is no book for one that changes none', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    publishDepth(stage, 'A', { bids: [[1, 1]], asks: [], isSnapshot: true });
    for (const data of [{ bids: 'none' }, null, [[1, 2]], { asks: [['x', 1]] }])
      stage.publish({ ...DEPTH, symbol: 'A', data });
    expect(stage.records().map(({ policy }) => policy)).toEqual([BOOK_SNAPSHOT, EVERY, EVERY, EVERY, EVERY]);
    expect(stage.latest(0)).toMatchObject({ kind: FRAME, seq: 5 });
    expect(stage.book(0)).toMatchObject({ seq: 5, bids: [[1, 1]], asks: [] });
    for (let i = 0; i < 300; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
    expect(stage.book(0)).toMatchObject({ seq: 5, bids: [[1, 1]], asks: [] });
    expect(stage.latest(0)).toMatchObject({ kind: BOOK, seq: 5, prevSeq: 4, ordinal: 5 });
  });

  it('keeps the latest publication of a topic that has never had a book', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    stage.publish({ ...DEPTH, data: 'no book' });
    const [text] = stage.texts();
    for (let i = 0; i < 500; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
    expect(stage.latestText(0)).toBe(text);
    expect(stage.directory.book(0)).toBe(NO_POSITION);
  });
});

describe('LatestKeeper, short of room for books', () => {
  it('begins a book that it has forgotten anew only with a whole one', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB, payloadBytesMax: 2_000 });
    const levels = (from: number) => Array.from({ length: 40 }, (_, i) => [from + i, '1.00000000'] as const);
    publishDepth(stage, 'A', { bids: levels(1_000), asks: [], isSnapshot: true });
    publishDepth(stage, 'A', { bids: levels(2_000), asks: levels(9_000), isSnapshot: false });
    const loud = () => {
      for (let i = 0; i < 300; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
    };
    loud();
    expect(stage.publisher.latestValues.forgotten).toBe(1);
    expect([stage.latest(0), stage.book(0)]).toEqual([undefined, undefined]);
    stage.records();

    publishDepth(stage, 'A', { bids: [[1, 1]], asks: [], isSnapshot: false });
    const [update] = stage.records();
    expect(update).toMatchObject({ policy: BOOK_UPDATE, ordinal: 3, prevSeq: 2 });
    expect(stage.latest(0)).toEqual(update);
    expect(stage.directory.book(0)).toBe(NO_POSITION);
    loud();
    // As a publication, which it is, and not as the book, which it is not.
    expect(stage.latest(0)).toMatchObject({ seq: update!.seq, frame: update!.frame });
    expect(stage.directory.book(0)).toBe(NO_POSITION);

    publishDepth(stage, 'A', { bids: [[5, 1]], asks: [], isSnapshot: true });
    publishDepth(stage, 'A', { bids: [[6, 1]], asks: [], isSnapshot: false });
    const { seq } = stage.publisher;
    expect(stage.book(0)).toMatchObject({
      seq,
      bids: [
        [6, 1],
        [5, 1],
      ],
      asks: [],
    });
    loud();
    expect(stage.book(0)).toMatchObject({
      seq,
      bids: [
        [6, 1],
        [5, 1],
      ],
      asks: [],
    });
    expect(stage.publisher.latestValues.forgotten).toBe(1);
  });

  it('keeps a quarter of the ring, however much larger key frames are than what they replace', () => {
    const ringBytes = 1_024 * KIB;
    const stage = new FrameStage({ ringBytes, topicsMax: 500 });
    const topics = 200;
    const publish = (topic: number, from: number, levels: number) => {
      const bids = Array.from({ length: levels }, (_, i) => [from + i, '1.00000000'] as const);
      publishDepth(stage, `S${topic}`, { bids, asks: [], isSnapshot: false });
    };
    for (let topic = 0; topic < topics; topic++) publish(topic, 0, 1);
    for (let topic = 0; topic < topics; topic++) publish(topic, 1, 200);
    let keptMost = 0;
    let wroteMost = 0;
    for (let i = 0; i < 1_000; i++) {
      const { tail } = stage.receiver;
      stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
      wroteMost = Math.max(wroteMost, stage.receiver.tail - tail);
      let kept = 0;
      for (const { id } of stage.registry.all()) kept += valueBytes(stage, id);
      keptMost = Math.max(keptMost, kept);
    }
    const keyFrame = 5 * KIB;
    expect(keptMost).toBeLessThanOrEqual(ringBytes / 4 + keyFrame);
    expect(keptMost).toBeGreaterThan(ringBytes / 4 - 2 * keyFrame);
    expect(wroteMost).toBeLessThanOrEqual(ringBytes / 4 + keyFrame);
    expect(stage.publisher.latestValues.forgotten).toBeGreaterThan(topics / 2);
    expect(stage.publisher.latestValues.forgotten).toBeLessThan(topics);
  });

  it('does not build a book again for each update, where it is too large to be written', () => {
    const stage = new FrameStage({ ringBytes: 4 * KIB * KIB, payloadBytesMax: 60_000 });
    const built = vi.spyOn(OrderBook.prototype, 'bids');
    const updates = 1_500;
    for (let i = 0; i < updates; i++) {
      publishDepth(stage, 'A', {
        bids: Array.from({ length: 5 }, (_, at) => [5 * i + at, '1.00000000'] as const),
        asks: [],
        isSnapshot: i === 0,
      });
    }
    // Once for every 64 KiB of updates.
    expect(stage.publisher.bytes).toBeGreaterThan(3 * 64 * KIB);
    expect(built.mock.calls.length).toBeGreaterThan(0);
    expect(built.mock.calls.length).toBeLessThanOrEqual(stage.publisher.bytes / (32 * KIB));
    built.mockRestore();
    expect(stage.book(0)?.bids).toHaveLength(5 * updates);
  });
});

const DEPTH = { type: 'depth', exchange: 'binance', symbol: 'BTCUSDT' };

function publishDepth(stage: FrameStage, symbol: string, data: Depth, pad = ''): void {
  stage.publish({ ...DEPTH, symbol, data: { ...data, pad } });
}

/** Bytes of the record that the topic's latest value has, or is built up from. */
function valueBytes(stage: FrameStage, topic: number): number {
  const { history, directory } = stage;
  const book = directory.book(topic);
  const position = book === NO_POSITION ? directory.latest(topic) : book;
  return history.readAt(position) ? recordBytes(history.frameEnd - history.frameStart) : 0;
}
