import { describe, expect, it } from 'vitest';
import {
  allocateRing,
  DUE_AT,
  FRAME,
  FRAME_LENGTH_AT,
  KIND_AT,
  LENGTH_AT,
  NO_POSITION,
  PADDING,
  PAYLOAD_AT,
  PREVIOUS_AT,
  type RingMemory,
  RingViews,
  recordBytes,
  SEQ_AT,
  SLOT_AT,
  TOPIC_AT,
} from '../../src/ring/layout.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { AssertionFailure } from '../../src/util/assert.ts';
import { commitRecord, positionsOf, publishRecord, setPositions, writeFrame } from '../support/ring-records.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const CAPACITY = 64 * 1024;
const PAYLOAD_MAX = CAPACITY / 4 - PAYLOAD_AT;

describe('Transmitter', () => {
  it('writes each field where the layout says', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    const at = transmitter.claim(10);
    transmitter.data.write('0123456789', at);
    const position = transmitter.commit(10, 12, 7, 3, 2 ** 40 + 1, 1.7e15 + 0.25, NO_POSITION);

    expect(position).toBe(0);
    expect(at).toBe(PAYLOAD_AT);
    const record = headerAt(ring, 0);
    expect(record.getInt32(LENGTH_AT, true)).toBe(80);
    expect(record.getInt32(KIND_AT, true)).toBe(FRAME);
    expect(record.getInt32(TOPIC_AT, true)).toBe(7);
    expect(record.getInt32(SLOT_AT, true)).toBe(3);
    expect(record.getFloat64(SEQ_AT, true)).toBe(2 ** 40 + 1);
    expect(record.getFloat64(DUE_AT, true)).toBe(1.7e15 + 0.25);
    expect(record.getFloat64(PREVIOUS_AT, true)).toBe(-1);
    expect(record.getInt32(FRAME_LENGTH_AT, true)).toBe(12);
    expect(new RingViews(ring).data.toString('latin1', PAYLOAD_AT, PAYLOAD_AT + 10)).toBe('0123456789');
  });

  it('shows a record to receivers only when it is published', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    commitRecord(transmitter, 1, 100);
    expect(positionsOf(ring).tail).toBe(0);
    transmitter.publish();
    expect(positionsOf(ring).tail).toBe(recordBytes(100));
    expect(transmitter.position).toBe(recordBytes(100));
  });

  it('publishes all that was committed at once', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    const first = commitRecord(transmitter, 1, 0);
    const second = commitRecord(transmitter, 2, 9);
    transmitter.publish();
    expect([first, second]).toEqual([0, 64]);
    expect(positionsOf(ring).tail).toBe(64 + 80);
  });

  it('gives back what was claimed and not written', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    transmitter.claim(10_000);
    transmitter.commit(3, 5, 0, 0, 1, 0, NO_POSITION);
    expect(transmitter.position).toBe(recordBytes(3));
  });

  it('forgets a claim that is not committed', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    publishRecord(transmitter, 1, 50);
    const first = transmitter.claim(10_000);
    const second = transmitter.claim(20);
    expect(second).toBe(first);
    expect(transmitter.position).toBe(recordBytes(50));
  });

  it('forgets the padding of a claim that is not committed', () => {
    const ring = ringAt(3 * CAPACITY - 200);
    const transmitter = new Transmitter(ring);
    expect(transmitter.claim(1_000)).toBe(PAYLOAD_AT);
    expect(publishRecord(transmitter, 1, 100)).toBe(3 * CAPACITY - 200);
  });

  it('refuses a commit without a claim, a second one, and one of more than was claimed', () => {
    const transmitter = new Transmitter(allocateRing(CAPACITY));
    const commit = (payloadBytes: number) =>
      transmitter.commit(payloadBytes, payloadBytes + 2, 0, 0, 1, 0, NO_POSITION);
    expect(() => commit(0)).toThrow(AssertionFailure);
    transmitter.claim(8);
    expect(() => commit(9)).toThrow(AssertionFailure);
    commit(8);
    expect(() => commit(0)).toThrow(AssertionFailure);
  });

  it('takes the largest payload and refuses one byte more', () => {
    const transmitter = new Transmitter(allocateRing(CAPACITY));
    expect(transmitter.payloadBytesMax).toBe(PAYLOAD_MAX);
    expect(() => transmitter.claim(PAYLOAD_MAX + 1)).toThrow(AssertionFailure);
    for (let seq = 1; seq <= 9; seq++) publishRecord(transmitter, seq, PAYLOAD_MAX);
    expect(transmitter.position).toBe((9 * CAPACITY) / 4);
  });

  it('fills the gap at the end of the ring with padding of exactly its size', () => {
    for (const gap of [8, 16, 56, 64, 72, PAYLOAD_MAX]) {
      const ring = ringAt(CAPACITY - gap);
      const transmitter = new Transmitter(ring);
      const position = publishRecord(transmitter, 1, Math.max(0, gap - PAYLOAD_AT + 1));
      expect(position).toBe(CAPACITY);
      const padding = headerAt(ring, CAPACITY - gap);
      expect(padding.getInt32(LENGTH_AT, true)).toBe(gap);
      expect(padding.getInt32(KIND_AT, true)).toBe(PADDING);
      expect(headerAt(ring, 0).getInt32(KIND_AT, true)).toBe(FRAME);
    }
  });

  it('needs no padding where a record ends with the ring', () => {
    const ring = ringAt(CAPACITY - 128);
    const transmitter = new Transmitter(ring);
    expect(publishRecord(transmitter, 1, 64)).toBe(CAPACITY - 128);
    expect(publishRecord(transmitter, 2, 64)).toBe(CAPACITY);
  });

  it('lets no record reach beyond the end of the ring', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    const random = new SeededRandom(7);
    let seq = 0;
    for (; transmitter.position < 5 * CAPACITY; seq++) {
      const bytes = random.below(PAYLOAD_MAX + 1);
      const position = publishRecord(transmitter, seq, bytes);
      expect((position % CAPACITY) + recordBytes(bytes)).toBeLessThanOrEqual(CAPACITY);
    }
    expect(seq).toBeGreaterThan(20);
  });

  it('has announced all that a claim may write before it returns', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    const random = new SeededRandom(11);
    for (let seq = 1; transmitter.position < 4 * CAPACITY; seq++) {
      const bytes = random.below(3) === 0 ? random.below(PAYLOAD_MAX + 1) : random.below(200);
      const tail = transmitter.position;
      let intentWhenClaimed = 0;
      writeFrame(transmitter, seq, bytes, () => {
        intentWhenClaimed = positionsOf(ring).intent;
      });
      transmitter.commit(bytes, bytes + 2, 0, 0, seq, 0, NO_POSITION);
      expect(intentWhenClaimed).toBeGreaterThanOrEqual(transmitter.position);
      // So far ahead, and no further: receivers would be lapped for nothing.
      expect(intentWhenClaimed - tail).toBeLessThanOrEqual(CAPACITY / 2 + CAPACITY / 8);
    }
  });

  it('goes on where the words in shared memory say the ring stands', () => {
    for (const start of [2 ** 31 - 64, 2 ** 32 - 64, 2 ** 52 + 1_024]) {
      const ring = ringAt(start);
      const transmitter = new Transmitter(ring);
      expect(transmitter.position).toBe(start);
      expect(publishRecord(transmitter, 1, 0)).toBe(start);
      expect(publishRecord(transmitter, 2, 0)).toBe(start + 64);
      expect(positionsOf(ring).tail).toBe(start + 128);
      expect(positionsOf(ring).intent).toBeGreaterThanOrEqual(start + 128);
    }
  });
});

function ringAt(position: number): RingMemory {
  const ring = allocateRing(CAPACITY);
  setPositions(ring, position);
  return ring;
}

function headerAt(ring: RingMemory, offset: number): DataView {
  const { data } = new RingViews(ring);
  return new DataView(data.buffer, data.byteOffset + offset, Math.min(PAYLOAD_AT, data.length - offset));
}
