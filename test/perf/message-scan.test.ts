import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyTail,
  type FrameTail,
  findTimestampUs,
  keyBytes,
  readGap,
  readTail,
} from '../../perf/load/message-scan.ts';

const SEED = 20_260_102;
const TS = keyBytes('ts');

function timestampIn(text: string, from = 0, to = Buffer.byteLength(text)): number {
  return findTimestampUs(Buffer.from(text), from, to, TS);
}

function tailOf(text: string): FrameTail | undefined {
  const tail = emptyTail();
  return readTail(Buffer.from(text), 0, Buffer.byteLength(text), tail) ? tail : undefined;
}

describe('findTimestampUs', () => {
  it('reads microseconds', () => {
    expect(timestampIn('{"type":"trade","payload":{"data":{"ts":1764000000123456,"id":"1"}}}')).toBe(
      1_764_000_000_123_456,
    );
  });

  it('takes 13 digits for milliseconds', () => {
    expect(timestampIn('{"ts":1764000000123}')).toBe(1_764_000_000_123_000);
  });

  it('takes the first of several', () => {
    expect(timestampIn('{"ts":1764000000000001,"ts":1764000000000002}')).toBe(1_764_000_000_000_001);
  });

  it('does not take a longer key or a string for it', () => {
    expect(timestampIn('{"bits":1764000000000001,"tsx":1764000000000002}')).toBe(-1);
    expect(timestampIn('{"ts":"1764000000000001"}')).toBe(-1);
  });

  it('refuses what is no time, or is cut off', () => {
    const text = '{"ts":1764000000123456}';
    expect(timestampIn('{"ts":12345}')).toBe(-1);
    expect(timestampIn(text, 0, text.length - 1)).toBe(-1);
    expect(timestampIn(text, 0, text.length - 5)).toBe(-1);
    expect(timestampIn('{"id":1}')).toBe(-1);
    expect(timestampIn('')).toBe(-1);
  });

  it('looks between its bounds only', () => {
    const text = '{"ts":1764000000000001}{"ts":1764000000000002}';
    expect(timestampIn(text, 5)).toBe(1_764_000_000_000_002);
    expect(timestampIn(text, 5, 30)).toBe(-1);
  });

  it('agrees with JSON.parse about any message', () => {
    const property = fc.property(
      fc.integer({ min: 1e15, max: 9e15 }),
      fc.string(),
      fc.string(),
      (ts, before, after) => {
        const text = JSON.stringify({ before: before.replaceAll('ts', ''), ts, after });
        expect(timestampIn(text)).toBe(ts);
      },
    );
    fc.assert(property, { seed: SEED });
  });
});

describe('readTail', () => {
  it('reads seq and prevSeq', () => {
    expect(tailOf('{"type":"trade","payload":{"seq":5},"timestamp":1,"seq":42,"prevSeq":41}')).toEqual({
      ...emptyTail(),
      seq: 42,
      prevSeq: 41,
    });
    expect(tailOf('{"a":1,"seq":9007199254740991,"prevSeq":0}')?.seq).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    ['"merged":7', { merged: 7 }],
    ['"snapshot":true', { isSnapshot: true }],
    ['"resumeSeq":40', { resumeSeq: 40 }],
    ['"merged":7,"resumeSeq":40', { merged: 7, resumeSeq: 40 }],
    ['"merged":7,"snapshot":true,"resumeSeq":40', { merged: 7, isSnapshot: true, resumeSeq: 40 }],
  ])('reads %s behind them', (more, expected) => {
    expect(tailOf(`{"a":1,"seq":42,"prevSeq":41,${more}}`)).toEqual({
      ...emptyTail(),
      seq: 42,
      prevSeq: 41,
      ...expected,
    });
  });

  it('keeps nothing of what was read before', () => {
    const tail = emptyTail();
    const texts = [
      '{"a":1,"seq":42,"prevSeq":41,"merged":7,"snapshot":true,"resumeSeq":40}',
      '{"a":1,"seq":2,"prevSeq":1}',
    ];
    for (const text of texts) expect(readTail(Buffer.from(text), 0, text.length, tail)).toBe(true);
    expect(tail).toEqual({ ...emptyTail(), seq: 2, prevSeq: 1 });
  });

  it.each([
    ['', 'an empty message'],
    ['{"type":"pong","payload":{},"timestamp":1}', 'a reply'],
    ['{"seq":42,"prevSeq":41,"more":1}', 'other fields behind them'],
    ['{"a":1,"seq":42,"prevSeq":41,"resumeSeq":40,"merged":7}', 'another order'],
    ['{"a":1,"seq":42,"prevSeq":41,"snapshot":false}', 'another value'],
    ['{"a":1,"seq":42}', 'no prevSeq'],
    ['{"a":1,"seq":42,"merged":7}', 'no prevSeq before merged'],
    ['{"a":1,"seq":,"prevSeq":41}', 'no digits'],
    ['{"a":1,"seq":42,"prevSeq":}', 'no digits of prevSeq'],
    ['{"a":1,"seq":42,"prevSeq":41,"merged":}', 'no digits of merged'],
    ['{"a":1,"seq":-42,"prevSeq":41}', 'a negative number'],
    ['42,"prevSeq":41}', 'a message cut off in front'],
  ])('finds none in %j: %s', (text) => {
    expect(tailOf(text)).toBeUndefined();
  });

  it('agrees with JSON.parse about any data frame', () => {
    const numbers = fc.record(
      { seq: fc.maxSafeNat(), prevSeq: fc.maxSafeNat(), merged: fc.integer({ min: 1 }), resumeSeq: fc.maxSafeNat() },
      { requiredKeys: ['seq', 'prevSeq'] },
    );
    const property = fc.property(
      fc.anything(),
      numbers,
      fc.boolean(),
      (payload, { seq, prevSeq, ...more }, isSnapshot) => {
        const text = JSON.stringify({
          payload: String(payload),
          seq,
          prevSeq,
          merged: more.merged,
          snapshot: isSnapshot || undefined,
          resumeSeq: more.resumeSeq,
        });
        expect(tailOf(text)).toEqual({ ...emptyTail(), seq, prevSeq, ...more, isSnapshot });
      },
    );
    fc.assert(property, { seed: SEED });
  });
});

describe('readGap', () => {
  const gapIn = (text: string) => readGap(Buffer.from(text), 0, Buffer.byteLength(text));

  it('reads how much will not come, and why', () => {
    const payload = { exchange: 'binance', symbol: 'SYM1', dataType: 'trade', fromSeq: 3, toSeq: 9, count: 4 };
    const text = JSON.stringify({ type: 'gap', payload: { ...payload, reason: 'slow_consumer' }, timestamp: 1 });
    expect(gapIn(text)).toEqual({ toSeq: 9, count: 4, reason: 'slow_consumer' });
  });

  it.each(['', '{"type":"gap"}', '{"type":"gap","payload":{"toSeq":"9","count":4}}', '{"type":"gap","payload":{"toS'])(
    'reads nothing from %j',
    (text) => {
      expect(gapIn(text)).toBeUndefined();
    },
  );
});
