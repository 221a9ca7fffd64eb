import { hoistedFields } from '../../src/dataflow/hoist.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateRing } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { allocateTopicDirectory, TopicDirectoryReader, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { textsOf } from './received-frames.ts';
import { copyOf, type ReceivedRecord } from './ring-records.ts';

export interface FrameStageOptions {
  ringBytes?: number;
  topicsMax?: number;
  payloadBytesMax?: number;
  /** Characters of the latest frames that are kept. */
  latestLengthMax?: number;
  /** Adds the fields that older front ends look for; off, so that a payload is the publication. */
  hoists?: boolean;
  /** Called with each announcement. */
  published?: () => void;
}

export interface DataFrame {
  type: string;
  payload: Record<string, unknown>;
  timestamp: number;
  seq: number;
  prevSeq: number;
}

/** The frame stage with a ring of its own and one receiver at its other end. */
export class FrameStage {
  readonly ring;
  readonly directoryMemory;
  readonly registry: TopicRegistry;
  readonly publisher: FramePublisher;
  readonly receiver: Receiver;
  readonly directory: TopicDirectoryReader;
  /** Publications announced as standing in the ring. */
  announced = 0;

  constructor(options: FrameStageOptions = {}) {
    const { ringBytes = 2 ** 20, topicsMax = 100, payloadBytesMax = 0, latestLengthMax = 2 ** 20 } = options;
    this.ring = allocateRing(ringBytes);
    this.directoryMemory = allocateTopicDirectory(topicsMax);
    const directory = new TopicDirectoryWriter(this.directoryMemory);
    this.registry = new TopicRegistry(directory, latestLengthMax);
    this.publisher = new FramePublisher({
      registry: this.registry,
      directory,
      transmitter: new Transmitter(this.ring),
      hoistedFields: options.hoists ? hoistedFields : () => '',
      published: () => {
        this.announced++;
        options.published?.();
      },
      payloadBytesMax,
    });
    this.receiver = new Receiver(this.ring);
    this.directory = new TopicDirectoryReader(this.directoryMemory);
  }

  publish(publication: object, dueUs = 1, receivedAtAdded = false): void {
    this.publisher.publish(publication as Publication, { source: 'test', dueUs, receivedAtAdded });
  }

  /** All records since the last call. */
  records(): ReceivedRecord[] {
    const records: ReceivedRecord[] = [];
    while (this.receiver.receive((record) => records.push(copyOf(record))) > 0);
    return records;
  }

  /** Texts of all records since the last call. */
  texts(): string[] {
    return this.records().flatMap(({ frame }) => textsOf(frame));
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
