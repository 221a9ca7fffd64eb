import { describe, expect, it } from 'vitest';
import {
  allocateRing,
  BOOK,
  CARRIED,
  DUE_AT,
  FRAME_LENGTH_AT,
  KIND_AT,
  LENGTH_AT,
  NO_POSITION,
  ORDINAL_AT,
  PADDING,
  PAYLOAD_AT,
  POLICY_AT,
  PREV_SEQ_AT,
  PREVIOUS_AT,
  type RingMemory,
  RingViews,
  recordBytes,
  SEQ_AT,
  SLOT_AT,
  TOPIC_AT,
} from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { type RecordFields, Transmitter } from '../../src/ring/transmitter.ts';
import { AssertionFailure } from '../../src/util/assert.ts';
import {
  commitRecord,
  copyOf,
  expectedFields,
  expectIntact,
  positionsOf,
  publishRecord,
  setPositions,
  writeFrame,
} from '../support/ring-records.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const CAPACITY = 64 * 1024;
const PAYLOAD_MAX = CAPACITY / 4 - PAYLOAD_AT;
const FIELDS: RecordFields = {
  kind: BOOK,
  topic: 70_000,
  slot: -3,
  policy: 2,
  seq: 2 ** 40 + 1,
  dueUs: 1.7e15 + 0.25,
  previous: NO_POSITION,
  ordinal: 2 ** 32 - 1,
  prevSeq: 2 ** 40 - 7,
};

describe('Transmitter', () => {
  it('writes each field where the layout says', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    const at = transmitter.claim(10);
    transmitter.data.write('0123456789', at);
    const position = transmitter.commit(10, 12, FIELDS);

    expect(position).toBe(0);
    expect(at).toBe(PAYLOAD_AT);
    const record = headerAt(ring, 0);
    expect(record.getInt32(LENGTH_AT, true)).toBe(88);
    expect(record.getInt32(KIND_AT, true)).toBe(BOOK);
    expect(record.getInt32(TOPIC_AT, true)).toBe(70_000);
    expect(record.getInt16(SLOT_AT, true)).toBe(-3);
    expect(record.getInt16(POLICY_AT, true)).toBe(2);
    expect(record.getFloat64(SEQ_AT, true)).toBe(2 ** 40 + 1);
    expect(record.getFloat64(DUE_AT, true)).toBe(1.7e15 + 0.25);
    expect(record.getFloat64(PREVIOUS_AT, true)).toBe(-1);
    expect(record.getInt32(FRAME_LENGTH_AT, true)).toBe(12);
    expect(record.getUint32(ORDINAL_AT, true)).toBe(2 ** 32 - 1);
    expect(record.getFloat64(PREV_SEQ_AT, true)).toBe(2 ** 40 - 7);
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
    expect([first, second]).toEqual([0, 72]);
    expect(positionsOf(ring).tail).toBe(72 + 88);
  });

  it('gives back what was claimed and not written', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    transmitter.claim(10_000);
    transmitter.commit(3, 5, FIELDS);
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
    const commit = (payloadBytes: number) => transmitter.commit(payloadBytes, payloadBytes + 2, FIELDS);
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
    for (const gap of [8, 16, 56, 64, 72, 80, PAYLOAD_MAX]) {
      const ring = ringAt(CAPACITY - gap);
      const transmitter = new Transmitter(ring);
      const position = publishRecord(transmitter, 1, Math.max(0, gap - PAYLOAD_AT + 1));
      expect(position).toBe(CAPACITY);
      const padding = headerAt(ring, CAPACITY - gap);
      expect(padding.getInt32(LENGTH_AT, true)).toBe(gap);
      expect(padding.getInt32(KIND_AT, true)).toBe(PADDING);
      expect(headerAt(ring, 0).getInt32(KIND_AT, true)).toBe(expectedFields(1).kind);
    }
  });

  it('needs no padding where a record ends with the ring', () => {
    const ring = ringAt(CAPACITY - 136);
    const transmitter = new Transmitter(ring);
    expect(publishRecord(transmitter, 1, 64)).toBe(CAPACITY - 136);
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
      transmitter.commit(bytes, bytes + 2, FIELDS);
      expect(intentWhenClaimed).toBeGreaterThanOrEqual(transmitter.position);
      // So far ahead, and no further: receivers would be lapped for nothing.
      expect(intentWhenClaimed - tail).toBeLessThanOrEqual(CAPACITY / 2 + CAPACITY / 8);
    }
  });

  it('goes on where the words in shared memory say the ring stands', () => {
    for (const start of [2 ** 31 - 72, 2 ** 32 - 72, 2 ** 52 + 1_024]) {
      const ring = ringAt(start);
      const transmitter = new Transmitter(ring);
      expect(transmitter.position).toBe(start);
      expect(publishRecord(transmitter, 1, 0)).toBe(start);
      expect(publishRecord(transmitter, 2, 0)).toBe(start + 72);
      expect(positionsOf(ring).tail).toBe(start + 144);
      expect(positionsOf(ring).intent).toBeGreaterThanOrEqual(start + 144);
    }
  });

  it('wraps an ordinal as 32 bits do', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    transmitter.claim(0);
    transmitter.commit(0, 2, { ...FIELDS, ordinal: 2 ** 32 + 5 });
    expect(headerAt(ring, 0).getUint32(ORDINAL_AT, true)).toBe(5);
  });
});

describe('Transmitter, looking back', () => {
  it.each([0, 1, 77, 10_000, PAYLOAD_MAX])(
    'carries a record of %i bytes ahead, as it was but for its kind',
    (bytes) => {
      const ring = allocateRing(CAPACITY);
      const transmitter = new Transmitter(ring);
      const receiver = new Receiver(ring);
      const position = publishRecord(transmitter, 3, bytes);
      const copy = transmitter.copyOf(position);
      publishRecord(transmitter, 4, 50);
      const before = transmitter.position;
      const carried = transmitter.carry(copy);
      expect(carried).toBe(before);
      expect(transmitter.position).toBe(before + recordBytes(bytes));
      expect(positionsOf(ring).tail).toBe(before);
      transmitter.publish();
      expect(positionsOf(ring)).toMatchObject({ tail: transmitter.position });
      expect(receiver.readAt(carried)).toBe(true);
      expect(receiver.at).toBe(carried);
      expect(receiver.kind).toBe(CARRIED);
      expectIntact({ ...copyOf(receiver), kind: expectedFields(3).kind }, 3, bytes);
      expect(receiver.readAt(position)).toBe(true);
      expectIntact(copyOf(receiver), 3, bytes);
    },
  );

  it('carries a copy over the record that it was made of', () => {
    const ring = ringAt(CAPACITY - recordBytes(PAYLOAD_MAX));
    const transmitter = new Transmitter(ring);
    const receiver = new Receiver(ring);
    const copy = transmitter.copyOf(publishRecord(transmitter, 3, PAYLOAD_MAX));
    for (let seq = 4; seq < 7; seq++) publishRecord(transmitter, seq, PAYLOAD_MAX);
    const carried = transmitter.carry(copy);
    transmitter.publish();
    expect(carried).toBe(2 * CAPACITY - recordBytes(PAYLOAD_MAX));
    expect(receiver.readAt(carried)).toBe(true);
    expectIntact({ ...copyOf(receiver), kind: expectedFields(3).kind }, 3, PAYLOAD_MAX);
  });

  it('carries a record over the end of the ring behind padding', () => {
    const ring = ringAt(CAPACITY - 200);
    const transmitter = new Transmitter(ring);
    const copy = transmitter.copyOf(publishRecord(transmitter, 3, 100));
    expect(transmitter.carry(copy)).toBe(CAPACITY);
    const padding = headerAt(ring, CAPACITY - 24);
    expect([padding.getInt32(LENGTH_AT, true), padding.getInt32(KIND_AT, true)]).toEqual([24, PADDING]);
    const carried = headerAt(ring, 0);
    expect([carried.getInt32(LENGTH_AT, true), carried.getInt32(KIND_AT, true)]).toEqual([176, CARRIED]);
  });

  it('knows beforehand exactly what a claim will give up', () => {
    const ring = allocateRing(CAPACITY);
    const transmitter = new Transmitter(ring);
    const random = new SeededRandom(13);
    let strides = 0;
    for (let seq = 1; transmitter.position < 6 * CAPACITY; seq++) {
      const bytes = random.below(4) === 0 ? random.below(PAYLOAD_MAX + 1) : random.below(300);
      const { intent } = positionsOf(ring);
      const lost = transmitter.lostBy(bytes);
      expect(positionsOf(ring).intent).toBe(intent);
      const claimed = random.below(5) === 0 ? bytes : random.below(bytes + 1);
      writeFrame(transmitter, seq, bytes);
      expect(positionsOf(ring).intent - CAPACITY).toBe(lost);
      if (positionsOf(ring).intent > intent) strides++;
      if (random.below(10) > 0) transmitter.commit(claimed, claimed + 2, FIELDS);
    }
    expect(strides).toBeGreaterThan(20);
  });

  it('gives up no less for a longer payload', () => {
    const random = new SeededRandom(17);
    for (let i = 0; i < 500; i++) {
      const ring = allocateRing(CAPACITY);
      const tail = 8 * random.below(CAPACITY);
      setPositions(ring, tail, tail + 8 * random.below(CAPACITY / 16));
      const transmitter = new Transmitter(ring);
      const bytes = random.below(PAYLOAD_MAX);
      expect(transmitter.lostBy(bytes + 1)).toBeGreaterThanOrEqual(transmitter.lostBy(bytes));
      expect(transmitter.lostBy(PAYLOAD_MAX)).toBeLessThan(transmitter.position);
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
