import { parentPort, workerData } from 'node:worker_threads';
import type { Publication } from '../../src/dataflow/publication.ts';
import { policyOf } from '../../src/delivery/delivery-policy.ts';
import type { Level } from '../../src/delivery/depth.ts';
import { OrderBook } from '../../src/delivery/order-book.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { SequenceIndexWriter } from '../../src/ring/sequence-index.ts';
import { TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import {
  CONTROL,
  type FrameWriterReport,
  type FrameWriterTask,
  isBookTopic,
  sumOf,
  sumOfBook,
  topicOf,
} from './frame-stress.ts';
import { SeededRandom } from './seeded-random.ts';

/** The primary of the frame stage's stress test: publishes in bursts, some of them longer than the ring. */
const { ring, directory, index, control, seed, durationMs } = workerData as FrameWriterTask;
const PRICES = 60;

const random = new SeededRandom(seed);
const directoryWriter = new TopicDirectoryWriter(directory);
const conflation = { latest: ['ticker', 'kline'], book: ['depth'] };
const publisher = new FramePublisher({
  registry: new TopicRegistry(directoryWriter, (dataType) => policyOf(dataType, conflation)),
  directory: directoryWriter,
  index: new SequenceIndexWriter(index),
  transmitter: new Transmitter(ring),
  hoistedFields: () => '',
  published: () => {},
  payloadBytesMax: 0,
});
const books = new Map<number, OrderBook>();

const endMs = performance.now() + durationMs;
while (performance.now() < endMs) {
  const bytes = random.below(20) === 0 ? ring.capacity * 2 : random.between(1, ring.capacity / 4);
  for (const end = publisher.bytes + bytes; publisher.bytes < end; ) publish();
  if (random.below(2) === 0) Atomics.wait(control, CONTROL.done, 0, 2);
}
Atomics.store(control, CONTROL.done, 1);
const { carried, forgotten } = publisher.latestValues;
parentPort?.postMessage({ published: publisher.seq, carried, forgotten } satisfies FrameWriterReport);

function publish(): void {
  const n = publisher.seq + 1;
  const topic = topicOf(n, seed);
  const symbol = `S${topic}`;
  const publication: Publication = isBookTopic(topic)
    ? { type: 'depth', symbol, data: depthOf(topic, n) }
    : { type: topic % 2 === 0 ? 'trade' : 'ticker', symbol, data: dataOf(n) };
  publisher.publish(publication, { source: 'stress', dueUs: n, receivedAtAdded: false });
}

function dataOf(n: number) {
  const text = 'abcdefghij'.repeat(random.below(random.below(30) === 0 ? 900 : 60));
  return { n, text, sum: sumOf(text, n) };
}

function depthOf(topic: number, n: number) {
  const isSnapshot = random.below(300) === 0;
  const sides = { bids: levels(), asks: levels() };
  const book = books.get(topic) ?? new OrderBook();
  books.set(topic, book);
  book.apply({ ...sides, isSnapshot });
  return { n, ...sides, isSnapshot, sum: sumOfBook(book.bids(), book.asks()) };
}

function levels(): Level[] {
  return Array.from({ length: random.below(6) }, () => [random.below(PRICES), random.below(4)]);
}
