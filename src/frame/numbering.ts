import { createHash, randomBytes } from 'node:crypto';
import { SOURCE_SEQ_MAX, type SourceNumber } from '../dataflow/source-number.ts';

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
  /** The one of all these that other gateways may have, too. */
  readonly shared?: string;
}

/** Numbers of the source that never came here. */
export interface NumberingHole {
  readonly fromSeq: number;
  readonly toSeq: number;
}

export interface NumberingEvents {
  /** The numbering has another name, from the publication on that is about to be published. */
  renamed(name: NumberingName, why: string): void;
  /** Something may be missing in front of the publication that is about to be published. */
  hole(hole: NumberingHole): void;
}

/**
 * `open`: nothing has been published; `own`: the gateway counts by itself; `source`: publications have the numbers that their
 * source gives them, as in every other gateway that reads it.
 */
export type NumberingKind = 'open' | 'own' | 'source';

const EPOCH_LENGTH = 12;

/**
 * Where the gateway has to leave the source's numbering it goes on so far behind that no other gateway, which may still be in
 * it, takes one of these numbers for one of its own; nor does the sequence index, which tells numbers by 32 bits.
 */
const OWN_AHEAD = 2 ** 40 + 1;

/**
 * Gives publications their seq. The first one decides how: by the numbers of its source, if it has one, or by counting. What
 * does not fit into the source's numbering (no number, one that goes back, another numbering) ends it: from there on the
 * gateway counts, under a name of its own, since it could not say any more what others have under the same number.
 */
export class Numbering {
  readonly #events: NumberingEvents;
  #name: NumberingName = { epoch: randomEpoch(), former: [] };
  #kind: NumberingKind = 'open';
  #source = '';
  #seq = 0;
  #unbrokenFrom = 0;
  #hasMissed = false;
  #holes = 0;

  constructor(events: NumberingEvents = { renamed() {}, hole() {} }) {
    this.#events = events;
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
  next(given: SourceNumber | undefined): number {
    const number = usable(given);
    if (number !== undefined && (this.#kind === 'open' || this.#goesOn(number))) return number.seq;
    return this.#kind === 'source' ? this.#seq + OWN_AHEAD : this.#seq + 1;
  }

  /** What others publish of the source cannot be published here. */
  missed(): void {
    this.#hasMissed = true;
  }

  /**
   * The publication has been numbered so.
   * @returns the number from which on nothing is missing, where that is another one now
   */
  take(seq: number, given: SourceNumber | undefined): number | undefined {
    const number = usable(given);
    if (this.#kind === 'open') return this.#begin(seq, number);
    if (this.#kind === 'own') return this.#count(seq);
    if (!this.#goesOn(number)) return this.#leaveSource(seq, number);
    const isBroken = this.#hasMissed || number!.unbrokenFrom > this.#unbrokenFrom;
    const from = this.#hasMissed ? seq : number!.unbrokenFrom;
    if (isBroken) this.#tellHole(from);
    this.#unbrokenFrom = from;
    this.#hasMissed = false;
    this.#seq = seq;
    return isBroken ? from : undefined;
  }

  #count(seq: number): undefined {
    this.#seq = seq;
  }

  #tellHole(before: number): void {
    this.#holes++;
    this.#events.hole({ fromSeq: this.#seq + 1, toSeq: before - 1 });
  }

  #begin(seq: number, number: SourceNumber | undefined): number | undefined {
    this.#hasMissed = false;
    if (number === undefined) {
      this.#kind = 'own';
    } else {
      this.#kind = 'source';
      this.#source = number.numbering;
      // Nobody else has the name that this gateway had before: whatever came under it came from here.
      const shared = sharedEpoch(number.numbering);
      this.#rename(shared, Number.MAX_SAFE_INTEGER, shared, 'publications are numbered by their source');
    }
    this.#seq = seq;
    this.#unbrokenFrom = number?.unbrokenFrom ?? 0;
    return number?.unbrokenFrom;
  }

  #goesOn(number: SourceNumber | undefined): boolean {
    return (
      this.#kind === 'source' && number !== undefined && number.numbering === this.#source && number.seq > this.#seq
    );
  }

  /** How far the source's numbering went elsewhere nobody here knows. */
  #leaveSource(seq: number, number: SourceNumber | undefined): number {
    this.#kind = 'own';
    this.#rename(randomEpoch(), this.#seq, this.#name.shared, whyNot(number, this.#source, this.#seq));
    this.#seq = seq;
    return seq;
  }

  #rename(epoch: string, upToSeq: number, shared: string | undefined, why: string): void {
    const { epoch: before, former } = this.#name;
    this.#name = {
      epoch,
      former: [...former, { epoch: before, upToSeq }],
      ...(shared === undefined ? {} : { shared }),
    };
    this.#events.renamed(this.#name, why);
  }
}

/** A number that is none, or too high to go on from, counts as missing. */
function usable(number: SourceNumber | undefined): SourceNumber | undefined {
  const isUsable =
    number !== undefined && Number.isInteger(number.seq) && number.seq >= 1 && number.seq <= SOURCE_SEQ_MAX;
  return isUsable ? number : undefined;
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
