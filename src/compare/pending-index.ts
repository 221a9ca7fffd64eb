import { Deque } from '../util/deque.ts';
import { getOrAdd } from '../util/get-or-add.ts';
import type { Entry } from './entry.ts';

/** Pending publications of one server by a part of their identity, the oldest first. */
export class PendingIndex {
  readonly #entries = new Map<string, Deque<Entry>>();
  readonly #keyOf: (entry: Entry) => string | undefined;

  /** @param keyOf undefined for one that cannot be found here */
  constructor(keyOf: (entry: Entry) => string | undefined) {
    this.#keyOf = keyOf;
  }

  /** Keys under which something is held. */
  get size(): number {
    return this.#entries.size;
  }

  add(entry: Entry): void {
    const key = this.#fullKeyOf(entry);
    if (key !== undefined) getOrAdd(this.#entries, key, () => new Deque()).push(entry);
  }

  /** The oldest of the same topic and key as `entry`, which belongs to the other side. */
  find(entry: Entry): Entry | undefined {
    const key = this.#fullKeyOf(entry);
    return key === undefined ? undefined : this.#entries.get(key)?.at(0);
  }

  /** To be called once the entry is settled. */
  forget(entry: Entry): void {
    const key = this.#fullKeyOf(entry);
    const same = key === undefined ? undefined : this.#entries.get(key);
    if (same === undefined) return;
    while (same.length > 0 && !same.at(0).isPending) same.shift();
    if (same.length === 0) this.#entries.delete(key!);
  }

  #fullKeyOf(entry: Entry): string | undefined {
    const key = this.#keyOf(entry);
    return key === undefined ? undefined : `${entry.topic.id} ${key}`;
  }
}
