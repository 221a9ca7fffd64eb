import type { Beginning } from '../delivery/beginnings.ts';
import {
  type FilterProblem,
  isFilterProblem,
  type ParsedFilter,
  parseFilter,
  termCount,
} from '../subscription/filter.ts';
import { ERROR_CODES, type ErrorCode } from '../util/errors.ts';
import { readBeginning } from './beginning.ts';
import type { CommandParts } from './commands.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { sendError, sendReply } from './reply.ts';

type Payload = Record<string, unknown>;
type Id = string | number | undefined;

/** Longest name of a channel, in UTF-16 units. */
const CHANNEL_LENGTH_MAX = 1_024;

/** Most channels in one message. */
const CHANNELS_MAX = 10_000;

/** One row of the reply to `channels`. */
interface ChannelResult {
  channel: unknown;
  success: boolean;
  error?: string;
}

/** `subscribe`, `unsubscribe` and `getSubscriptions`: filters, which choose what is delivered, and channels, which don't. */
export class SubscriptionCommands {
  readonly #parts: CommandParts;

  constructor(parts: CommandParts) {
    this.#parts = parts;
  }

  subscribe(connection: PooledConnection, payload: Payload, id: Id): void {
    if (payload.channels !== undefined) return this.#subscribeChannels(connection, payload.channels, id);
    if (payload.channel !== undefined) return this.#subscribeChannel(connection, payload.channel, id);
    const parsed = parseFilter(payload);
    if (isFilterProblem(parsed)) return this.#refuse(connection, parsed, id);
    const beginning = readBeginning(payload, this.#parts.config.snapshot.default);
    if ('problem' in beginning) return this.#refuse(connection, beginning, id);
    this.#subscribe(connection, parsed, beginning, id);
  }

  /** @param beginning how it is to begin; where that has to wait, this is called again, and keeps nothing of the message */
  #subscribe(connection: PooledConnection, parsed: ParsedFilter, beginning: Beginning, id: Id): void {
    const { filterTerms } = this.#parts.config.limits;
    const terms = connection.filterTerms + termCount(parsed.terms);
    if (filterTerms > 0 && terms > filterTerms) {
      return this.#error(connection, 'TOO_MANY_SUBSCRIPTIONS', { combinations: terms, allowed: filterTerms }, id);
    }
    if (!this.#hasRoom(connection)) return this.#tooMany(connection, id);
    const { delivery } = this.#parts;
    if (delivery.isDeferred(connection, beginning, () => this.#subscribe(connection, parsed, beginning, id))) return;
    this.#addFilter(connection, parsed, beginning, id);
  }

  #addFilter(connection: PooledConnection, { terms, given }: ParsedFilter, beginning: Beginning, id: Id): void {
    const { delivery, subscriptions } = this.#parts;
    const isFirst = !connection.explicit;
    const planned = delivery.plan(connection, terms, beginning);
    delivery.settle(connection);
    if (isFirst) delivery.end(connection);
    const filterId = subscriptions.addFilter(connection, terms, given);
    this.#report();
    // The first filter takes the place of everything.
    if (isFirst) delivery.narrowed(connection);
    sendReply(connection, 'subscribed', { filterId, filter: given, ...planned.reply }, id);
    delivery.begin(connection, filterId, terms, planned);
  }

  unsubscribe(connection: PooledConnection, payload: Payload, id: Id): void {
    const { subscriptions, delivery } = this.#parts;
    if (payload.channels !== undefined) return this.#unsubscribeChannels(connection, payload.channels, id);
    if (payload.channel !== undefined) return this.#unsubscribeChannel(connection, payload.channel, id);
    if (payload.filterId !== undefined) return this.#unsubscribeFilter(connection, payload.filterId, id);
    const strange = Object.keys(payload).find((key) => !ENVELOPE_KEYS.has(key));
    if (strange !== undefined) {
      const problem = {
        key: strange,
        problem: 'is not known here',
        allowed: 'filterId, channel, channels, or nothing',
      };
      return this.#refuse(connection, problem, id);
    }
    if (delivery.isDeferred(connection, undefined, () => this.unsubscribe(connection, payload, id))) return;
    delivery.settle(connection);
    if (connection.explicit) delivery.endAll(connection);
    subscriptions.removeAllFilters(connection);
    if (connection.explicit) delivery.narrowed(connection);
    this.disconnected(connection);
    sendReply(connection, 'unsubscribed', {}, id);
  }

  list(connection: PooledConnection, id: Id): void {
    const channels = [...(connection.channels ?? [])];
    const filters = [...connection.filters.values()].map(({ filter }) => filter);
    sendReply(
      connection,
      'subscriptions',
      { subscriptions: channels, count: connection.subscriptionCount, filters },
      id,
    );
  }

  /** What `getStats` says of this connection's subscriptions. */
  figures(connection: PooledConnection): Payload {
    const { subscriptions } = this.#parts;
    return {
      totalSubscriptions: connection.subscriptionCount,
      activeFilters: connection.filters.size,
      matchOperations: subscriptions.matchOperations,
      lastActivity: connection.lastActivity,
    };
  }

  /** The connection has no subscriptions any more, or is gone: its channels are forgotten. */
  disconnected(connection: PooledConnection): void {
    this.#report();
    this.#parts.statistics.add('channelsInForce', -(connection.channels?.size ?? 0));
    connection.channels = undefined;
  }

  /** Figures that others read at once, so that `totalSubscriptions` is what is in force now. */
  #report(): void {
    this.#parts.statistics.set('filtersInForce', this.#parts.subscriptions.filtersInForce);
  }

  #unsubscribeFilter(connection: PooledConnection, filterId: unknown, id: Id): void {
    if (typeof filterId !== 'string') {
      const problem = { key: 'filterId', problem: 'is not a string', allowed: 'the filterId of a "subscribed" reply' };
      return this.#refuse(connection, problem, id);
    }
    const { delivery, subscriptions } = this.#parts;
    if (delivery.isDeferred(connection, undefined, () => this.#unsubscribeFilter(connection, filterId, id))) return;
    delivery.settle(connection);
    delivery.end(connection, filterId);
    subscriptions.removeFilter(connection, filterId);
    delivery.narrowed(connection);
    this.#report();
    sendReply(connection, 'unsubscribed', { filterId }, id);
  }

  #unsubscribeChannel(connection: PooledConnection, channel: unknown, id: Id): void {
    const problem = channelProblem(channel);
    if (problem !== undefined) return this.#refuseChannel(connection, problem, id);
    this.#dropChannel(connection, channel);
    sendReply(connection, 'unsubscribed', { channel }, id);
  }

  #subscribeChannel(connection: PooledConnection, channel: unknown, id: Id): void {
    const problem = channelProblem(channel);
    if (problem !== undefined) return this.#refuseChannel(connection, problem, id);
    if (!this.#holdChannel(connection, channel as string)) return this.#tooMany(connection, id);
    sendReply(connection, 'subscribed', { channel }, id);
  }

  #subscribeChannels(connection: PooledConnection, channels: unknown, id: Id): void {
    this.#eachChannel(connection, channels, 'subscribed', id, (channel) => {
      const problem = channelProblem(channel);
      if (problem !== undefined) return { channel: repeatable(channel), success: false, error: problem };
      if (this.#holdChannel(connection, channel as string)) return { channel, success: true };
      return { channel, success: false, error: ERROR_CODES.TOO_MANY_SUBSCRIPTIONS };
    });
  }

  #unsubscribeChannels(connection: PooledConnection, channels: unknown, id: Id): void {
    this.#eachChannel(connection, channels, 'unsubscribed', id, (channel) => {
      const problem = channelProblem(channel);
      if (problem !== undefined) return { channel: repeatable(channel), success: false, error: problem };
      this.#dropChannel(connection, channel);
      return { channel, success: true };
    });
  }

  #eachChannel(
    connection: PooledConnection,
    channels: unknown,
    reply: string,
    id: Id,
    handle: (channel: unknown) => ChannelResult,
  ): void {
    if (!Array.isArray(channels) || channels.length > CHANNELS_MAX) {
      const problem = Array.isArray(channels) ? `has ${channels.length} items` : 'is not a list';
      return this.#refuse(
        connection,
        { key: 'channels', problem, allowed: `a list of up to ${CHANNELS_MAX} strings` },
        id,
      );
    }
    const results = channels.map(handle);
    sendReply(connection, reply, { results, totalSubscriptions: connection.subscriptionCount }, id);
  }

  /** Remembers a channel, again or anew. False: there is no room for another. */
  #holdChannel(connection: PooledConnection, channel: string): boolean {
    if (connection.channels?.has(channel)) return true;
    if (!this.#hasRoom(connection)) return false;
    connection.channels ??= new Set();
    connection.channels.add(channel);
    this.#parts.statistics.add('channelsInForce', 1);
    return true;
  }

  #dropChannel(connection: PooledConnection, channel: unknown): void {
    if (connection.channels?.delete(channel as string)) this.#parts.statistics.add('channelsInForce', -1);
  }

  #hasRoom(connection: PooledConnection): boolean {
    const { subscriptionsPerConnection } = this.#parts.config.limits;
    return subscriptionsPerConnection === 0 || connection.subscriptionCount < subscriptionsPerConnection;
  }

  #tooMany(connection: PooledConnection, id: Id): void {
    const { subscriptionsPerConnection } = this.#parts.config.limits;
    this.#error(connection, 'TOO_MANY_SUBSCRIPTIONS', { allowed: subscriptionsPerConnection }, id);
  }

  #refuseChannel(connection: PooledConnection, problem: string, id: Id): void {
    this.#refuse(connection, { key: 'channel', problem, allowed: CHANNEL_ALLOWED }, id);
  }

  #refuse(connection: PooledConnection, problem: FilterProblem, id: Id): void {
    this.#error(connection, 'INVALID_SUBSCRIPTION', problem, id);
  }

  #error(connection: PooledConnection, code: ErrorCode, detail: object, id: Id): void {
    this.#parts.statistics.add('errors');
    sendError(connection, code, detail, id);
  }
}

/** Keys of the envelope, which is taken for the payload where a message has none (or null). */
const ENVELOPE_KEYS = new Set(['type', 'action', 'id', 'timestamp', 'payload']);
const CHANNEL_ALLOWED = `a string of up to ${CHANNEL_LENGTH_MAX} characters`;

function channelProblem(channel: unknown): string | undefined {
  return typeof channel === 'string' && channel.length <= CHANNEL_LENGTH_MAX ? undefined : 'Invalid channel format';
}

/**
 * What a reply may say of something that is no name. JSON is read to any depth, but what is nested too deep cannot be
 * written again.
 */
function repeatable(value: unknown): unknown {
  return typeof value === 'object' ? null : value;
}
