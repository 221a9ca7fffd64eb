import { describe, expect, it } from 'vitest';
import { NO_POSITION, payloadBytesMax } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { expectRecords, pairAt, receiveAll } from '../support/ring-pair.ts';
import {
  copyOf,
  expectedFields,
  expectIntact,
  fieldsOf,
  publishRecord,
  setPositions,
} from '../support/ring-records.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const MIB = 2 ** 20;
const SMALL = 64 * 1024;
/** What the receiver copies at a time. */
const CHUNK = 256 * 1024;

describe('Receiver, looking back', () => {
  it('reads any living record again without moving on', () => {
    const { transmitter, receiver } = pairAt(0, 2 * MIB);
    const sizes = [0, 126, CHUNK + 1_000, 65_536];
    const positions = sizes.map((bytes, i) => publishRecord(transmitter, i + 1, bytes));
    receiveAll(receiver);
    const { position } = receiver;
    for (const [i, bytes] of sizes.entries()) {
      expect(receiver.readAt(positions[i]!)).toBe(true);
      expectIntact(copyOf(receiver), i + 1, bytes);
    }
    expect(receiver.position).toBe(position);
    publishRecord(transmitter, 5, 11);
    expectRecords(receiveAll(receiver), 5, [11]);
  });

  it('reads no record that has been overwritten, nor any where there is none', () => {
    const { ring, transmitter, receiver } = pairAt(0, SMALL);
    const position = publishRecord(transmitter, 1, 100);
    while (transmitter.position <= SMALL) publishRecord(transmitter, 2, 3_000);
    expect(receiver.readAt(position)).toBe(false);
    expect(receiver.readAt(NO_POSITION)).toBe(false);
    expect(new Receiver(ring).readAt(NO_POSITION)).toBe(false);
    // Reading back is not falling behind.
    expect(receiver.lapped).toBe(0);
  });

  it('tells the oldest living record from the one before it', () => {
    const { ring, transmitter, receiver } = pairAt(0, SMALL);
    publishRecord(transmitter, 1, 0);
    const second = publishRecord(transmitter, 2, 0);
    setPositions(ring, transmitter.position, SMALL + second);
    expect(receiver.readAt(0)).toBe(false);
    expect(receiver.readAt(second)).toBe(true);
    expectIntact(copyOf(receiver), 2, 0);
  });

  it('tells where each record stands', () => {
    const { transmitter, receiver } = pairAt(2 ** 33 + SMALL - 500, SMALL);
    const positions: number[] = [];
    const told: number[] = [];
    for (let seq = 1; seq <= 9; seq++) positions.push(publishRecord(transmitter, seq, 100 * seq));
    while (receiver.receive(({ at }) => told.push(at)) > 0);
    expect(told).toEqual(positions);
    for (const [i, position] of positions.entries()) {
      expect(receiver.readAt(position)).toBe(true);
      expect([receiver.seq, receiver.at]).toEqual([i + 1, position]);
      expect(receiver.peekAt(position)).toBe(true);
      expect([receiver.seq, receiver.at]).toEqual([i + 1, position]);
    }
  });

  it('peeks at the fields of a record without copying its frame', () => {
    const { transmitter, receiver } = pairAt(0, 8 * MIB);
    const max = payloadBytesMax(8 * MIB);
    const positions = [0, 100, CHUNK, max].map((bytes, i) => publishRecord(transmitter, i + 1, bytes));
    const { bytes, position } = receiver;
    for (const [i, at] of positions.entries()) {
      expect(receiver.peekAt(at)).toBe(true);
      expect(fieldsOf(receiver)).toEqual(expectedFields(i + 1));
    }
    // A larger frame would have made it larger.
    expect(receiver.bytes).toBe(bytes);
    expect(receiver.position).toBe(position);
    expectRecords(receiveAll(receiver), 1, [0, 100, CHUNK, max]);
  });

  it('peeks at no record that has been overwritten, nor any where there is none', () => {
    const { ring, transmitter, receiver } = pairAt(0, SMALL);
    publishRecord(transmitter, 1, 0);
    const second = publishRecord(transmitter, 2, 0);
    expect(receiver.peekAt(NO_POSITION)).toBe(false);
    setPositions(ring, transmitter.position, SMALL + second);
    expect(receiver.peekAt(0)).toBe(false);
    expect(receiver.peekAt(second)).toBe(true);
    expect(receiver.seq).toBe(2);
    expect(receiver.lapped).toBe(0);
  });

  it('holds what has not begun to be overwritten, to the byte, and nothing where there is nothing', () => {
    const { ring, transmitter, receiver } = pairAt(2 ** 40, SMALL);
    const position = publishRecord(transmitter, 1, 100);
    expect(receiver.holds(position)).toBe(true);
    setPositions(ring, transmitter.position, position + SMALL);
    expect(receiver.holds(position)).toBe(true);
    setPositions(ring, transmitter.position, position + SMALL + 8);
    expect(receiver.holds(position)).toBe(false);
    expect(receiver.holds(position + 8)).toBe(true);
    expect(receiver.holds(NO_POSITION)).toBe(false);
    expect(pairAt(0, SMALL).receiver.holds(NO_POSITION)).toBe(false);
    expect(pairAt(0, SMALL).receiver.holds(0)).toBe(true);
  });

  it('agrees in peeking, holding and reading about every record, laps long', () => {
    const { transmitter, receiver } = pairAt(0, SMALL);
    const random = new SeededRandom(19);
    const positions: number[] = [];
    for (let seq = 1; transmitter.position < 4 * SMALL; seq++) {
      positions.push(publishRecord(transmitter, seq, random.below(3_000)));
      const answers = positions.map((at) => [receiver.holds(at), receiver.peekAt(at), receiver.readAt(at)]);
      for (const [holds, peeks, reads] of answers) expect([peeks, reads]).toEqual([holds, holds]);
      const oldest = answers.findIndex(([holds]) => holds);
      expect(answers.slice(oldest).every(([holds]) => holds)).toBe(true);
    }
  });
});
