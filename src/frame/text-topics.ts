import type { PublicationText } from '../dataflow/publication-text.ts';
import type { RegisteredTopic, TopicRegistry } from './topic-registry.ts';

/** Topics that are known by their bytes; when there are more, all are forgotten, and found anew as they come. */
const TOPICS_MAX = 65_536;
/** Topics of longer names are not known by their bytes. */
const NAME_BYTES_MAX = 256;

/** FNV-1a, 32 bits (Fowler, Noll, Vo). */
const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** A topic as it is named in a text. */
export interface TextTopic {
  readonly topic: RegisteredTopic;
  /** What its frames begin with, up to the payload. */
  readonly head: Uint8Array;
  /** The names' bytes. */
  readonly names: Uint8Array;
}

/**
 * Finds the topic of a publication that is a text by the bytes that name it, without making strings of them. Runs on the
 * primary thread. It knows topics only once the registry has them.
 */
export class TextTopics {
  readonly #registry: TopicRegistry;
  /** By the hash of their names: of two with the same hash the one that came last. */
  readonly #known = new Map<number, TextTopic>();
  readonly #names = new Uint8Array(NAME_BYTES_MAX);

  constructor(registry: TopicRegistry) {
    this.#registry = registry;
  }

  /** undefined where the topic is new, or normalising would give it another name. */
  find(text: PublicationText): TextTopic | undefined {
    const names = this.#names;
    const length = text.putNames(names);
    if (length > NAME_BYTES_MAX) return undefined;
    let hash = FNV_BASIS;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (names[i] as number), FNV_PRIME);
    const known = this.#known.get(hash);
    if (known !== undefined && isSame(known.names, names, length)) return known;
    return this.#add(hash, text, names.slice(0, length));
  }

  #add(hash: number, text: PublicationText, names: Uint8Array): TextTopic | undefined {
    const named = text.names();
    const topic = named === undefined ? undefined : this.#registry.knownTopicOf(named);
    if (topic === undefined) return undefined;
    if (this.#known.size >= TOPICS_MAX) this.#known.clear();
    const head = Buffer.from(`{"type":${JSON.stringify(topic.wireType)},"payload":`);
    const known: TextTopic = { topic, head, names };
    this.#known.set(hash, known);
    return known;
  }
}

function isSame(known: Uint8Array, names: Uint8Array, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== names[i]) return false;
  return true;
}
