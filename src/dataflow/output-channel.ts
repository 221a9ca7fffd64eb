import type { Publication, PublicationContext } from './publication.ts';
import type { PublicationText } from './publication-text.ts';
import type { SourceNumber } from './source-number.ts';

export type OutputChannelType = 'pubsub' | 'websocket' | 'cache' | 'custom';
export type ChannelHealth = 'healthy' | 'degraded' | 'unhealthy';

/** Where DataFlow delivers to. Called on the primary thread. */
export interface OutputChannel {
  /** Unique within one manager; routing rules name a channel by it. */
  readonly id: string;
  readonly name: string;
  readonly type: OutputChannelType;
  /** Read before each publication: while false the channel gets nothing new. What already waits for it still goes out. */
  readonly enabled: boolean;
  /**
   * Takes one publication. A channel that returns nothing is done when it returns and never has a queue. One that
   * returns a promise gets the next publication when the promise has settled; what comes meanwhile waits. A throw or a
   * rejection counts as one failed publication, and the next one goes through.
   * The publication is shared with other channels: it may be kept, never changed. So may the context.
   */
  output(data: Publication, context?: PublicationContext): void | Promise<void>;
  /** Called once, when the channel is unregistered or the manager stops; no `output` comes after it. */
  close(): void | Promise<void>;
  getStatus(): ChannelStatus;
}

/** A channel that can do with the text of a publication, most of the time; DataFlow gives it one where nobody else has to see more. */
export interface TextChannel extends OutputChannel {
  /**
   * Takes one publication as the text that it is, and is done with it when it returns.
   * @param dueUs as in PublicationContext
   * @returns false where it needs the publication itself: nothing has happened, and it comes by `output`
   */
  outputText(text: PublicationText, dueUs: number, number: SourceNumber | undefined): boolean;
}

export interface ChannelStatus {
  id: string;
  name: string;
  type: OutputChannelType;
  enabled: boolean;
  connected: boolean;
  messagesSent: number;
  errors: number;
  /** ms since the epoch; 0 before the first message. */
  lastActivity: number;
  health: ChannelHealth;
}
