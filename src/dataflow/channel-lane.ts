import type { ChannelQueue } from './channel-queue.ts';
import type { DataFlowCounters } from './data-flow-stats.ts';
import { isThenable } from './data-transformer.ts';
import type { OutputChannel, TextChannel } from './output-channel.ts';
import type { Publication, PublicationContext } from './publication.ts';
import type { PublicationText } from './publication-text.ts';
import type { SourceNumber } from './source-number.ts';

export interface LaneHooks {
  /** `output` or `close` threw or rejected. */
  channelFailed(id: string, thrown: unknown): void;
  /** The channel was given up while closing: `waiting` publications never reached it, `unconfirmed` one never settled. */
  channelTimedOut(id: string, waiting: number, unconfirmed: number): void;
}

/**
 * The way to one output channel. One publication is with the channel at a time; while it is (an `output` that returned a
 * promise, or that published again itself) what comes waits in the queue, so the channel sees all in order. A channel
 * that answers at once never touches the queue.
 */
export class ChannelLane {
  readonly channel: OutputChannel;
  /** What waits for the channel. */
  readonly queue: ChannelQueue;
  readonly #counters: DataFlowCounters;
  readonly #hooks: LaneHooks;
  /** The channel, where it takes texts. */
  readonly #texts: TextChannel | undefined;
  /** A publication is with the channel, or the queue waits for its turn. */
  #busy = false;
  #open = true;
  #abandoned = false;
  #becameIdle: (() => void) | undefined;

  constructor(channel: OutputChannel, queue: ChannelQueue, counters: DataFlowCounters, hooks: LaneHooks) {
    this.channel = channel;
    this.#texts = 'outputText' in channel ? (channel as TextChannel) : undefined;
    this.queue = queue;
    this.#counters = counters;
    this.#hooks = hooks;
  }

  /** Whether it takes new publications. */
  get active(): boolean {
    if (!this.#open) return false;
    try {
      return this.channel.enabled;
    } catch (thrown) {
      this.#hooks.channelFailed(this.channel.id, thrown);
      return false;
    }
  }

  /** Hands over one publication, or queues it. Never throws. */
  deliver(publication: Publication, context: PublicationContext): void {
    if (!this.active) return;
    if (this.#busy) {
      this.queue.push(publication, context);
      return;
    }
    this.#busy = true;
    if (this.#output(publication, context)) this.#goOn();
  }

  /** Whether a text may be handed over now. */
  get takesTexts(): boolean {
    return this.#texts !== undefined && !this.#busy && this.active;
  }

  /** Hands over one publication as a text; call while it `takesTexts`. Never throws. Returns false where it wants the publication. */
  deliverText(text: PublicationText, dueUs: number, number: SourceNumber | undefined): boolean {
    this.#busy = true;
    let taken = true;
    try {
      taken = (this.#texts as TextChannel).outputText(text, dueUs, number);
      if (taken) this.#counters.sent++;
    } catch (thrown) {
      this.#hooks.channelFailed(this.channel.id, thrown);
    }
    this.#goOn();
    return taken;
  }

  /**
   * Takes nothing new, sees the queue through, and closes the channel. Ends within `timeoutMs`, whatever the channel
   * does; never rejects. Call once.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#open = false;
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<'timed out'>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, 'timed out');
    });
    if ((await Promise.race([this.#idle(), timedOut])) === 'timed out') this.#abandon();
    if ((await Promise.race([this.#closeChannel(), timedOut])) === 'timed out') this.#giveUpClosing();
    clearTimeout(timer);
  }

  /** True when the channel is done with the publication, false when it has promised to be. */
  #output(publication: Publication, context: PublicationContext): boolean {
    try {
      const result: unknown = this.channel.output(publication, context);
      if (result === undefined || !isThenable(result)) {
        this.#counters.sent++;
        return true;
      }
      Promise.resolve(result).then(this.#onResolved, this.#onRejected);
      return false;
    } catch (thrown) {
      this.#hooks.channelFailed(this.channel.id, thrown);
      return true;
    }
  }

  readonly #onResolved = (): void => {
    if (this.#abandoned) return;
    this.#counters.sent++;
    this.#goOn();
  };

  readonly #onRejected = (thrown: unknown): void => {
    if (this.#abandoned) return;
    this.#hooks.channelFailed(this.channel.id, thrown);
    this.#goOn();
  };

  /**
   * The channel is free again: hands over what waits, as much as waits now. A channel that publishes from its own output
   * fills its queue while it is emptied, so what came meanwhile takes the next turn of the event loop.
   */
  readonly #goOn = (): void => {
    for (let turn = this.queue.size; turn > 0; turn--) {
      const waiting = this.queue.shift();
      if (waiting === undefined) break;
      if (!this.#output(waiting.publication, waiting.context)) return;
    }
    if (this.queue.size > 0) {
      setImmediate(this.#goOn);
      return;
    }
    this.#busy = false;
    this.#becameIdle?.();
  };

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#busy) this.#becameIdle = resolve;
      else resolve();
    });
  }

  #abandon(): void {
    this.#abandoned = true;
    const waiting = this.queue.clear();
    this.#counters.dropped += waiting + 1;
    this.#hooks.channelTimedOut(this.channel.id, waiting, 1);
  }

  /** Never rejects. */
  async #closeChannel(): Promise<void> {
    try {
      await this.channel.close();
    } catch (thrown) {
      this.#hooks.channelFailed(this.channel.id, thrown);
    }
  }

  #giveUpClosing(): void {
    if (!this.#abandoned) this.#hooks.channelTimedOut(this.channel.id, 0, 0);
    this.#abandoned = true;
  }
}
