import { hoistedFields } from '../../src/dataflow/hoist.ts';
import { putHoisted } from '../../src/dataflow/hoisted-text.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { type ConflationOptions, policyOf } from '../../src/delivery/delivery-policy.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateRing, FRAME } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { allocateSequenceIndex, SequenceIndexReader, SequenceIndexWriter } from '../../src/ring/sequence-index.ts';
import { allocateTopicDirectory, TopicDirectoryReader, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { textsOf } from './received-frames.ts';
import { type RingBook, readBook } from './ring-books.ts';
import { copyOf, type ReceivedRecord } from './ring-records.ts';

export interface FrameStageOptions {
  ringBytes?: number;
  topicsMax?: number;
  payloadBytesMax?: number;
  conflation?: ConflationOptions;
  /** Adds the fields that older front ends look for; off, so that a payload is the publication. */
  hoists?: boolean;
  /** Called with each announcement. */
  published?: () => void;
}

const CONFLATION: ConflationOptions = { latest: ['ticker', 'kline'], book: ['depth'] };

export interface DataFrame {
  type: string;
  payload: Record<string, unknown>;
  timestamp: number;
  seq: number;
  prevSeq: number;
}

/** A record and where it stands. */
export interface PlacedRecord extends ReceivedRecord {
  at: number;
}

/** The frame stage with a ring of its own and one receiver at its other end. */
export class FrameStage {
  readonly ring;
  readonly directoryMemory;
  readonly indexMemory;
  readonly registry: TopicRegistry;
  readonly publisher: FramePublisher;
  readonly receiver: Receiver;
  /** Reads what lies behind, without a place of its own in the ring. */
  readonly history: Receiver;
  readonly directory: TopicDirectoryReader;
  readonly index: SequenceIndexReader;
  /** Publications announced as standing in the ring. */
  announced = 0;

  constructor(options: FrameStageOptions = {}) {
    const { ringBytes = 2 ** 20, topicsMax = 100, payloadBytesMax = 0, conflation = CONFLATION } = options;
    this.ring = allocateRing(ringBytes);
    this.directoryMemory = allocateTopicDirectory(topicsMax);
    const directory = new TopicDirectoryWriter(this.directoryMemory);
    this.indexMemory = allocateSequenceIndex(this.ring.capacity);
    this.registry = new TopicRegistry(directory, (dataType) => policyOf(dataType, conflation));
    this.publisher = new FramePublisher({
      registry: this.registry,
      directory,
      index: new SequenceIndexWriter(this.indexMemory),
      transmitter: new Transmitter(this.ring),
      hoistedFields: options.hoists ? hoistedFields : () => '',
      putHoisted: options.hoists ? putHoisted : (_text, _type, _into, at) => at,
      published: () => {
        this.announced++;
        options.published?.();
      },
      payloadBytesMax,
    });
    this.receiver = new Receiver(this.ring);
    this.history = new Receiver(this.ring);
    this.directory = new TopicDirectoryReader(this.directoryMemory);
    this.index = new SequenceIndexReader(this.indexMemory);
  }

  publish(publication: object, dueUs = 1, receivedAtAdded = false): void {
    this.publisher.publish(publication as Publication, { source: 'test', dueUs, receivedAtAdded });
  }

  /** All records since the last call. */
  records(): PlacedRecord[] {
    const records: PlacedRecord[] = [];
    while (this.receiver.receive((record) => records.push({ ...copyOf(record), at: record.at })) > 0);
    return records;
  }

  /** Texts of all publications since the last call; what was written once more aside. */
  texts(): string[] {
    return this.records()
      .filter(({ kind }) => kind === FRAME)
      .flatMap(({ frame }) => textsOf(frame));
  }

  /** The topic's latest record, found as a shard finds it; undefined where it cannot be read. */
  latest(topic: number): PlacedRecord | undefined {
    const { history } = this;
    return history.readAt(this.directory.latest(topic)) ? { ...copyOf(history), at: history.at } : undefined;
  }

  /** Text of the topic's latest record; undefined where it cannot be read. */
  latestText(topic: number): string | undefined {
    const record = this.latest(topic);
    return record === undefined ? undefined : textsOf(record.frame)[0];
  }

  /** The topic's full book, built as a shard builds it; undefined where it cannot be. */
  book(topic: number): RingBook | undefined {
    return readBook(this.history, this.directory, topic);
  }

  frames(): DataFrame[] {
    return this.texts().map((text) => JSON.parse(text) as DataFrame);
  }

  /** Publishes one and gives its frame. */
  frameOf(publication: object): DataFrame {
    this.publish(publication);
    const frames = this.frames();
    if (frames.length !== 1) throw new Error(`${frames.length} frames came of one publication`);
    return frames[0]!;
  }
}
