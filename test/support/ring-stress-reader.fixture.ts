import { parentPort, workerData } from 'node:worker_threads';
import { frameHeaderBytes } from '../../src/frame/frame-header.ts';
import { RingViews, TAIL_INDEX } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { CONTROL, faultIn, hasFields, type ReaderReport, type ReaderTask } from './ring-stress.ts';
import { SeededRandom } from './seeded-random.ts';

/** A reading thread of the ring's stress test: checks every byte of what it gets, and that only laps cost it records. */
const { ring, control, seed, pace } = workerData as ReaderTask;
const FAULTS_MAX = 10;
/** Further back than the ring reaches: the walk ends where the writer is just writing. */
const READ_AGAIN_MAX = 200;
const RECORDS_BETWEEN_STOPS = 2_000;

const random = new SeededRandom(seed);
const receiver = new Receiver(ring);
const { positions } = new RingViews(ring);
const report: ReaderReport = { pace, received: 0, lost: 0, lapped: 0, readAgain: 0, gone: 0, faults: [] };
let view = viewOf(receiver.bytes);
let lastSeq = 0;
let lappedAtLast = 0;
let stopAt = RECORDS_BETWEEN_STOPS;

Atomics.add(control, CONTROL.readers, 1);
Atomics.notify(control, CONTROL.readers);
while (report.faults.length < FAULTS_MAX) {
  const lapped = receiver.lapped;
  // Looked at before the ring: what the writer did before it said so is then in the ring.
  const published = Atomics.load(control, CONTROL.published);
  const count = receiver.receive(take);
  if (count > 0) afterChunk();
  else if (receiver.lapped === lapped && published > 0) break;
  else if (receiver.lapped === lapped) Atomics.wait(control, CONTROL.published, 0, 1);
}
countLost(Atomics.load(control, CONTROL.published) + 1);
report.lapped = receiver.lapped;
parentPort?.postMessage(report);

function take(): void {
  const { seq } = receiver;
  countLost(seq);
  report.received++;
  lastSeq = seq;
  checkRecord();
}

/** @param seq of the record after those that may be lost */
function countLost(seq: number): void {
  const lost = seq - lastSeq - 1;
  if (lost < 0) fault(`seq ${seq} after ${lastSeq}`);
  if (lost > 0 && receiver.lapped === lappedAtLast) fault(`${lost} lost before seq ${seq} without a lap`);
  report.lost += Math.max(0, lost);
  lappedAtLast = receiver.lapped;
}

function checkRecord(): void {
  if (receiver.bytes.buffer !== view.buffer) view = viewOf(receiver.bytes);
  const bytes = receiver.frameEnd - receiver.frameStart;
  const payloadBytes = bytes - (bytes <= 127 ? 2 : bytes <= 65_539 ? 4 : 10);
  if (receiver.frameStart + frameHeaderBytes(payloadBytes) !== receiver.frameEnd - payloadBytes) fault('a torn frame');
  const wrong = faultIn(receiver, view, receiver.frameEnd - payloadBytes);
  if (wrong !== undefined) fault(wrong);
}

function afterChunk(): void {
  if (pace === 'fast') return readAgain();
  if (pace === 'slow') return void Atomics.wait(control, CONTROL.published, 0, random.between(0, 6));
  if (report.received < stopAt) return;
  stopAt = report.received + RECORDS_BETWEEN_STOPS;
  const until = receiver.position + 3 * ring.capacity;
  while (Number(Atomics.load(positions, TAIL_INDEX)) < until) {
    if (Atomics.wait(control, CONTROL.published, 0, 1) !== 'timed-out') return;
  }
}

/** Walks back over the records of the last one's topic, while the writer may be running over them. */
function readAgain(): void {
  const { topic } = receiver;
  let { seq, previous } = receiver;
  for (let i = 0; i < READ_AGAIN_MAX && previous >= 0; i++) {
    const held = receiver.holds(previous);
    const peeked = receiver.peekAt(previous);
    if (peeked && !held) fault(`the record at ${previous} came back`);
    if (peeked && !hasFields(receiver)) fault(`the record at ${previous} has a torn header`);
    if (!receiver.readAt(previous)) {
      report.gone++;
      return;
    }
    report.readAgain++;
    if (!peeked) fault(`the record at ${previous} came back`);
    if (receiver.at !== previous) fault(`the record at ${previous} stands at ${receiver.at}`);
    checkRecord();
    if (receiver.topic !== topic || receiver.seq >= seq) fault(`seq ${receiver.seq} stands before ${seq} in its topic`);
    ({ seq, previous } = receiver);
  }
}

function fault(what: string): void {
  if (report.faults.length < FAULTS_MAX) report.faults.push(what);
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
