import { parentPort, workerData } from 'node:worker_threads';
import { TEXT, writeFrameHeader } from '../../src/frame/frame-header.ts';
import { NO_POSITION } from '../../src/ring/layout.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { CONTROL, fieldsOf, fillPayload, PAYLOAD_MIN, type WriterTask } from './ring-stress.ts';
import { SeededRandom } from './seeded-random.ts';

/**
 * The writing thread of the ring's stress test: publishes records of all sizes in bursts, mostly short ones that a quick
 * reader keeps up with, now and then one that goes round the ring more than once.
 */
const { ring, control, seed, durationMs } = workerData as WriterTask;
const random = new SeededRandom(seed);
const transmitter = new Transmitter(ring);
const scratch = Buffer.alloc(transmitter.payloadBytesMax);
const payload = new DataView(scratch.buffer, scratch.byteOffset, scratch.length);
const latest = new Map<number, number>();

const endMs = performance.now() + durationMs;
let seq = 0;
while (performance.now() < endMs) {
  const bytes = random.below(50) === 0 ? ring.capacity * 2 : random.between(1, ring.capacity / 4);
  for (const end = transmitter.position + bytes; transmitter.position < end; ) publish();
  if (random.below(3) === 0) Atomics.wait(control, CONTROL.published, 0, 1);
}
Atomics.store(control, CONTROL.published, seq);
Atomics.notify(control, CONTROL.published);
parentPort?.postMessage(seq);

function publish(): void {
  seq++;
  const bytes = payloadBytes();
  fillPayload(payload, bytes, seq, random);
  const at = transmitter.claim(bytes);
  transmitter.data.set(scratch.subarray(0, bytes), at);
  const headerBytes = writeFrameHeader(transmitter.data, at, bytes, TEXT);
  const fields = fieldsOf(seq);
  const previous = latest.get(fields.topic) ?? NO_POSITION;
  latest.set(fields.topic, transmitter.commit(bytes, headerBytes + bytes, { ...fields, previous }));
  transmitter.publish();
}

function payloadBytes(): number {
  switch (random.below(100)) {
    case 0:
      return transmitter.payloadBytesMax;
    case 1:
    case 2:
      return random.between(PAYLOAD_MIN, transmitter.payloadBytesMax);
    default:
      return random.between(PAYLOAD_MIN, 600);
  }
}
