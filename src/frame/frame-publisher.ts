import type { Publication, PublicationContext } from '../dataflow/publication.ts';
import type { PublicationText } from '../dataflow/publication-text.ts';
import type { SourceNumber } from '../dataflow/source-number.ts';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY } from '../delivery/delivery-policy.ts';
import { type Depth, readDepth } from '../delivery/depth.ts';
import { FRAME } from '../ring/layout.ts';
import type { SequenceIndexWriter } from '../ring/sequence-index.ts';
import type { TopicDirectoryWriter } from '../ring/topic-directory.ts';
import type { RecordFields, Transmitter } from '../ring/transmitter.ts';
import { TickcastError } from '../util/errors.ts';
import { FrameWriter, frameText, UTF8_BYTES_PER_UNIT_MAX } from './frame-writer.ts';
import { LatestKeeper } from './latest-keeper.ts';
import { Numbering } from './numbering.ts';
import { payloadText } from './payload-text.ts';
import { type PutHoisted, TextFrameWriter } from './text-frame.ts';
import { TextTopics } from './text-topics.ts';
import type { RegisteredTopic, TopicRegistry } from './topic-registry.ts';

export interface FramePublisherParts {
  /** By default one that counts. */
  numbering?: Numbering;
  registry: TopicRegistry;
  directory: TopicDirectoryWriter;
  index: SequenceIndexWriter;
  transmitter: Transmitter;
  /** JSON of the fields that older front ends look for at the top of a payload, with a comma in front; or ''. */
  hoistedFields: (publication: Publication) => string;
  /** As `hoistedFields`, of publications that are texts; without it none of them is taken as it is. */
  putHoisted?: PutHoisted;
  /** Called when a publication stands in the ring: wakes the shards that sleep. */
  published: () => void;
  /** `limits.payloadBytes`; 0: as much as the ring takes. */
  payloadBytesMax: number;
}

/** Room for what surrounds a publication's fields: a topic's name (≤ 1,024 bytes, its type twice), times and numbers. */
const ENVELOPE_BYTES_MAX = 4_096;

/**
 * A text of no more than this part of the limit surely is within it: printed anew it may be six times as long, by numbers
 * such as 1e20, and what is hoisted is there twice.
 */
const TEXT_PART = 16;

/**
 * Stage 3. Builds the wire bytes of a publication once, straight into the ring. Runs on the primary thread. In:
 * a normalised publication, or the text of one. Out: one text frame in the ring, ready for any number of sockets, numbered by `seq`, chained to
 * its topic's frame before by `prevSeq`.
 */
export class FramePublisher {
  readonly #parts: FramePublisherParts;
  readonly #numbering: Numbering;
  readonly #fieldBytesMax: number;
  readonly #writer: FrameWriter;
  readonly #texts: TextFrameWriter | undefined;
  readonly #textTopics: TextTopics;
  readonly #textBytesMax: number;
  readonly #keeper: LatestKeeper;
  /** Of the record that is being written; one object for all. */
  readonly #record: RecordFields = {
    kind: FRAME,
    topic: 0,
    slot: 0,
    policy: 0,
    seq: 0,
    dueUs: 0,
    previous: 0,
    ordinal: 0,
    prevSeq: 0,
  };
  #publications = 0;
  #bytes = 0;

  constructor(parts: FramePublisherParts) {
    this.#parts = parts;
    this.#numbering = parts.numbering ?? new Numbering();
    const { registry, directory, transmitter, payloadBytesMax } = parts;
    const ringMax = transmitter.payloadBytesMax - ENVELOPE_BYTES_MAX;
    this.#fieldBytesMax = payloadBytesMax === 0 ? ringMax : Math.min(payloadBytesMax, ringMax);
    this.#writer = new FrameWriter(transmitter);
    const { putHoisted } = parts;
    this.#texts = putHoisted === undefined ? undefined : new TextFrameWriter(transmitter, putHoisted);
    this.#textTopics = new TextTopics(registry);
    this.#textBytesMax = this.#fieldBytesMax / TEXT_PART;
    this.#keeper = new LatestKeeper({
      registry,
      directory,
      transmitter,
      writer: this.#writer,
      fieldBytesMax: this.#fieldBytesMax,
    });
  }

  /** seq of the newest publication; 0 before the first. */
  get seq(): number {
    return this.#numbering.seq;
  }

  /** So far. */
  get publications(): number {
    return this.#publications;
  }

  /** Bytes of all frames so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Latest values written once more before the ring overwrote them, and those that there was no room for, so far. */
  get latestValues(): { carried: number; forgotten: number } {
    const { carried, forgotten } = this.#keeper;
    return { carried, forgotten };
  }

  /**
   * Publishes one publication.
   * @throws TickcastError PUBLICATION_NOT_SERIALISABLE, PUBLICATION_TOO_LARGE or TOPIC_LIMIT_REACHED; nothing has been
   *   published then, and the next one goes through
   */
  publish(publication: Publication, context: PublicationContext): void {
    const { hoistedFields, transmitter } = this.#parts;
    const fields = payloadText(publication, context.receivedAtAdded) + hoistedFields(publication);
    this.#checkSize(fields);
    const topic = this.#topicOf(publication);
    const depth = topic.policy === BOOK_UPDATE ? readDepth(publication.data) : undefined;
    const seq = this.#numbering.next(context.number);
    const now = Date.now();
    const text = frameText(topic, fields, now, seq, topic.seq);
    this.#keeper.makeRoom(this.#writer.claimBytes(text));
    this.#describe(topic, depth, seq, context.dueUs);
    const position = this.#writer.commit(text, this.#record);
    const { frameBytes } = this.#writer;
    this.#number(topic, position, context.number);
    this.#keeper.committed(topic, position, frameBytes, depth, publication, context);
    this.#show(topic, position, frameBytes, now);
    if (depth !== undefined && this.#keeper.keyFrame(topic)) transmitter.publish();
    this.#parts.published();
  }

  /**
   * Publishes one publication as the text that it is, where that says the same: its topic is known, its fields are written
   * as `publish` would have them, and nothing has to be read out of it.
   * @returns false where it has to be parsed and published; nothing has happened then
   */
  publishText(text: PublicationText, dueUs: number, number: SourceNumber | undefined): boolean {
    const writer = this.#texts;
    if (writer === undefined || text.end - text.start > this.#textBytesMax) return false;
    const found = this.#textTopics.find(text);
    if (found === undefined || found.topic.policy === BOOK_UPDATE) return false;
    const { topic } = found;
    const now = Date.now();
    this.#keeper.makeRoom(writer.claimBytes(text));
    this.#describe(topic, undefined, this.#numbering.next(number), dueUs);
    const position = writer.commit(text, found, now, this.#record);
    const { frameBytes } = writer;
    this.#number(topic, position, number);
    this.#keeper.committed(topic, position, frameBytes);
    this.#show(topic, position, frameBytes, now);
    this.#parts.published();
    return true;
  }

  /** The record that has been committed gets its number for good. */
  #number(topic: RegisteredTopic, position: number, number: SourceNumber | undefined): void {
    const { index } = this.#parts;
    const { seq } = this.#record;
    const completeFrom = this.#numbering.take(seq, number);
    if (completeFrom !== undefined) index.beginCompleteness(completeFrom);
    index.set(seq, position, topic.id);
  }

  /** Makes it visible, and the topic's newest. */
  #show(topic: RegisteredTopic, position: number, frameBytes: number, nowMs: number): void {
    this.#parts.transmitter.publish();
    this.#publications++;
    this.#bytes += frameBytes;
    topic.prevSeq = topic.seq;
    topic.seq = this.#record.seq;
    topic.position = position;
    topic.dueUs = this.#record.dueUs;
    topic.publications++;
    topic.lastPublicationMs = nowMs;
  }

  /** Which topics there is no room for depends on those that came before: elsewhere there may be. */
  #topicOf(publication: Publication): RegisteredTopic {
    try {
      return this.#parts.registry.topicOf(publication);
    } catch (thrown) {
      this.#numbering.missed();
      throw thrown;
    }
  }

  #describe(topic: RegisteredTopic, depth: Depth | undefined, seq: number, dueUs: number): void {
    const record = this.#record;
    record.topic = topic.id;
    record.slot = topic.slot;
    record.policy = policyOf(topic, depth);
    record.seq = seq;
    record.dueUs = dueUs;
    record.previous = topic.position;
    record.ordinal = topic.publications + 1;
    record.prevSeq = topic.seq;
  }

  /** The limit counts the publication's own fields; the envelope comes on top. */
  #checkSize(fields: string): void {
    const max = this.#fieldBytesMax;
    if (fields.length * UTF8_BYTES_PER_UNIT_MAX <= max) return;
    const bytes = Buffer.byteLength(fields);
    if (bytes <= max) return;
    throw new TickcastError('PUBLICATION_TOO_LARGE', `A publication of ${bytes} bytes; allowed are ${max}`, {
      bytes,
      allowed: max,
    });
  }
}

/** A depth publication that tells no book cannot be merged with others. */
function policyOf({ policy }: RegisteredTopic, depth: Depth | undefined): number {
  if (policy !== BOOK_UPDATE) return policy;
  if (depth === undefined) return EVERY;
  return depth.isSnapshot ? BOOK_SNAPSHOT : BOOK_UPDATE;
}
