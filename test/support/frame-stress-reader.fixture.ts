import { parentPort, workerData } from 'node:worker_threads';
import { BOOK, CARRIED, FRAME } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { SequenceIndexReader } from '../../src/ring/sequence-index.ts';
import { TopicDirectoryReader } from '../../src/ring/topic-directory.ts';
import {
  BOOKS,
  CONTROL,
  type FrameReaderReport,
  type FrameStressTask,
  isBookTopic,
  QUIET,
  type StressData,
  sumOf,
  sumOfBook,
  TOPICS,
  topicOf,
} from './frame-stress.ts';
import { payloadIn, readBook } from './ring-books.ts';
import { SeededRandom } from './seeded-random.ts';

/**
 * A shard of the frame stage's stress test: looks up latest values, books and old publications while they are being moved
 * and overwritten. A latest value must be readable at any time: where it cannot be, the directory must say another place.
 */
const task = workerData as FrameStressTask;
const FAULTS_MAX = 10;
const BOOK_TRIES = 1_000;

const random = new SeededRandom(task.seed + 1);
const history = new Receiver(task.ring);
const directory = new TopicDirectoryReader(task.directory);
const index = new SequenceIndexReader(task.index);
const report: FrameReaderReport = { values: 0, books: 0, entries: 0, again: 0, faults: [] };
const lastSeqs = new Array<number>(TOPICS).fill(0);

Atomics.add(task.control, CONTROL.readers, 1);
Atomics.notify(task.control, CONTROL.readers);
while (Atomics.load(task.control, CONTROL.done) === 0 && report.faults.length < FAULTS_MAX) {
  if (directory.count() < TOPICS) continue;
  lookUpValue(random.below(TOPICS));
  if (random.below(20) === 0) lookUpBook(QUIET + random.below(BOOKS));
  lookUpEntry();
}
parentPort?.postMessage(report);

function lookUpValue(topic: number): void {
  for (;;) {
    const position = directory.latest(topic);
    if (history.readAt(position)) break;
    report.again++;
    if (directory.latest(topic) === position) return fault(`the value of topic ${topic} cannot be read at ${position}`);
  }
  report.values++;
  const { seq, kind } = history;
  if (history.topic !== topic || topicOf(seq, task.seed) !== topic) fault(`topic ${topic} has a value of another`);
  if (seq < lastSeqs[topic]!) fault(`topic ${topic} goes back from seq ${lastSeqs[topic]} to ${seq}`);
  lastSeqs[topic] = seq;
  const { n, text, sum, bids, asks } = payloadIn(history).data as StressData;
  if (n !== seq) fault(`seq ${seq} says that it is ${n}`);
  if (isBookTopic(topic)) {
    if (kind !== FRAME && kind !== BOOK) fault(`a book moved as kind ${kind}`);
    if (kind === BOOK && sumOfBook(bids, asks) !== sum) fault(`the key frame of seq ${seq} is not the book`);
  } else {
    if (kind !== FRAME && kind !== CARRIED) fault(`a value moved as kind ${kind}`);
    if (sumOf(text, n) !== sum) fault(`seq ${seq} is torn`);
  }
}

function lookUpBook(topic: number): void {
  for (let tries = 0; tries < BOOK_TRIES; tries++) {
    const book = readBook(history, directory, topic);
    if (book === undefined) {
      report.again++;
      continue;
    }
    report.books++;
    const { sum } = book.data as { sum: number };
    if (sumOfBook(book.bids, book.asks) !== sum) fault(`the book of topic ${topic} is wrong after seq ${book.seq}`);
    return;
  }
  fault(`the book of topic ${topic} cannot be built`);
}

function lookUpEntry(): void {
  const newest = index.newest();
  if (newest === 0) return;
  if (index.topic(newest) >= 0 && index.topic(newest) !== topicOf(newest, task.seed))
    fault(`the newest is not ${newest}`);
  const seq = Math.max(1, newest - random.below(index.entries + 3));
  const topic = index.topic(seq);
  const position = index.position(seq);
  report.entries++;
  if (topic >= 0 && topic !== topicOf(seq, task.seed)) fault(`seq ${seq} has the entry of another`);
  if (position < 0 || !history.peekAt(position)) return;
  if (history.kind !== FRAME || history.seq !== seq) fault(`seq ${seq} is not where the index says`);
}

function fault(what: string): void {
  if (report.faults.length < FAULTS_MAX) report.faults.push(what);
}
