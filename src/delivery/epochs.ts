import type { NumberingName } from '../frame/numbering.ts';

/** The names of the numbering, as a shard knows them. The primary says when there is another. */
export class Epochs {
  #name: NumberingName;

  constructor(name: NumberingName) {
    this.#name = name;
  }

  /** The present one. */
  get current(): string {
    return this.#name.epoch;
  }

  change(name: NumberingName): void {
    this.#name = name;
  }

  /** Whether a client may have it from another gateway, which has published what this one has not. */
  isShared(epoch: string): boolean {
    return epoch === this.#name.shared;
  }

  /** Whether a client that has come to `seq` under the name `epoch` has come to it in this numbering. */
  covers(epoch: string, seq: number): boolean {
    const { epoch: current, former } = this.#name;
    return epoch === current || former.some((each) => each.epoch === epoch && seq <= each.upToSeq);
  }
}
