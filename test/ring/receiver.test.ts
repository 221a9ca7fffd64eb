import { describe, expect, it } from 'vitest';
import { allocateRing, PAYLOAD_AT, payloadBytesMax, recordBytes } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { expectRecords, pairAt, receiveAll } from '../support/ring-pair.ts';
import {
  commitRecord,
  copyOf,
  expectIntact,
  publishRecord,
  type ReceivedRecord,
  setPositions,
} from '../support/ring-records.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const MIB = 2 ** 20;
const SMALL = 64 * 1024;
/** What the receiver copies at a time. */
const CHUNK = 256 * 1024;

describe('Receiver', () => {
  it('receives payloads of every size around the steps of frame headers and records', () => {
    const { transmitter, receiver } = pairAt(0, 8 * MIB);
    const max = payloadBytesMax(8 * MIB);
    const sizes = [0, 1, 7, 8, 9, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 70_000];
    const whole = CHUNK - PAYLOAD_AT;
    sizes.push(whole - 1, whole, whole + 1, CHUNK, MIB, max - 1, max);
    for (const [i, bytes] of sizes.entries()) {
      publishRecord(transmitter, i + 1, bytes);
      const records = receiveAll(receiver);
      expect(records).toHaveLength(1);
      expectIntact(records[0]!, i + 1, bytes);
    }
    expect(receiver.lapped).toBe(0);
  });

  it('receives the same when they wait in the ring together', () => {
    const { transmitter, receiver } = pairAt(0, 8 * MIB);
    const sizes = [0, CHUNK, 125, 126, 65_535, CHUNK - PAYLOAD_AT, 1, 65_536, MIB, 9];
    for (const [i, bytes] of sizes.entries()) publishRecord(transmitter, i + 1, bytes);
    expectRecords(receiveAll(receiver), 1, sizes);
  });

  it('begins at the tail', () => {
    const ring = allocateRing(SMALL);
    const transmitter = new Transmitter(ring);
    publishRecord(transmitter, 1, 100);
    const receiver = new Receiver(ring);
    expect(receiver.position).toBe(transmitter.position);
    expect(receiveAll(receiver)).toEqual([]);
    publishRecord(transmitter, 2, 100);
    expectRecords(receiveAll(receiver), 2, [100]);
  });

  it('gives 0 while there is nothing, and says so beforehand', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    expect(receiver.drained).toBe(true);
    expect(receiver.receive(fail)).toBe(0);
    commitRecord(transmitter, 1, 10);
    expect(receiver.drained).toBe(true);
    expect(receiver.receive(fail)).toBe(0);
    transmitter.publish();
    expect(receiver.drained).toBe(false);
    expect(receiveAll(receiver)).toHaveLength(1);
    expect(receiver.drained).toBe(true);
    expect(receiver.lapped).toBe(0);
  });

  it('never sees a claim that was forgotten, nor its padding', () => {
    const { transmitter, receiver } = pairAt(SMALL - 400, SMALL);
    transmitter.data.fill(0xff, transmitter.claim(1_000), 1_000);
    publishRecord(transmitter, 1, 20);
    transmitter.claim(5_000);
    publishRecord(transmitter, 2, 30);
    expectRecords(receiveAll(receiver), 1, [20, 30]);
    expect(receiver.position).toBe(transmitter.position);
  });

  it.each([8, 16, 56, 64, 72, 128, 4_096])('reads on behind padding of %i bytes', (gap) => {
    const { transmitter, receiver } = pairAt(SMALL - gap, SMALL);
    publishRecord(transmitter, 1, 5_000);
    publishRecord(transmitter, 2, 0);
    expectRecords(receiveAll(receiver), 1, [5_000, 0]);
  });

  it('reads on behind padding that is longer than a chunk', () => {
    const gap = CHUNK * 3 + 8;
    const { transmitter, receiver } = pairAt(4 * MIB - gap, 4 * MIB);
    publishRecord(transmitter, 1, gap);
    expect(transmitter.position).toBe(4 * MIB + recordBytes(gap));
    expectRecords(receiveAll(receiver), 1, [gap]);
  });

  it('reads on behind a record with padding behind it that is longer than the chunk has left', () => {
    const gap = CHUNK * 2;
    const { transmitter, receiver } = pairAt(4 * MIB - gap - recordBytes(1_000), 4 * MIB);
    publishRecord(transmitter, 1, 1_000);
    publishRecord(transmitter, 2, gap);
    expectRecords(receiveAll(receiver), 1, [1_000, gap]);
  });

  it('receives a record larger than a chunk, alone, behind small ones and before them', () => {
    const { transmitter, receiver } = pairAt(0, 4 * MIB);
    const sizes = [10, 20, CHUNK + 1, 30, payloadBytesMax(4 * MIB), 40];
    for (const [i, bytes] of sizes.entries()) publishRecord(transmitter, i + 1, bytes);
    expectRecords(receiveAll(receiver), 1, sizes);
  });

  it.each([0, 8, 16, 56, 64, 72, 80])('receives a record of which %i bytes stand in the chunk before', (left) => {
    const { transmitter, receiver } = pairAt(0, 2 * MIB);
    const sizes = [CHUNK / 2 - PAYLOAD_AT, CHUNK / 2 - PAYLOAD_AT - left, 3_000, 5];
    for (const [i, bytes] of sizes.entries()) publishRecord(transmitter, i + 1, bytes);
    expectRecords(receiveAll(receiver), 1, sizes);
  });

  it.each([
    ['2^31', 2 ** 31],
    ['2^32', 2 ** 32],
    ['2^33', 2 ** 33],
    ['2^53, as far as positions go', 2 ** 53 - 3 * SMALL],
  ])('keeps order over laps around position %s', (_name, around) => {
    const { transmitter, receiver } = pairAt(around - SMALL - 1_000, SMALL);
    const random = new SeededRandom(3);
    const end = around + 2 * SMALL;
    for (let seq = 1; transmitter.position < end; seq++) {
      const bytes = random.below(8_000);
      const position = publishRecord(transmitter, seq, bytes);
      const records = receiveAll(receiver);
      expect(records).toHaveLength(1);
      expectIntact(records[0]!, seq, bytes);
      expect(receiver.position).toBe(position + recordBytes(bytes));
    }
    expect(receiver.lapped).toBe(0);
  });

  it('is not lapped when the transmitter has announced exactly one capacity more', () => {
    const { ring, transmitter, receiver } = pairAt(0, SMALL);
    publishRecord(transmitter, 1, 100);
    setPositions(ring, transmitter.position, SMALL);
    expectRecords(receiveAll(receiver), 1, [100]);
  });

  it('is lapped when the transmitter has announced 8 bytes more than that', () => {
    const { ring, transmitter, receiver } = pairAt(0, SMALL);
    publishRecord(transmitter, 1, 100);
    setPositions(ring, transmitter.position, SMALL + 8);
    expect(receiver.receive(fail)).toBe(0);
    expect(receiver.lapped).toBe(1);
    expect(receiver.position).toBe(transmitter.position);
  });

  it('goes on from the tail, in order, each time it has been lapped', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    let seq = 0;
    for (let laps = 1; laps <= 3; laps++) {
      const end = transmitter.position + 2 * SMALL;
      while (transmitter.position < end) publishRecord(transmitter, ++seq, 1_000);
      expect(receiver.receive(fail)).toBe(0);
      expect(receiver.lapped).toBe(laps);
      expect(receiver.drained).toBe(true);
      publishRecord(transmitter, ++seq, 77);
      expectRecords(receiveAll(receiver), seq, [77]);
    }
  });

  it('hands on what it has copied even when the transmitter runs over it meanwhile', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    const sizes = [100, 200, 300];
    for (const [i, bytes] of sizes.entries()) publishRecord(transmitter, i + 1, bytes);
    const records: ReceivedRecord[] = [];
    receiver.receive((record) => {
      while (transmitter.position < 2 * SMALL) publishRecord(transmitter, 99, 5_000);
      records.push(copyOf(record));
    });
    expectRecords(records, 1, sizes);
    expect(receiver.receive(fail)).toBe(0);
    expect(receiver.lapped).toBe(1);
  });

  it('does not hand on a record again whose handler threw, and loses no other', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    for (let seq = 1; seq <= 3; seq++) publishRecord(transmitter, seq, 10 * seq);
    const throwing = () =>
      receiver.receive((record) => {
        if (record.seq === 2) throw new Error('no taste for evens');
      });
    expect(throwing).toThrow('no taste for evens');
    expectRecords(receiveAll(receiver), 3, [30]);
  });

  it('goes on from where it is moved to, back as well as ahead', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    const sizes = [10, 20, 30, 40, 50];
    const positions = sizes.map((bytes, i) => publishRecord(transmitter, i + 1, bytes));
    receiver.moveTo(positions[3]!);
    expectRecords(receiveAll(receiver), 4, [40, 50]);
    receiver.moveTo(positions[1]!);
    expect(receiver.position).toBe(positions[1]);
    expectRecords(receiveAll(receiver), 2, [20, 30, 40, 50]);
    expect(receiver.lapped).toBe(0);
  });

  it('is lapped where it is moved to what has been overwritten', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    publishRecord(transmitter, 1, 100);
    while (transmitter.position < 2 * SMALL) publishRecord(transmitter, 2, 3_000);
    receiver.moveTo(0);
    expect(receiver.receive(fail)).toBe(0);
    expect([receiver.lapped, receiver.position]).toEqual([1, transmitter.position]);
  });

  it('waits at a record that it was moved to and that has not been published yet', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    publishRecord(transmitter, 1, 100);
    commitRecord(transmitter, 2, 200);
    const third = commitRecord(transmitter, 3, 300);
    receiver.moveTo(third);
    expect(receiver.receive(fail)).toBe(0);
    expect([receiver.lapped, receiver.position, receiver.drained]).toEqual([0, third, true]);
    transmitter.publish();
    expect(receiver.drained).toBe(false);
    expectRecords(receiveAll(receiver), 3, [300]);
    expect(receiver.lapped).toBe(0);
  });

  it('does not disturb another receiver', () => {
    const { ring, transmitter, receiver } = pairAt(0, SMALL);
    const other = new Receiver(ring);
    publishRecord(transmitter, 1, 10);
    expectRecords(receiveAll(receiver), 1, [10]);
    expectRecords(receiveAll(other), 1, [10]);
  });
});

function fail(): never {
  throw new Error('nothing should be received');
}
