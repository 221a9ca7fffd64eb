import type { Config } from '../config/schema.ts';
import type { QueryName } from '../control/messages.ts';
import type { Delivery } from '../delivery/delivery.ts';
import {
  type FilterProblem,
  type FilterTerms,
  isFilterProblem,
  type ParsedFilter,
  parseFilter,
  termCount,
} from '../subscription/filter.ts';
import type { SubscriptionManager } from '../subscription/subscription-manager.ts';
import type { Logger } from '../telemetry/logger.ts';
import { PHASE } from '../telemetry/shard-phases.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { type ErrorCode, errorMessage } from '../util/errors.ts';
import { TimeShare } from '../util/time-share.ts';
import { type ClientMessage, isProblem, type MessageProblem, readClientMessage } from './client-message.ts';
import type { CloseName } from './close-codes.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { sendError, sendReply } from './reply.ts';
import { SubscriptionCommands } from './subscription-commands.ts';

/** What the commands need of the delivery to single connections. */
export type CommandDelivery = Pick<
  Delivery,
  'isDeferred' | 'plan' | 'begin' | 'settle' | 'end' | 'endAll' | 'narrowed' | 'forget'
>;

export interface CommandParts {
  config: Config;
  statistics: StatisticsBlock;
  subscriptions: SubscriptionManager;
  delivery: CommandDelivery;
  /** Answers from the latest values that this shard has read. */
  snapshot: (terms: FilterTerms, asked: object) => Record<string, unknown>;
  /** What became of the publications for this connection. */
  ledger: (connection: PooledConnection) => Record<string, unknown>;
  /** Asks the primary; rejects when it does not answer in time. */
  query: (name: QueryName) => Promise<Record<string, unknown>>;
  close: (connection: PooledConnection, name: CloseName) => void;
  log: Logger;
}

/** A client that is refused for this long without a pause is closed. */
const RATE_LIMITED_MS_MAX = 10_000;

/** Commands that only the primary can answer, and how the reply is called. */
const QUERIES: Record<string, { name: QueryName; reply: string }> = {
  getStats: { name: 'stats', reply: 'stats' },
  getAdapterStatus: { name: 'adapterStatus', reply: 'adapterStatus' },
  getSystemStats: { name: 'systemStats', reply: 'systemStats' },
};

/**
 * Answers what clients ask. Runs on the shard's thread. In: the text of one message. Out: at most one reply, and the change
 * it asks for. One bad request never closes a connection.
 */
export class Commands {
  readonly #parts: CommandParts;
  readonly #subscriptions: SubscriptionCommands;
  readonly #share = new TimeShare();

  constructor(parts: CommandParts) {
    this.#parts = parts;
    this.#subscriptions = new SubscriptionCommands(parts);
  }

  /** @param text the message as it came, at most `limits.payloadBytes` long */
  handle(connection: PooledConnection, text: string): void {
    const { statistics } = this.#parts;
    statistics.set('commandOf', connection.serial);
    statistics.set('phase', PHASE.command);
    this.#handle(connection, text);
    statistics.set('phase', PHASE.idle);
  }

  #handle(connection: PooledConnection, text: string): void {
    const { statistics } = this.#parts;
    const nowMs = Date.now();
    statistics.add('commands');
    connection.lastActivity = nowMs;
    statistics.set('lastActivityMs', nowMs);
    if (!connection.budget.take(nowMs)) {
      this.#tooMany(connection, text, nowMs);
      return;
    }
    const message = readClientMessage(text);
    if (isProblem(message)) this.#invalid(connection, message);
    else this.#dispatch(connection, message);
  }

  /** A protocol PING, which has been answered already. It counts as a command, so that a flood of them ends as one does. */
  pinged(connection: PooledConnection): void {
    const nowMs = Date.now();
    if (connection.budget.take(nowMs)) return;
    this.#parts.statistics.add('rateLimited');
    this.#closeIfIncorrigible(connection, nowMs);
  }

  /** The connection is gone. */
  disconnected(connection: PooledConnection): void {
    this.#subscriptions.disconnected(connection);
    this.#parts.delivery.forget(connection);
  }

  #dispatch(connection: PooledConnection, message: ClientMessage): void {
    const { type, id, payload } = message;
    switch (type) {
      case 'ping':
        return sendReply(connection, 'pong', { timestamp: Date.now(), sessionId: connection.id }, id);
      case 'pong':
        return;
      case 'subscribe':
        return this.#subscriptions.subscribe(connection, payload, id);
      case 'unsubscribe':
        return this.#subscriptions.unsubscribe(connection, payload, id);
      case 'getSubscriptions':
        return this.#subscriptions.list(connection, id);
      case 'requestSnapshot':
        return this.#snapshot(connection, payload, id);
      case 'getLedger':
        return this.#ledger(connection, id);
      default:
    }
    const query = Object.hasOwn(QUERIES, type) ? QUERIES[type] : undefined;
    if (query === undefined) return this.#unknown(connection, message);
    void this.#ask(connection, query, id);
  }

  #snapshot(connection: PooledConnection, payload: Record<string, unknown>, id: string | number | undefined): void {
    const { snapshot, config } = this.#parts;
    const question = snapshotQuestion(payload, config.limits.filterTerms);
    if ('problem' in question) return this.#error(connection, 'INVALID_REQUEST', question, id);
    this.#answer(connection, 'snapshot', () => snapshot(question.terms, question.given), id);
  }

  #ledger(connection: PooledConnection, id: string | number | undefined): void {
    const { delivery, ledger } = this.#parts;
    // So that the figures are those of what has been sent before them.
    delivery.settle(connection);
    this.#answer(connection, 'ledger', () => ledger(connection), id);
  }

  #answer(
    connection: PooledConnection,
    reply: string,
    work: () => Record<string, unknown>,
    id: string | number | undefined,
  ): void {
    const answer = this.#share.run(work);
    if (answer === undefined)
      this.#error(connection, 'REQUEST_FAILED', { reason: 'The gateway is busy with others' }, id);
    else sendReply(connection, reply, answer, id);
  }

  async #ask(
    connection: PooledConnection,
    { name, reply }: { name: QueryName; reply: string },
    id: string | number | undefined,
  ): Promise<void> {
    try {
      const answer = await this.#parts.query(name);
      if (name === 'stats') answer.subscription = this.#subscriptions.figures(connection);
      sendReply(connection, reply, answer, id);
    } catch (thrown) {
      this.#error(connection, 'REQUEST_FAILED', { reason: errorMessage(thrown) }, id);
    }
  }

  #invalid(connection: PooledConnection, { problem, id }: MessageProblem): void {
    this.#parts.statistics.add('invalidMessages');
    this.#error(connection, 'INVALID_MESSAGE', { problem }, id);
  }

  /** Existing clients send types of their own and take an error for the end: they are told only when they ask. */
  #unknown(connection: PooledConnection, { type, id }: ClientMessage): void {
    const { statistics, log } = this.#parts;
    statistics.add('unknownMessages');
    log.debug({ connectionId: connection.id, type: type.slice(0, 64) }, 'WebSocket message of unknown type');
    if (id !== undefined) this.#error(connection, 'UNKNOWN_MESSAGE_TYPE', { type: type.slice(0, 64) }, id);
  }

  #tooMany(connection: PooledConnection, text: string, nowMs: number): void {
    const { statistics, config } = this.#parts;
    statistics.add('rateLimited');
    if (this.#closeIfIncorrigible(connection, nowMs) || !connection.budget.mayReply(nowMs)) return;
    const { id } = readClientMessage(text);
    this.#error(connection, 'RATE_LIMIT_EXCEEDED', { commandsPerSecond: config.limits.commandsPerSecond }, id);
  }

  #closeIfIncorrigible(connection: PooledConnection, nowMs: number): boolean {
    if (connection.budget.refusedForMs(nowMs) < RATE_LIMITED_MS_MAX) return false;
    this.#parts.close(connection, 'rateLimited');
    return true;
  }

  #error(connection: PooledConnection, code: ErrorCode, detail: object, id: string | number | undefined): void {
    this.#parts.statistics.add('errors');
    sendError(connection, code, detail, id);
  }
}

/** A filter that names at most as many terms as those of a connection may. */
function snapshotQuestion(payload: Record<string, unknown>, termsMax: number): FilterProblem | ParsedFilter {
  const parsed = parseFilter(payload);
  if (isFilterProblem(parsed)) return parsed;
  const terms = termCount(parsed.terms);
  if (termsMax === 0 || terms <= termsMax) return parsed;
  return { key: 'symbols', problem: `names ${terms} combinations`, allowed: `up to ${termsMax} combinations` };
}
