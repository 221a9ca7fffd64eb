import { assert } from '../util/assert.ts';
import type { Publication, PublicationContext } from './publication.ts';

/** One publication that waits for a channel. */
export interface WaitingPublication {
  readonly publication: Publication;
  readonly context: PublicationContext;
  /** Grows with each arrival, over all queues of a budget. */
  readonly arrival: number;
  next: WaitingPublication | undefined;
}

/** Back-pressure ends when fewer than this part of its beginning wait. */
const RELIEF_FRACTION = 0.8;

export interface QueueBudgetHooks {
  /** Back-pressure has begun or ended, with `size` publications waiting. */
  backpressure(active: boolean, size: number): void;
  /** The oldest publication of all, which waited in `queue`, had to go. */
  dropped(queue: ChannelQueue): void;
}

/** Room that the queues of one manager share: where it is full, the oldest publication of all goes. */
export class QueueBudget {
  readonly #limit: number;
  readonly #activateAt: number;
  readonly #hooks: QueueBudgetHooks;
  readonly #queues = new Set<ChannelQueue>();
  #size = 0;
  #arrivals = 0;
  #active = false;

  /** @param activateAt queue length at which back-pressure begins; the limit where it is above that */
  constructor(limit: number, activateAt: number, hooks: QueueBudgetHooks) {
    assert(limit >= 1 && activateAt >= 1, 'a queue has room for one publication at least');
    this.#limit = limit;
    this.#activateAt = Math.min(activateAt, limit);
    this.#hooks = hooks;
  }

  /** Publications waiting, over all queues. */
  get size(): number {
    return this.#size;
  }

  get backpressureActive(): boolean {
    return this.#active;
  }

  open(channelId: string): ChannelQueue {
    const queue = new ChannelQueue(channelId, this);
    this.#queues.add(queue);
    return queue;
  }

  /** The queue's share returns to the others. It must be empty. */
  release(queue: ChannelQueue): void {
    assert(queue.size === 0, 'a queue is emptied before it is released');
    this.#queues.delete(queue);
  }

  /** Called by a queue before it takes one more. Returns the number of the arrival. */
  makeRoom(): number {
    while (this.#size >= this.#limit) this.#dropOldest();
    return this.#arrivals++;
  }

  /** Called by a queue after it took one more. */
  charge(): void {
    this.#size++;
    if (!this.#active && this.#size >= this.#activateAt) this.#switch(true);
  }

  /** Called by a queue after it gave `count` away. */
  discharge(count: number): void {
    this.#size -= count;
    if (this.#active && this.#size < this.#activateAt * RELIEF_FRACTION) this.#switch(false);
  }

  /** Looks at each queue's head: there are as many as slow channels, and only a full budget asks. */
  #dropOldest(): void {
    let oldest: ChannelQueue | undefined;
    for (const queue of this.#queues) {
      if (queue.headArrival < (oldest?.headArrival ?? Number.POSITIVE_INFINITY)) oldest = queue;
    }
    assert(oldest !== undefined, 'what the budget counts stands in a queue');
    oldest.takeHead();
    // Another takes its place at once, so this is no relief.
    this.#size--;
    this.#hooks.dropped(oldest);
  }

  #switch(active: boolean): void {
    this.#active = active;
    this.#hooks.backpressure(active, this.#size);
  }
}

/** Publications that wait for one channel, in the order they came. Opened by its budget. */
export class ChannelQueue {
  readonly channelId: string;
  readonly #budget: QueueBudget;
  #head: WaitingPublication | undefined;
  #tail: WaitingPublication | undefined;
  #size = 0;

  constructor(channelId: string, budget: QueueBudget) {
    this.channelId = channelId;
    this.#budget = budget;
  }

  get size(): number {
    return this.#size;
  }

  /** Arrival of the oldest; infinite when nothing waits. */
  get headArrival(): number {
    return this.#head?.arrival ?? Number.POSITIVE_INFINITY;
  }

  push(publication: Publication, context: PublicationContext): void {
    const waiting: WaitingPublication = { publication, context, arrival: this.#budget.makeRoom(), next: undefined };
    if (this.#tail === undefined) this.#head = waiting;
    else this.#tail.next = waiting;
    this.#tail = waiting;
    this.#size++;
    this.#budget.charge();
  }

  /** Takes the oldest; undefined when nothing waits. */
  shift(): WaitingPublication | undefined {
    const oldest = this.takeHead();
    if (oldest !== undefined) this.#budget.discharge(1);
    return oldest;
  }

  /** As `shift`, for the budget, which keeps its own account. */
  takeHead(): WaitingPublication | undefined {
    const oldest = this.#head;
    if (oldest === undefined) return undefined;
    this.#head = oldest.next;
    if (this.#head === undefined) this.#tail = undefined;
    this.#size--;
    return oldest;
  }

  /** Forgets all that waits. Returns how many that were. */
  clear(): number {
    const count = this.#size;
    this.#head = undefined;
    this.#tail = undefined;
    this.#size = 0;
    if (count > 0) this.#budget.discharge(count);
    return count;
  }
}
