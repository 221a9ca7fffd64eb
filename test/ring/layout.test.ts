import { describe, expect, it } from 'vitest';
import {
  allocateRing,
  BOOK,
  CARRIED,
  DUE_AT,
  FRAME,
  FRAME_LENGTH_AT,
  INTENT_INDEX,
  KIND_AT,
  LENGTH_AT,
  ORDINAL_AT,
  PADDING,
  PAYLOAD_AT,
  POLICY_AT,
  PREV_SEQ_AT,
  PREVIOUS_AT,
  payloadBytesMax,
  RECEIVERS_MAX,
  RingViews,
  recordBytes,
  SEQ_AT,
  SLOT_AT,
  TAIL_INDEX,
  TOPIC_AT,
  waitingIndex,
} from '../../src/ring/layout.ts';

describe('ring layout', () => {
  it.each([
    [0, 65_536],
    [1, 65_536],
    [65_536, 65_536],
    [65_537, 131_072],
    [1_000_000, 1_048_576],
    [1_048_576, 1_048_576],
    [1_048_577, 2_097_152],
  ])('rounds a wanted size of %i bytes up to a capacity of %i', (bytes, capacity) => {
    expect(allocateRing(bytes).capacity).toBe(capacity);
  });

  it('keeps every power of two that the configuration allows as it is', () => {
    for (let power = 16; power <= 30; power++) expect(allocateRing(2 ** power).capacity).toBe(2 ** power);
  });

  it('gives words that different threads write 128 bytes each', () => {
    const words = [INTENT_INDEX * 8, TAIL_INDEX * 8];
    for (let receiver = 0; receiver < RECEIVERS_MAX; receiver++) words.push(waitingIndex(receiver) * 4);
    words.sort((a, b) => a - b);
    for (let i = 1; i < words.length; i++) expect(words[i]! - words[i - 1]!).toBeGreaterThanOrEqual(128);
    const { data } = new RingViews(allocateRing(0));
    expect(data.byteOffset - words.at(-1)!).toBeGreaterThanOrEqual(128);
  });

  it('has no waiting flag for a receiver beyond RECEIVERS_MAX', () => {
    expect(() => waitingIndex(RECEIVERS_MAX)).toThrow('RECEIVERS_MAX');
    expect(() => waitingIndex(-1)).toThrow('RECEIVERS_MAX');
  });

  it('refuses memory that has another size than its capacity says', () => {
    const { memory, capacity } = allocateRing(0);
    expect(() => new RingViews({ memory, capacity: capacity * 2 })).toThrow('size');
    expect(() => new RingViews({ memory, capacity: capacity - 8 })).toThrow('power of two');
  });

  it('views the data as exactly the capacity', () => {
    const ring = allocateRing(100_000);
    const { data } = new RingViews(ring);
    expect(data.length).toBe(ring.capacity);
    expect(data.byteOffset + data.length).toBe(ring.memory.byteLength);
  });

  it('puts the fields of a record one behind the other, each where its width allows, and ten bytes for a frame header', () => {
    const fields: [at: number, bytes: number][] = [
      [LENGTH_AT, 4],
      [KIND_AT, 4],
      [TOPIC_AT, 4],
      [SLOT_AT, 2],
      [POLICY_AT, 2],
      [SEQ_AT, 8],
      [DUE_AT, 8],
      [PREVIOUS_AT, 8],
      [FRAME_LENGTH_AT, 4],
      [ORDINAL_AT, 4],
      [PREV_SEQ_AT, 8],
    ];
    let end = 0;
    for (const [at, bytes] of fields) {
      expect(at).toBe(end);
      expect(at % bytes).toBe(0);
      end = at + bytes;
    }
    expect(PAYLOAD_AT - end).toBeGreaterThanOrEqual(10);
    expect(PAYLOAD_AT).toBe(72);
  });

  it('tells the kinds of record apart, and each from memory that nothing was written to', () => {
    expect(new Set([0, FRAME, PADDING, CARRIED, BOOK]).size).toBe(5);
  });

  it('makes records of the next multiple of 8 bytes that holds head and payload', () => {
    for (let payload = 0; payload < 300; payload++) {
      const bytes = recordBytes(payload);
      expect(bytes % 8).toBe(0);
      expect(bytes - PAYLOAD_AT - payload).toBeGreaterThanOrEqual(0);
      expect(bytes - PAYLOAD_AT - payload).toBeLessThan(8);
    }
    expect(recordBytes(256 * 1024 * 1024)).toBe(256 * 1024 * 1024 + PAYLOAD_AT);
  });

  it('lets four of the largest records fill the ring', () => {
    for (const capacity of [65_536, 2 ** 20, 2 ** 30]) {
      expect(recordBytes(payloadBytesMax(capacity)) * 4).toBe(capacity);
    }
  });
});
