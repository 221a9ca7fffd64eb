/**
 * The reader's thread of the ring benchmark: takes what comes, by the ring or by messages, checks that it is in order,
 * and notes how old it is.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Receiver } from '../../src/ring/receiver.ts';
import { WakeUpReceiver } from '../../src/ring/wake-up.ts';
import { nowUs } from '../../src/util/clock.ts';
import { LatencyHistogram } from '../load/latency-histogram.ts';
import {
  type FromReader,
  LAPPED_INDEX,
  ORDER_ERRORS_INDEX,
  POSITION_INDEX,
  RECORDS_INDEX,
  type ReaderTask,
  type ToReader,
} from './ring-messages.ts';

const { how, ring, progress } = workerData as ReaderTask;
const port = parentPort;
if (port === null) throw new Error('the reader runs in a thread of its own');

const words = new Float64Array(progress);
const receiver = new Receiver(ring);
const wakeUp = new WakeUpReceiver(ring, 0);
const latency = new LatencyHistogram();
/** Until the report is asked for: in a flood, looking at the clock for each record would be what is measured. */
let timed = true;
let lastSeq = 0;
let records = 0;

function take(seq: number, dueUs: number): void {
  if (seq <= lastSeq) words[ORDER_ERRORS_INDEX] = (words[ORDER_ERRORS_INDEX] as number) + 1;
  lastSeq = seq;
  records++;
  if (timed) latency.record(nowUs() - dueUs);
}

function drain(): void {
  for (;;) {
    const count = receiver.receive((record) => take(record.seq, record.dueUs));
    words[RECORDS_INDEX] = records;
    words[POSITION_INDEX] = receiver.position;
    words[LAPPED_INDEX] = receiver.lapped;
    if (count > 0) continue;
    wakeUp.raise();
    if (receiver.drained) return;
    wakeUp.lower();
  }
}

port.on('message', (message: ToReader) => {
  if (message.kind === 'report') {
    port.postMessage({ latency: latency.toWire() } satisfies FromReader);
    timed = false;
  } else if (message.kind === 'post') {
    take(message.seq, message.dueUs);
    words[RECORDS_INDEX] = records;
  } else drain();
});

if (how === 'ring') drain();
port.postMessage('ready');
