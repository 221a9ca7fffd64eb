import type { Publication } from '../dataflow/publication.ts';
import type { SourceNumber } from '../dataflow/source-number.ts';

/** Longest name of a numbering that counts, in UTF-16 units. */
const NAME_LENGTH_MAX = 256;

/**
 * Reads the number that a line gives itself: `seq`, a whole number from 1 that rises by one from line to line, and `epoch`,
 * the name of that numbering where the feed begins it anew with each of its own starts. Every gateway that reads the feed
 * finds the same.
 */
export class LineNumbers {
  readonly #prefix: string;
  #lastSeq = 0;
  #lastNumbering = '';

  /** @param prefix sets the numberings of one kind of source apart from those of others */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** undefined where the line has no number. */
  read({ seq, epoch }: Publication): SourceNumber | undefined {
    if (!Number.isSafeInteger(seq) || (seq as number) < 1) return undefined;
    const isNamed = typeof epoch === 'string' && epoch.length <= NAME_LENGTH_MAX;
    const numbering = isNamed ? `${this.#prefix}:${epoch}` : this.#prefix;
    const follows = numbering === this.#lastNumbering && seq === this.#lastSeq + 1;
    this.#lastSeq = seq as number;
    this.#lastNumbering = numbering;
    return { numbering, seq: seq as number, follows };
  }
}
