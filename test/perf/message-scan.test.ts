import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSequence, findTimestampUs, keyBytes } from '../../perf/load/message-scan.ts';

const SEED = 20_260_102;
const TS = keyBytes('ts');

function timestampIn(text: string, from = 0, to = Buffer.byteLength(text)): number {
  return findTimestampUs(Buffer.from(text), from, to, TS);
}

function sequenceIn(text: string): number {
  return findSequence(Buffer.from(text), 0, Buffer.byteLength(text));
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

describe('findSequence', () => {
  it('reads the seq that stands last but one', () => {
    expect(sequenceIn('{"type":"trade","payload":{"seq":5},"timestamp":1,"seq":42,"prevSeq":41}')).toBe(42);
    expect(sequenceIn('{"a":1,"seq":9007199254740991,"prevSeq":0}')).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    ['', 'an empty message'],
    ['{"type":"pong","payload":{},"timestamp":1}', 'a reply'],
    ['{"seq":42,"prevSeq":41,"more":1}', 'other fields behind them'],
    ['{"a":1,"seq":42}', 'no prevSeq'],
    ['{"a":1,"seq":,"prevSeq":41}', 'no digits'],
    ['{"a":1,"seq":42,"prevSeq":}', 'no digits of prevSeq'],
    ['{"a":1,"seq":-42,"prevSeq":41}', 'a negative number'],
    ['42,"prevSeq":41}', 'a message cut off in front'],
  ])('finds none in %j: %s', (text) => {
    expect(sequenceIn(text)).toBe(-1);
  });

  it('agrees with JSON.parse about any data frame', () => {
    const property = fc.property(fc.anything(), fc.maxSafeNat(), fc.maxSafeNat(), (payload, seq, prevSeq) => {
      expect(sequenceIn(`{"payload":${JSON.stringify(String(payload))},"seq":${seq},"prevSeq":${prevSeq}}`)).toBe(seq);
    });
    fc.assert(property, { seed: SEED });
  });
});
