import type { DataFrame } from './wire-message.ts';

/** Where a client may resume: everything up to here that it was owed has come. */
export class ResumePoint {
  /** Name of the gateway's numbering; '' before the first welcome. */
  epoch = '';
  #seq: number | undefined;

  /** Undefined while the client has never been owed anything. */
  get seq(): number | undefined {
    return this.#seq;
  }

  /** Nothing was owed before, and everything newer than `seq` is from now on. */
  began(seq: number): void {
    this.#seq = seq;
  }

  /**
   * A data frame has come. A snapshot says nothing of what lies between, so it moves the point only where it says so itself.
   * @param isWhole false while resumptions are not all answered: what they bring may be older than the frame
   */
  moved({ seq, snapshot, resumeSeq }: DataFrame, isWhole: boolean): void {
    if (!isWhole) return;
    if (resumeSeq !== undefined) this.#seq = resumeSeq;
    else if (snapshot !== true) this.#seq = seq;
  }
}
