import { expect } from 'vitest';
import { allocateRing, type RingMemory } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { copyOf, expectIntact, type ReceivedRecord, setPositions } from './ring-records.ts';

/** A ring of `bytes` bytes that stands at `position`, with both its ends in one thread. */
export function pairAt(position: number, bytes: number) {
  const ring: RingMemory = allocateRing(bytes);
  setPositions(ring, position);
  return { ring, transmitter: new Transmitter(ring), receiver: new Receiver(ring) };
}

export function receiveAll(receiver: Receiver): ReceivedRecord[] {
  const records: ReceivedRecord[] = [];
  let count = 0;
  for (let got = -1; got !== 0; ) {
    got = receiver.receive((record) => records.push(copyOf(record)));
    count += got;
  }
  expect(records).toHaveLength(count);
  return records;
}

/** @param seq of the first; the rest follow it */
export function expectRecords(records: ReceivedRecord[], seq: number, sizes: number[]): void {
  expect(records.map((record) => record.seq)).toEqual(sizes.map((_, i) => seq + i));
  for (const [i, bytes] of sizes.entries()) expectIntact(records[i]!, seq + i, bytes);
}
