import { createHash, randomBytes } from 'node:crypto';
import type { SourceNumber } from '../dataflow/source-number.ts';

/** A name that the numbering had before, and the newest seq under it: up to there it is the same numbering. */
export interface FormerEpoch {
  readonly epoch: string;
  readonly upToSeq: number;
}

/** What clients know the numbering by. */
export interface NumberingName {
  readonly epoch: string;
  /** Oldest first. There are never more than a few. */
  readonly former: readonly FormerEpoch[];
}

/**
 * `open`: nothing has been published; `own`: the gateway counts by itself; `source`: publications have the numbers that their
 * source gives them, as in every other gateway that reads it.
 */
export type NumberingKind = 'open' | 'own' | 'source';

const EPOCH_LENGTH = 12;

/**
 * Where the gateway has to leave the source's numbering it goes on so far behind that no other gateway, which may still be in
 * it, takes one of these numbers for one of its own. 8,000 of these fit below 2^53.
 */
const OWN_AHEAD = 2 ** 40;

/**
 * Gives publications their seq. The first one decides how: by the numbers of its source, if it has one, or by counting. What
 * does not fit into the source's numbering (no number, one that goes back, another numbering) ends it: from there on the
 * gateway counts, under a name of its own, since it could not say any more what others have under the same number.
 */
export class Numbering {
  readonly #renamed: (name: NumberingName, why: string) => void;
  #name: NumberingName = { epoch: randomEpoch(), former: [] };
  #kind: NumberingKind = 'open';
  #source = '';
  #seq = 0;
  #holes = 0;

  /** @param renamed the numbering has another name, from the publication on that is about to be published */
  constructor(renamed: (name: NumberingName, why: string) => void = () => {}) {
    this.#renamed = renamed;
  }

  get name(): NumberingName {
    return this.#name;
  }

  get kind(): NumberingKind {
    return this.#kind;
  }

  /** seq of the newest publication; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Times that something may be missing between two numbers of the source. */
  get holes(): number {
    return this.#holes;
  }

  /** The seq of the next publication. Nothing has changed before `take`. */
  next(number: SourceNumber | undefined): number {
    if (number !== undefined && (this.#kind === 'open' || this.#goesOn(number))) return number.seq;
    return this.#kind === 'source' ? this.#seq + OWN_AHEAD : this.#seq + 1;
  }

  /** The publication has been numbered so. @returns whether something may be missing in front of it */
  take(seq: number, number: SourceNumber | undefined): boolean {
    if (this.#kind === 'open') return this.#begin(seq, number);
    if (this.#kind === 'source' && !this.#goesOn(number)) this.#leaveSource(number);
    this.#seq = seq;
    if (this.#kind !== 'source' || number!.follows) return false;
    this.#holes++;
    return true;
  }

  #begin(seq: number, number: SourceNumber | undefined): boolean {
    if (number === undefined) {
      this.#kind = 'own';
    } else {
      this.#kind = 'source';
      this.#source = number.numbering;
      // Nobody else has the name that this gateway had before: whatever came under it came from here.
      this.#rename(sharedEpoch(number.numbering), Number.MAX_SAFE_INTEGER, 'publications are numbered by their source');
    }
    this.#seq = seq;
    return number !== undefined;
  }

  #goesOn(number: SourceNumber | undefined): boolean {
    return (
      this.#kind === 'source' && number !== undefined && number.numbering === this.#source && number.seq > this.#seq
    );
  }

  #leaveSource(number: SourceNumber | undefined): void {
    this.#kind = 'own';
    this.#rename(randomEpoch(), this.#seq, whyNot(number, this.#source, this.#seq));
  }

  #rename(epoch: string, upToSeq: number, why: string): void {
    const { epoch: before, former } = this.#name;
    this.#name = { epoch, former: [...former, { epoch: before, upToSeq }] };
    this.#renamed(this.#name, why);
  }
}

function whyNot(number: SourceNumber | undefined, numbering: string, seq: number): string {
  if (number === undefined) return 'a publication has no number of its source';
  if (number.numbering !== numbering) return 'the source has begun another numbering';
  return `the source's numbers go back, from ${seq} to ${number.seq}`;
}

function randomEpoch(): string {
  return randomBytes(EPOCH_LENGTH / 2).toString('hex');
}

/** The same in every gateway. */
function sharedEpoch(numbering: string): string {
  return createHash('sha256').update(numbering).digest('hex').slice(0, EPOCH_LENGTH);
}
