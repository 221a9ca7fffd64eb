import type { TopicName } from '../../src/ring/topic-directory.ts';
import { GrowingNumbers } from './growing-numbers.ts';
import { topicKey } from './wire-message.ts';

/** One topic, and the seq of each of its publications, in order. */
export interface LoggedTopic {
  readonly index: number;
  readonly name: TopicName;
  readonly seqs: GrowingNumbers;
  /** Publications, by seq, that must never be merged although others of the topic may be. */
  readonly unmergeable: Set<number>;
}

/**
 * What the source really published: the judge of everything that a gateway says. seq is the count of accepted publications, so
 * whoever feeds the gateway knows it without being told. Some ten bytes a publication.
 */
export class PublicationLog {
  readonly topics: LoggedTopic[] = [];
  readonly #byKey = new Map<string, LoggedTopic>();
  /** Index of the topic, by seq - 1. */
  readonly #topicOfSeq = new GrowingNumbers();

  /** seq of the newest publication. */
  get total(): number {
    return this.#topicOfSeq.length;
  }

  /** Adds the next publication. Returns its seq. */
  add(name: TopicName, mergeable = true): number {
    const topic = this.topic(name) ?? this.#register(name);
    this.#topicOfSeq.push(topic.index);
    const seq = this.#topicOfSeq.length;
    topic.seqs.push(seq);
    if (!mergeable) topic.unmergeable.add(seq);
    return seq;
  }

  topic(name: TopicName): LoggedTopic | undefined {
    return this.#byKey.get(topicKey(name));
  }

  /** Which publication of its topic this was, from 1; 0 where it is none of the topic's. */
  ordinalOf(topic: LoggedTopic, seq: number): number {
    if (seq < 1 || seq > this.total || this.#topicOfSeq.at(seq - 1) !== topic.index) return 0;
    return topic.seqs.countUpTo(seq);
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
      unmergeable: new Set(),
    };
    this.topics.push(topic);
    this.#byKey.set(topicKey(name), topic);
    return topic;
  }
}
