import type { Publication } from '../../src/dataflow/publication.ts';
import { policyOf } from '../../src/delivery/delivery-policy.ts';
import { Epochs } from '../../src/delivery/epochs.ts';
import { LatestValues } from '../../src/delivery/latest-values.ts';
import { TopicCatalog } from '../../src/delivery/topic-catalog.ts';
import { TopicTable } from '../../src/delivery/topic-table.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateRing, FRAME } from '../../src/ring/layout.ts';
import { Receiver, type RecordCursor } from '../../src/ring/receiver.ts';
import { allocateSequenceIndex, SequenceIndexReader, SequenceIndexWriter } from '../../src/ring/sequence-index.ts';
import { allocateTopicDirectory, TopicDirectoryReader, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';

/** The least that a ring holds, so that it soon goes round: some 200 trades. */
const RING_BYTES = 64 * 1024;
const TOPICS_MAX = 256;
const CONFLATION = { latest: ['ticker', 'kline'], book: ['depth'] };

export interface DeliveryStageOptions {
  ringBytes?: number;
  topicsMax?: number;
}

/**
 * A publisher with its ring, and what the delivery stage of a shard reads it with, all in one thread. Tickers and klines are
 * merged to the latest, depths as books. The shard is as far as it was read last.
 */
export class DeliveryStage {
  readonly epoch = 'epoch-1';
  readonly epochs = new Epochs({ epoch: this.epoch, former: [] });
  readonly ring;
  readonly directoryMemory;
  readonly indexMemory;
  readonly publisher: FramePublisher;
  readonly directory: TopicDirectoryReader;
  readonly receiver: Receiver;
  readonly history: Receiver;
  readonly index: SequenceIndexReader;
  readonly table = new TopicTable();
  readonly catalog: TopicCatalog;
  readonly values: LatestValues;
  readonly #registry: TopicRegistry;

  constructor({ ringBytes = RING_BYTES, topicsMax = TOPICS_MAX }: DeliveryStageOptions = {}) {
    this.ring = allocateRing(ringBytes);
    this.directoryMemory = allocateTopicDirectory(topicsMax);
    this.directory = new TopicDirectoryReader(this.directoryMemory);
    this.catalog = new TopicCatalog(this.directory);
    this.indexMemory = allocateSequenceIndex(this.ring.capacity);
    const directory = new TopicDirectoryWriter(this.directoryMemory);
    this.#registry = new TopicRegistry(directory, (dataType) => policyOf(dataType, CONFLATION));
    this.publisher = new FramePublisher({
      registry: this.#registry,
      directory,
      index: new SequenceIndexWriter(this.indexMemory),
      transmitter: new Transmitter(this.ring),
      hoistedFields: () => '',
      published: () => {},
      payloadBytesMax: 0,
    });
    this.receiver = new Receiver(this.ring);
    this.history = new Receiver(this.ring);
    this.index = new SequenceIndexReader(this.indexMemory);
    this.values = new LatestValues(this);
  }

  /** Publishes under a type, by default with a `data` that says its seq. Returns its seq. */
  publish(type: string, symbol: string, data: unknown = { n: this.publisher.seq + 1 }, dueUs = 0): number {
    const publication: Publication = { exchange: 'binance', symbol, type, timestamp: 1, data };
    this.publisher.publish(publication, { source: 'test', dueUs, receivedAtAdded: false });
    return this.publisher.seq;
  }

  /** Tells trades of another symbol until the ring has gone round so many times. */
  goRound(times = 1, symbol = 'FILLER'): void {
    const from = this.receiver.tail;
    while (this.receiver.tail - from < times * this.ring.capacity) this.tell('trade', symbol, 'x'.repeat(500));
  }

  /** The shard reads all there is. @param each called with each publication */
  read(each: (record: RecordCursor) => void = () => {}): void {
    const laps = this.receiver.lapped;
    const take = (record: RecordCursor) => {
      this.table.observe(record);
      if (record.kind === FRAME) each(record);
    };
    while (this.receiver.receive(take) > 0);
    if (this.receiver.lapped !== laps) throw new Error('the shard has been lapped');
  }

  /** As `publish`, and the shard reads it. */
  tell(type: string, symbol: string, data?: unknown): number {
    const seq = this.publish(type, symbol, data);
    this.read();
    return seq;
  }

  /** Id of a topic that has been published. */
  topic(type: string, symbol: string): number {
    const found = this.catalog.matching({ exchanges: [], symbols: [symbol], dataTypes: [type] });
    if (found.length !== 1) throw new Error(`${found.length} topics are ${type} of ${symbol}`);
    return found[0]!;
  }
}
