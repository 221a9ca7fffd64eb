import { assert } from '../util/assert.ts';
import { TickcastError } from '../util/errors.ts';
import { ChannelLane, type LaneHooks } from './channel-lane.ts';
import type { QueueBudget } from './channel-queue.ts';
import type { DataFlowCounters } from './data-flow-stats.ts';
import type { OutputChannel } from './output-channel.ts';

export interface ChannelSetParts {
  budget: QueueBudget;
  counters: DataFlowCounters;
  hooks: LaneHooks;
  /** Longest that a channel may take to drain and close. */
  closeTimeoutMs: number;
}

/** The output channels of one manager, in the order they were registered, and those that are on their way out. */
export class ChannelSet {
  readonly #parts: ChannelSetParts;
  // Both are replaced, never changed, so that a channel may register or unregister while they are walked.
  #byId: ReadonlyMap<string, ChannelLane> = new Map();
  #list: readonly ChannelLane[] = [];
  readonly #closing = new Set<Promise<void>>();

  constructor(parts: ChannelSetParts) {
    this.#parts = parts;
  }

  get byId(): ReadonlyMap<string, ChannelLane> {
    return this.#byId;
  }

  get list(): readonly ChannelLane[] {
    return this.#list;
  }

  /** Throws CHANNEL_EXISTS. */
  add(channel: OutputChannel): void {
    assert(typeof channel.id === 'string' && typeof channel.output === 'function', 'a channel has an id and an output');
    if (this.#byId.has(channel.id)) throw new TickcastError('CHANNEL_EXISTS', undefined, { channel: channel.id });
    const { budget, counters, hooks } = this.#parts;
    const lane = new ChannelLane(channel, budget.open(channel.id), counters, hooks);
    this.#set([...this.#byId, [channel.id, lane]]);
  }

  /** Takes the channel out and lets it finish. The promise never rejects; undefined where there is no such channel. */
  remove(id: string): Promise<void> | undefined {
    const lane = this.#byId.get(id);
    if (lane === undefined) return undefined;
    this.#set([...this.#byId].filter(([other]) => other !== id));
    return this.#close(lane);
  }

  /** Lets every channel finish, those included that were removed before. They stay in the list. Never rejects. */
  async closeAll(): Promise<void> {
    for (const lane of this.#list) this.#close(lane);
    await Promise.all(this.#closing);
  }

  #close(lane: ChannelLane): Promise<void> {
    const { budget, closeTimeoutMs } = this.#parts;
    const closed = lane.close(closeTimeoutMs).then(() => {
      budget.release(lane.queue);
      this.#closing.delete(closed);
    });
    this.#closing.add(closed);
    return closed;
  }

  #set(entries: [string, ChannelLane][]): void {
    this.#byId = new Map(entries);
    this.#list = [...this.#byId.values()];
  }
}
