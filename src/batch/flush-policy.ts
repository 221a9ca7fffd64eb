import type { Config } from '../config/schema.ts';
import { AdaptivePolicy } from './adaptive-policy.ts';

/**
 * When a shard writes its batches out. What decides the cost of fan-out is the number of writes; the time a message waits
 * in a batch is the price of fewer of them. Frames that may wait for different times are of different classes.
 */
export interface FlushPolicy {
  /**
   * True: publications are left in the ring until a pass is due, since nothing before it depends on them, and the ring is
   * read on while a pass writes: those served later in it get what has come meanwhile.
   */
  readonly gathersInRing: boolean;
  /** A batch with this many frames is flushed without waiting. */
  readonly messagesMax: number;
  /** How many classes there are; class 0 waits least. */
  readonly classes: number;
  /** Class of the frames of a statistics slot; 0 for NO_SLOT. */
  classOf(slot: number): number;
  /** ms from `nowMs` until a batch of the class, with frames since `queuedAtMs`, is to be flushed; 0 or less: now. */
  delayMs(flushClass: number, queuedAtMs: number, nowMs: number): number;
  /** A pass that was to begin at a certain moment began so much later, ms. */
  cameLate(lateMs: number): void;
  /**
   * A pass (reading the ring, filling batches, writing them out) began at `begunMs` and took `costMs` of the thread's time.
   * @param served classes that it wrote batches of, class n by bit n
   * @returns how long it was decided to gather
   */
  passed(begunMs: number, costMs: number, served: number): FlushDecision;
  /** How long a batch of class 0 gathers at present, ms. */
  readonly gatherMs: number;
}

/**
 * Why batches gather for as long as they do: not at all, since there is time to spare; as long as the load asks for; as
 * long as the budget allows; the passes themselves take longer than that; or as configured.
 */
export type FlushDecision = 'at_once' | 'load' | 'budget' | 'overrun' | 'fixed';

export function createFlushPolicy(batch: Config['batch']): FlushPolicy {
  return batch.mode === 'fixed' ? new FixedPolicy(batch.maxMessages, batch.maxDelayMs) : new AdaptivePolicy(batch);
}

/** By count or age, whichever comes first. */
export class FixedPolicy implements FlushPolicy {
  readonly gathersInRing = false;
  readonly messagesMax: number;
  readonly classes = 1;
  readonly gatherMs: number;

  constructor(messagesMax: number, delayMsMax: number) {
    this.messagesMax = messagesMax;
    this.gatherMs = delayMsMax;
  }

  classOf(): number {
    return 0;
  }

  delayMs(_class: number, queuedAtMs: number, nowMs: number): number {
    return queuedAtMs + this.gatherMs - nowMs;
  }

  cameLate(): void {}

  passed(): FlushDecision {
    return 'fixed';
  }
}
