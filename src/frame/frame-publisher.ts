import type { Publication, PublicationContext } from '../dataflow/publication.ts';
import type { TopicDirectoryWriter } from '../ring/topic-directory.ts';
import type { Transmitter } from '../ring/transmitter.ts';
import { dataTypeSlot } from '../telemetry/statistics-block.ts';
import { TickcastError } from '../util/errors.ts';
import { TEXT, writeFrameHeader } from './frame-header.ts';
import { payloadText } from './payload-text.ts';
import type { RegisteredTopic, TopicRegistry } from './topic-registry.ts';

export interface FramePublisherParts {
  registry: TopicRegistry;
  directory: TopicDirectoryWriter;
  transmitter: Transmitter;
  /** JSON of the fields that older front ends look for at the top of a payload, with a comma in front; or ''. */
  hoistedFields: (publication: Publication) => string;
  /** Called when a publication stands in the ring: wakes the shards that sleep. */
  published: () => void;
  /** `limits.payloadBytes`; 0: as much as the ring takes. */
  payloadBytesMax: number;
}

/** The newest frame of a topic, as text. `dueUs`: when it was due, µs since the epoch. */
export interface LatestFrame {
  topic: number;
  seq: number;
  dueUs: number;
  slot: number;
  text: string;
}

/** Room for what surrounds a publication's fields: a topic's name (≤ 1,024 bytes, its type twice), times and numbers. */
const ENVELOPE_BYTES_MAX = 4_096;

/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/**
 * Stage 3. Builds the wire bytes of a publication once, straight into the ring. Runs on the primary thread. In:
 * a normalised publication. Out: one text frame in the ring, ready for any number of sockets, numbered by `seq`, chained to
 * its topic's frame before by `prevSeq`.
 */
export class FramePublisher {
  readonly #parts: FramePublisherParts;
  readonly #fieldBytesMax: number;
  #seq = 0;
  #bytes = 0;
  #headerBytes = 0;

  constructor(parts: FramePublisherParts) {
    this.#parts = parts;
    const ringMax = parts.transmitter.payloadBytesMax - ENVELOPE_BYTES_MAX;
    this.#fieldBytesMax = parts.payloadBytesMax === 0 ? ringMax : Math.min(parts.payloadBytesMax, ringMax);
  }

  /** seq of the newest publication; the first is 1. */
  get seq(): number {
    return this.#seq;
  }

  /** Bytes of all frames so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Publishes one publication.
   * @throws TickcastError PUBLICATION_NOT_SERIALISABLE, PUBLICATION_TOO_LARGE or TOPIC_LIMIT_REACHED; nothing has been
   *   published then, and the next one goes through
   */
  publish(publication: Publication, context: PublicationContext): void {
    const { registry, directory, transmitter, hoistedFields, published } = this.#parts;
    const fields = payloadText(publication, context.receivedAtAdded) + hoistedFields(publication);
    this.#checkSize(fields);
    const topic = registry.topicOf(publication);
    const seq = this.#seq + 1;
    const now = Date.now();
    const text = frameText(topic, fields, now, seq);
    const payloadBytes = this.#write(text);
    const headerBytes = this.#headerBytes;
    const slot = dataTypeSlot(topic.wireType);
    const frameBytes = headerBytes + payloadBytes;
    const position = transmitter.commit(payloadBytes, frameBytes, topic.id, slot, seq, context.dueUs, topic.position);
    directory.setLatest(topic.id, position);
    transmitter.publish();
    this.#seq = seq;
    this.#bytes += frameBytes;
    topic.seq = seq;
    topic.position = position;
    registry.remember(topic, text, context.dueUs);
    topic.publications++;
    topic.lastPublicationMs = now;
    published();
  }

  /** Newest frames of these topics, for a shard that can no longer read them from the ring. */
  latest(topics: readonly number[]): LatestFrame[] {
    const all = this.#parts.registry.all();
    return topics.flatMap((id) => {
      const topic = all[id];
      if (topic === undefined || topic.latest === '') return [];
      const { seq, wireType, latest: text, latestDueUs: dueUs } = topic;
      return [{ topic: id, seq, dueUs, slot: dataTypeSlot(wireType), text }];
    });
  }

  /** Writes text and header into the ring. Returns the bytes of the text. */
  #write(text: string): number {
    const { transmitter } = this.#parts;
    const most = Math.min(text.length * UTF8_BYTES_PER_UNIT_MAX, transmitter.payloadBytesMax);
    const at = transmitter.claim(most);
    const payloadBytes = transmitter.data.write(text, at, most);
    this.#headerBytes = writeFrameHeader(transmitter.data, at, payloadBytes, TEXT);
    return payloadBytes;
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

/** `seq` and `prevSeq` stand last, so that a chain can be mended without parsing the frame. */
function frameText(topic: RegisteredTopic, fields: string, now: number, seq: number): string {
  const rest = topic.headHasFields ? fields : fields.slice(1);
  return `${topic.head}${rest}},"timestamp":${now},"seq":${seq},"prevSeq":${topic.seq}}`;
}
