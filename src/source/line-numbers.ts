import { SOURCE_SEQ_MAX, type SourceNumber } from '../dataflow/source-number.ts';

/** Longest name of a numbering that counts, in UTF-16 units. */
const NAME_LENGTH_MAX = 256;

/**
 * Reads the number that a line gives itself: `seq`, a whole number from 1 that rises by one from line to line, and `epoch`,
 * the name of that numbering, a text or a number, where the feed begins it anew with each of its own starts. Every gateway
 * that reads the feed finds the same.
 */
export class LineNumbers {
  readonly #prefix: string;
  #lastSeq = 0;
  #lastNumbering = '';
  #unbrokenFrom = 0;

  /** @param prefix sets the numberings of one kind of source apart from those of others */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** undefined where the line has no number. */
  read(seq: unknown, epoch: unknown): SourceNumber | undefined {
    if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 1 || seq > SOURCE_SEQ_MAX) return undefined;
    const numbering = this.#named(epoch);
    if (numbering === undefined) return undefined;
    if (numbering !== this.#lastNumbering || seq !== this.#lastSeq + 1) this.#unbrokenFrom = seq;
    this.#lastSeq = seq;
    this.#lastNumbering = numbering;
    return { numbering, seq, unbrokenFrom: this.#unbrokenFrom };
  }

  /** undefined for what is no name. */
  #named(epoch: unknown): string | undefined {
    if (epoch === undefined || epoch === null) return this.#prefix;
    if (typeof epoch !== 'string' && typeof epoch !== 'number') return undefined;
    const name = String(epoch);
    return name.length <= NAME_LENGTH_MAX ? `${this.#prefix}:${name}` : undefined;
  }
}
