import type { Publication, PublicationContext } from '../dataflow/publication.ts';
import { BOOK_SNAPSHOT, isBook } from '../delivery/delivery-policy.ts';
import type { Depth } from '../delivery/depth.ts';
import { Compactor, type Rescue } from '../ring/compactor.ts';
import { BOOK, recordBytes } from '../ring/layout.ts';
import type { TopicDirectoryWriter } from '../ring/topic-directory.ts';
import type { RecordFields, Transmitter } from '../ring/transmitter.ts';
import { BookKeeper } from './book-keeper.ts';
import { type FrameWriter, frameText } from './frame-writer.ts';
import type { RegisteredTopic, TopicRegistry } from './topic-registry.ts';

export interface LatestKeeperParts {
  registry: TopicRegistry;
  directory: TopicDirectoryWriter;
  transmitter: Transmitter;
  writer: FrameWriter;
  /** Largest text of a payload's fields, in bytes. */
  fieldBytesMax: number;
}

/** Part of the ring that latest values may take; the rest is history. */
const VALUES_PART = 4;

/**
 * Keeps the latest value of every topic in the ring: before the record that holds it is overwritten, it is written once
 * more further on; an order book, whose value is the sum of its updates, as a key frame. So any shard can read any
 * topic's latest value at any time, also one that has just started. Runs on the primary thread, for each publication.
 */
export class LatestKeeper {
  /** Latest values that there was no room for, so far. */
  forgotten = 0;
  /** Records written once more, so far. */
  carried = 0;
  readonly #parts: LatestKeeperParts;
  readonly #compactor: Compactor;
  readonly #books = new BookKeeper();
  /** Of each topic's latest value, 0 where there is none; and of all together. */
  readonly #bytes: number[] = [];
  #bytesInAll = 0;
  readonly #bytesMax: number;

  constructor(parts: LatestKeeperParts) {
    this.#parts = parts;
    this.#compactor = new Compactor(parts.transmitter, (topic, position) => this.#leaving(topic, position));
    this.#bytesMax = parts.transmitter.capacity / VALUES_PART;
  }

  /** Call before each claim. */
  makeRoom(payloadBytes: number): void {
    this.#compactor.makeRoom(payloadBytes);
  }

  /**
   * Call when a publication has been committed, before it is published.
   * @param depth what it says of an order book, where it does; then with the publication that says so
   */
  committed(
    topic: RegisteredTopic,
    position: number,
    frameBytes: number,
    depth?: Depth,
    publication?: Publication,
    context?: PublicationContext,
  ): void {
    const { directory } = this.#parts;
    const bytes = recordBytes(frameBytes);
    directory.setLatest(topic.id, position);
    const change = depth === undefined ? 'none' : this.#books.apply(topic.id, depth, publication!, context!, bytes);
    // As long as there is a book, that is the latest value, and not what the publication says alone.
    if (change === 'update' || (change === 'none' && isBook(topic.policy) && this.#books.has(topic.id))) return;
    if (change === 'base') directory.setBook(topic.id, position);
    this.#stands(topic.id, position, bytes);
  }

  /** Call when the publication is published: writes a key frame where one is due. Returns whether there was. */
  keyFrame(topic: RegisteredTopic): boolean {
    if (!this.#books.isKeyFrameDue(topic.id)) return false;
    const rescue = this.#keyFrame(topic);
    if (rescue === undefined) return false;
    this.makeRoom(rescue.payloadBytes);
    rescue.write();
    return true;
  }

  #leaving(id: number, position: number): Rescue | undefined {
    const topic = this.#parts.registry.all()[id]!;
    if (this.#bytesInAll > this.#bytesMax) return this.#forget(topic);
    if (this.#books.has(id)) return this.#keyFrame(topic) ?? this.#forget(topic);
    const { transmitter, directory } = this.#parts;
    const record = transmitter.copyOf(position);
    return {
      payloadBytes: record.length,
      write: () => {
        const copy = transmitter.carry(record);
        this.#compactor.stands(id, copy);
        directory.setLatest(id, copy);
        this.carried++;
      },
    };
  }

  #keyFrame(topic: RegisteredTopic): Rescue | undefined {
    const { writer, directory, fieldBytesMax } = this.#parts;
    const fields = this.#books.fields(topic);
    if (fields === undefined || Buffer.byteLength(fields) > fieldBytesMax) {
      this.#books.putOff(topic.id);
      return undefined;
    }
    const text = frameText(topic, fields, Date.now(), topic.seq, topic.prevSeq);
    // Counted at once: further records may leave before it is written.
    this.#count(topic.id, recordBytes(text.length));
    return {
      payloadBytes: writer.claimBytes(text),
      write: () => {
        const position = writer.commit(text, keyFrameFields(topic));
        const bytes = recordBytes(writer.frameBytes);
        this.#books.based(topic.id, bytes);
        this.#stands(topic.id, position, bytes);
        directory.setBook(topic.id, position);
        directory.setLatest(topic.id, position);
        this.carried++;
      },
    };
  }

  #stands(id: number, position: number, bytes: number): void {
    this.#count(id, bytes);
    this.#compactor.stands(id, position);
  }

  #count(id: number, bytes: number): void {
    while (this.#bytes.length <= id) this.#bytes.push(0);
    this.#bytesInAll += bytes - (this.#bytes[id] as number);
    this.#bytes[id] = bytes;
  }

  /** All latest values together are too much for the ring, or this one is: it goes, until the topic publishes again. */
  #forget({ id, seq, publications: ordinal, slot, policy }: RegisteredTopic): undefined {
    this.#books.forget(id);
    this.#count(id, 0);
    this.#parts.directory.giveUp(id, { seq, ordinal, slot, policy });
    this.forgotten++;
    return undefined;
  }
}

function keyFrameFields({ id, slot, seq, prevSeq, position, publications, dueUs }: RegisteredTopic): RecordFields {
  const policy = BOOK_SNAPSHOT;
  return { kind: BOOK, topic: id, slot, policy, seq, dueUs, previous: position, ordinal: publications, prevSeq };
}
