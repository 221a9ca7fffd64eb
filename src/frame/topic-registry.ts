import type { Publication } from '../dataflow/publication.ts';
import type { TopicDirectoryWriter, TopicName } from '../ring/topic-directory.ts';
import { dataTypeSlot } from '../telemetry/statistics-block.ts';
import { TickcastError } from '../util/errors.ts';

/** A topic as the primary knows it: its id, what all its frames begin with, and how far its numbering has come. */
export interface RegisteredTopic extends TopicName {
  readonly id: number;
  readonly wireType: string;
  /** Statistics slot of the data type. */
  readonly slot: number;
  /** Start of every frame's text: envelope, then the fields of the payload that name the topic. */
  readonly head: string;
  /** True where the payload has a field before `timestamp` already. */
  readonly headHasFields: boolean;
  /** How its publications may be conflated: EVERY, LATEST or BOOK_UPDATE of delivery/delivery-policy.ts. */
  readonly policy: number;
  /** seq of the newest publication; 0 before the first. */
  seq: number;
  /** Of the one before that; 0 for none. */
  prevSeq: number;
  /** Ring position of the newest publication's record. */
  position: number;
  /** Publications so far: the ordinal of the newest one. */
  publications: number;
  /** When the newest publication should have left its source, µs since the epoch. */
  dueUs: number;
  /** ms since the epoch of the newest publication. */
  lastPublicationMs: number;
}

type Level<T> = Map<string | null, T>;

/**
 * Interns topics: (exchange, symbol, data type) to a small integer. Runs on the primary thread, once a publication, so
 * the way to a known topic is three lookups of strings whose hashes are known, and no new string.
 */
export class TopicRegistry {
  readonly #directory: TopicDirectoryWriter;
  readonly #topics: Level<Level<Level<RegisteredTopic>>> = new Map();
  readonly #all: RegisteredTopic[] = [];
  readonly #policyOf: (dataType: string | null) => number;

  /** @param policyOf how publications of a data type may be conflated, see delivery/delivery-policy.ts */
  constructor(directory: TopicDirectoryWriter, policyOf: (dataType: string | null) => number) {
    this.#directory = directory;
    this.#policyOf = policyOf;
  }

  get size(): number {
    return this.#all.length;
  }

  /** In the order of their ids. */
  all(): readonly RegisteredTopic[] {
    return this.#all;
  }

  /** The topic of a normalised publication. Throws TOPIC_LIMIT_REACHED when it would be one too many. */
  topicOf(publication: Publication): RegisteredTopic {
    return this.knownTopicOf(publication) ?? this.#register(publication);
  }

  /** As `topicOf`; undefined where the topic has not been registered. */
  knownTopicOf(publication: Publication): RegisteredTopic | undefined {
    const ofExchange = this.#topics.get(nameOf(publication.exchange));
    return ofExchange?.get(nameOf(publication.symbol))?.get(dataTypeOf(publication));
  }

  #register(publication: Publication): RegisteredTopic {
    const name: TopicName = {
      exchange: nameOf(publication.exchange),
      symbol: nameOf(publication.symbol),
      dataType: dataTypeOf(publication),
    };
    const id = this.#directory.add(name);
    if (id < 0) {
      throw new TickcastError('TOPIC_LIMIT_REACHED', 'No room for another topic, or its name is too long', {
        topics: this.size,
        topic: JSON.stringify(name).slice(0, 200),
      });
    }
    const topic = newTopic(id, name, nameOf(publication.type), this.#policyOf(name.dataType));
    this.#all.push(topic);
    const ofExchange = level(this.#topics, name.exchange);
    level(ofExchange, name.symbol).set(name.dataType, topic);
    return topic;
  }
}

function newTopic(id: number, name: TopicName, type: string | null, policy: number): RegisteredTopic {
  const wireType = type ?? 'data';
  const fields: string[] = [];
  if (type !== null) fields.push(`"type":${JSON.stringify(type)}`);
  if (name.exchange !== null) fields.push(`"exchange":${JSON.stringify(name.exchange)}`);
  if (name.symbol !== null) fields.push(`"symbol":${JSON.stringify(name.symbol)}`);
  return {
    ...name,
    id,
    wireType,
    slot: dataTypeSlot(wireType),
    head: `{"type":${JSON.stringify(wireType)},"payload":{${fields.join(',')}`,
    headHasFields: fields.length > 0,
    policy,
    seq: 0,
    prevSeq: 0,
    position: -1,
    publications: 0,
    dueUs: 0,
    lastPublicationMs: 0,
  };
}

function level<T>(levels: Level<Level<T>>, key: string | null): Level<T> {
  let next = levels.get(key);
  if (next === undefined) {
    next = new Map();
    levels.set(key, next);
  }
  return next;
}

/** A field names a topic only as a string; anything else is forwarded and names none. */
function nameOf(field: unknown): string | null {
  return typeof field === 'string' ? field : null;
}

function dataTypeOf({ type, data }: Publication): string | null {
  return type === 'kline' ? klineDataType(data) : nameOf(type);
}

/** Klines of different intervals are different topics, though all go out as `kline`. */
function klineDataType(data: unknown): string {
  const interval = (data as { interval?: unknown } | null | undefined)?.interval;
  return typeof interval === 'string' && interval !== '' ? `kline_${interval}` : 'kline';
}
