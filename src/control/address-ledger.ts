/**
 * How many connections each address has, over all shards, for `limits.connectionsPerIp`. Lives on the primary, which the
 * shards ask before a handshake; kept by shard, so that a crashed one's are forgotten.
 */
export class AddressLedger {
  readonly #limit: number;
  readonly #total = new Map<string, number>();
  readonly #byShard = new Map<number, Map<string, number>>();

  /** @param limit connections an address may have; 0: no limit, and nothing is kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Addresses that have a connection. */
  get size(): number {
    return this.#total.size;
  }

  /** Takes a place for a connection. False: the address has as many as it may. */
  admit(shard: number, address: string): boolean {
    if (this.#limit === 0) return true;
    if ((this.#total.get(address) ?? 0) >= this.#limit) return false;
    shift(this.#total, address, 1);
    shift(this.#ofShard(shard), address, 1);
    return true;
  }

  leave(shard: number, address: string): void {
    const ofShard = this.#ofShard(shard);
    if (!ofShard.has(address)) return;
    shift(ofShard, address, -1);
    shift(this.#total, address, -1);
  }

  /** A shard's thread has ended, and its connections with it. */
  forget(shard: number): void {
    for (const [address, count] of this.#ofShard(shard)) shift(this.#total, address, -count);
    this.#byShard.delete(shard);
  }

  #ofShard(shard: number): Map<string, number> {
    const known = this.#byShard.get(shard) ?? new Map<string, number>();
    this.#byShard.set(shard, known);
    return known;
  }
}

function shift(counts: Map<string, number>, address: string, by: number): void {
  const count = (counts.get(address) ?? 0) + by;
  if (count > 0) counts.set(address, count);
  else counts.delete(address);
}
