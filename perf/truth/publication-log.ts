import type { TopicName } from '../../src/ring/topic-directory.ts';
import { GrowingNumbers } from './growing-numbers.ts';
import { topicKey } from './wire-message.ts';

/** One topic, and the seq of each of its publications that is still known, in order. */
export interface LoggedTopic {
  readonly index: number;
  readonly name: TopicName;
  readonly seqs: GrowingNumbers;
  /** How many came before these, and the seq of the last of them. */
  forgotten: number;
  lastForgotten: number;
  /** Publications, by seq, that must never be merged although others of the topic may be. */
  readonly unmergeable: Set<number>;
}

/**
 * What the source really published: the judge of everything that a gateway says. seq is the count of accepted publications, so
 * whoever feeds the gateway knows it without being told. Some ten bytes a publication; what is not needed any more can be
 * forgotten.
 */
export class PublicationLog {
  readonly topics: LoggedTopic[] = [];
  readonly #byKey = new Map<string, LoggedTopic>();
  /** Index of the topic, by seq - 1 - base. */
  readonly #topicOfSeq = new GrowingNumbers();
  #base = 0;

  /** seq of the newest publication. */
  get total(): number {
    return this.#base + this.#topicOfSeq.length;
  }

  /** Everything up to this seq has been forgotten, but for the last publication of each topic. */
  get base(): number {
    return this.#base;
  }

  /** Adds the next publication. Returns its seq. */
  add(name: TopicName, mergeable = true): number {
    const topic = this.topic(name) ?? this.#register(name);
    this.#topicOfSeq.push(topic.index);
    const seq = this.total;
    topic.seqs.push(seq);
    if (!mergeable) topic.unmergeable.add(seq);
    return seq;
  }

  topic(name: TopicName): LoggedTopic | undefined {
    return this.#byKey.get(topicKey(name));
  }

  /** Forgets what no client that is judged from now on can have been told of, or refer to. */
  forget(upToSeq: number): void {
    const count = Math.min(upToSeq, this.total) - this.#base;
    if (count <= 0) return;
    this.#topicOfSeq.dropFirst(count);
    this.#base += count;
    for (const topic of this.topics) forgetIn(topic, this.#base);
  }

  /** Which publication of its topic this was, from 1; 0 where it is none of the topic's, or forgotten. */
  ordinalOf(topic: LoggedTopic, seq: number): number {
    if (seq >= 1 && seq === topic.lastForgotten) return topic.forgotten;
    if (seq <= this.#base || seq > this.total || this.#topicOfSeq.at(seq - 1 - this.#base) !== topic.index) return 0;
    return topic.forgotten + topic.seqs.countUpTo(seq);
  }

  /** seq of the topic's publication with this ordinal; 0 where it is forgotten. */
  seqAt(topic: LoggedTopic, ordinal: number): number {
    if (ordinal > topic.forgotten) return topic.seqs.at(ordinal - topic.forgotten - 1);
    return ordinal === topic.forgotten ? topic.lastForgotten : 0;
  }

  /** Publications of the topic behind `after`, up to and with `upTo`. */
  countBetween(topic: LoggedTopic, after: number, upTo: number): number {
    return Math.max(0, topic.seqs.countUpTo(upTo) - topic.seqs.countUpTo(after));
  }

  #register(name: TopicName): LoggedTopic {
    const { exchange, symbol, dataType } = name;
    const topic: LoggedTopic = {
      index: this.topics.length,
      name: { exchange, symbol, dataType },
      seqs: new GrowingNumbers(),
      forgotten: 0,
      lastForgotten: 0,
      unmergeable: new Set(),
    };
    this.topics.push(topic);
    this.#byKey.set(topicKey(name), topic);
    return topic;
  }
}

function forgetIn(topic: LoggedTopic, base: number): void {
  const count = topic.seqs.countUpTo(base);
  if (count === 0) return;
  topic.lastForgotten = topic.seqs.at(count - 1);
  topic.forgotten += count;
  topic.seqs.dropFirst(count);
  for (const seq of topic.unmergeable) if (seq <= base) topic.unmergeable.delete(seq);
}
