import { assert } from '../util/assert.ts';

const US_PER_SECOND = 1_000_000;

/** A playback that has fallen further behind than this slows down rather than hurry after it, µs. */
const BEHIND_US_MAX = US_PER_SECOND;

/** Longest pause that is played, µs of recorded time: beyond it the recorder was off, or a stamp is wrong. */
const PAUSE_US_MAX = 3_600 * US_PER_SECOND;

/** From the last message of a recording to its first, at least, µs of recorded time. */
const TURN_US_MIN = 1_000;

/**
 * Lays recorded times onto the wall clock, at a speed: due times keep the recorded distances, divided by the speed, and
 * never go backwards. One that is in step with others does nothing else, and computes each due time anew from the start, so
 * that no rounding adds up; any other gives way where it has fallen behind, or the clock was set. Pure arithmetic: time is
 * handed in.
 */
export class PlaybackSchedule {
  readonly #speed: number;
  readonly #inStep: boolean;
  readonly #startUs: number;
  #elapsedUs = 0;
  #dueUs: number;
  #recordedUs: number | undefined;
  #passBeganUs: number | undefined;
  #messages = 0;

  /** @param speed above 0 @param startUs due time of the first message, µs since the epoch */
  constructor(speed: number, startUs: number, inStep = false) {
    assert(speed > 0, 'a playback has a speed above 0');
    this.#speed = speed;
    this.#inStep = inStep;
    this.#startUs = startUs;
    this.#dueUs = startUs;
  }

  /** Due time of what comes next, if it comes without a pause, µs since the epoch. */
  get positionUs(): number {
    return this.#dueUs;
  }

  /** Recorded time that has been played, pauses cut to what is played of them, µs. Of one in step alone. */
  get elapsedUs(): number {
    return this.#elapsedUs;
  }

  /** Passes over as much recorded time, of one in step. */
  skip(recordedUs: number): void {
    this.#elapsedUs += recordedUs;
    this.#dueUs = this.#startUs + this.#elapsedUs / this.#speed;
  }

  /** Due time, in whole µs since the epoch, of the message that was recorded at `recordedUs`, the next in the file. */
  dueUs(recordedUs: number, nowUs: number): number {
    const pauseUs = this.#recordedUs === undefined ? 0 : recordedUs - this.#recordedUs;
    this.#recordedUs = recordedUs;
    this.#passBeganUs ??= recordedUs;
    this.#messages++;
    this.#wait(Math.min(PAUSE_US_MAX, Math.max(0, pauseUs)), nowUs);
    return Math.round(this.#dueUs);
  }

  /** The recording begins again: after a pause as long as the mean between two of its messages. */
  beginAgain(nowUs: number): void {
    const tookUs = (this.#recordedUs ?? 0) - (this.#passBeganUs ?? 0);
    const meanUs = tookUs > 0 && this.#messages > 1 ? tookUs / (this.#messages - 1) : US_PER_SECOND;
    this.#wait(Math.min(PAUSE_US_MAX, Math.max(TURN_US_MIN, meanUs)), nowUs);
    this.#recordedUs = undefined;
    this.#passBeganUs = undefined;
    this.#messages = 0;
  }

  #wait(pauseUs: number, nowUs: number): void {
    if (this.#inStep) return this.skip(pauseUs);
    const waitUs = pauseUs / this.#speed;
    this.#dueUs = Math.max(this.#dueUs + waitUs, nowUs - BEHIND_US_MAX);
    // More than the pause ahead of a clock that was set back.
    if (this.#dueUs > nowUs + waitUs + US_PER_SECOND) this.#dueUs = nowUs + waitUs;
  }
}
