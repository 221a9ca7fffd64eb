import type { FrameTail } from '../load/message-scan.ts';

/**
 * Whether one client got exactly what it missed. A frame names the one before it on its topic, so if that never came, it
 * is missing: topics need not be told apart, and a gap closes the chain at its end.
 */
export class ResumeCheck {
  /** Frames that came again, and frames whose predecessor did not come; since `beginAgain`. */
  repeated = 0;
  missing = 0;
  readonly #seen = new Set<number>();
  #beginSeq = 0;
  #lastSeq = 0;
  #resumeSeq = -1;
  #isBack = false;
  #mayRepeat = false;

  /** Where to resume: what the last frame says, or the subscription as long as there was none. */
  get resumePoint(): number {
    return this.#resumeSeq >= 0 ? this.#resumeSeq : this.#lastSeq;
  }

  /** @param seq of the reply to the first subscription: what is not newer was not for this client */
  begin(seq: number): void {
    this.#beginSeq = seq;
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  /** It comes back; from now on frames are checked. */
  beginAgain(): void {
    this.#isBack = true;
    // Resumed from before its last frame, it gets some of them twice.
    this.#mayRepeat = this.#resumeSeq >= 0;
  }

  /** Takes a data frame that is no snapshot, in the order in which they come. */
  take({ seq, prevSeq, resumeSeq }: FrameTail): void {
    if (this.#isBack) {
      if (seq <= this.#lastSeq && !this.#mayRepeat) this.repeated++;
      if (prevSeq > this.#beginSeq && !this.#seen.has(prevSeq)) this.missing++;
    }
    this.#seen.add(seq);
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    this.#resumeSeq = resumeSeq;
  }

  takeGap(toSeq: number): void {
    this.#seen.add(toSeq);
  }
}
