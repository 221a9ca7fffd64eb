import type { Logger } from '../telemetry/logger.ts';
import { assert } from '../util/assert.ts';
import { nowUs } from '../util/clock.ts';
import { type ErrorCode, TickcastError } from '../util/errors.ts';
import type { ChannelLane } from './channel-lane.ts';
import { type ChannelQueue, QueueBudget } from './channel-queue.ts';
import { ChannelSet } from './channel-set.ts';
import type { DataFlowEvents } from './data-flow-events.ts';
import type { Clock, DataFlowOptions } from './data-flow-options.ts';
import { DataFlowCounters, type DataFlowStats } from './data-flow-stats.ts';
import type { DataTransformer, TransformerStats } from './data-transformer.ts';
import { failureMessage } from './failure-message.ts';
import { FaultCounter } from './fault-counter.ts';
import { GuardedEmitter } from './guarded-emitter.ts';
import type { ChannelStatus, OutputChannel } from './output-channel.ts';
import type { Publication, PublicationContext } from './publication.ts';
import type { PublicationText } from './publication-text.ts';
import type { RoutingRule } from './routing-rule.ts';
import { RoutingTable } from './routing-table.ts';
import type { SourceNumber } from './source-number.ts';
import { TransformerChain } from './transformer-chain.ts';

export type { DataFlowEvents } from './data-flow-events.ts';
export type { DataFlowOptions } from './data-flow-options.ts';
export type { DataFlowStats } from './data-flow-stats.ts';

const QUEUE_LIMIT = 10_000;
const BACKPRESSURE_AT = 8_000;
const STOP_TIMEOUT_MS = 5_000;
const STATS_INTERVAL_US = 1_000_000;
/** The average latency follows the last so many publications. */
const LATENCY_WINDOW = 1_000;

type State = 'idle' | 'running' | 'stopping' | 'stopped';

/**
 * Stage 2: between the sources and the output channels. Runs on the primary thread. In: anything that claims to be a
 * publication, through `processData`. Out: normalised publications, each once to every channel that the routing rules
 * give it, before `processData` returns.
 *
 *     processData → normaliser → strict → registered transformers → routing rules → channel.output
 *
 * No timers and no work while nothing comes. Bad input, and channels, rules, transformers and listeners that throw, are
 * counted, logged and announced as events; they never throw out of here. Only calls that can't be right do.
 */
export class DataFlowManager extends GuardedEmitter<DataFlowEvents> {
  readonly #logger: Logger | undefined;
  readonly #clock: Clock;
  readonly #counters = new DataFlowCounters();
  readonly #faults: FaultCounter;
  readonly #budget: QueueBudget;
  readonly #routing: RoutingTable;
  readonly #transformers: TransformerChain;
  readonly #channels: ChannelSet;
  #state: State = 'idle';
  #stopped: Promise<void> | undefined;
  #lastActivityUs = 0;
  #averageLatencyUs = 0;
  #statsAtUs = 0;

  constructor(options: DataFlowOptions = {}) {
    super();
    this.#logger = options.logger;
    this.#clock = options.clock ?? { nowUs };
    this.#faults = new FaultCounter(options.logger);
    this.#budget = new QueueBudget(options.queueLimit ?? QUEUE_LIMIT, options.backpressureAt ?? BACKPRESSURE_AT, {
      backpressure: (active, size) => this.#backpressure(active, size),
      dropped: (queue) => this.#dropped(queue),
    });
    this.#routing = new RoutingTable({
      ruleMatched: (name, publication) => this.#ruleMatched(name, publication),
      ruleFailed: (name, thrown, publication) => this.#ruleFailed(name, thrown, publication),
      channelUnknown: (rule, channel) =>
        this.#logger?.warn({ rule, channel }, 'Routing rule names an unknown output channel'),
    });
    this.#transformers = new TransformerChain(options.strict ?? false, (code, data, message, cause) =>
      this.#refuse(code, data, message, cause),
    );
    this.#channels = new ChannelSet({
      budget: this.#budget,
      counters: this.#counters,
      hooks: {
        channelFailed: (id, thrown) => this.#channelFailed(id, thrown),
        channelTimedOut: (id, waiting, unconfirmed) => this.#channelTimedOut(id, waiting, unconfirmed),
      },
      closeTimeoutMs: options.stopTimeoutMs ?? STOP_TIMEOUT_MS,
    });
  }

  /** True while so much waits for slow channels that a source which can wait should. Cheap. */
  get backpressureActive(): boolean {
    return this.#budget.backpressureActive;
  }

  /** Nothing has to be loaded, so this only tells whether the manager can still start. Rejects with INVALID_STATE. */
  async initialize(): Promise<void> {
    this.#assertState('initialize', 'idle');
  }

  /** Publications are accepted from here on, at once. Rejects with INVALID_STATE on a second start or after a stop. */
  async start(): Promise<void> {
    this.#assertState('start', 'idle');
    this.#state = 'running';
    this.#logger?.info({ channels: this.#channels.list.length, rules: this.#routing.size }, 'DataFlow started');
    this.announce('started');
  }

  /**
   * Accepts nothing more, delivers what waits, closes every channel. Always resolves, within `stopTimeoutMs`; what a
   * channel did not take by then is counted and logged. Final. Further calls share the first one's promise.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** From the next publication on. Throws CHANNEL_EXISTS, or INVALID_STATE after a stop. */
  registerChannel(channel: OutputChannel): void {
    this.#assertState('register a channel', 'idle', 'running');
    this.#channels.add(channel);
    this.announce('channelRegistered', channel);
  }

  /**
   * The channel gets nothing new from now on; what waits for it is delivered, then it is closed, within `stopTimeoutMs`.
   * Resolves with true when that is done, with false where there is no such channel. Never rejects.
   */
  async unregisterChannel(id: string): Promise<boolean> {
    const closed = this.#stopped === undefined ? this.#channels.remove(id) : undefined;
    if (closed === undefined) return false;
    this.announce('channelUnregistered', id);
    await closed;
    return true;
  }

  /** From the next publication on. A rule of the same name is replaced. */
  addRoutingRule(rule: RoutingRule): void {
    assert(
      typeof rule.condition === 'function' && Array.isArray(rule.targetChannels),
      'a rule has a condition and targets',
    );
    this.#routing.add(rule);
    this.announce('routingRuleAdded', rule);
  }

  /** Returns whether there was such a rule. */
  removeRoutingRule(name: string): boolean {
    const removed = this.#routing.remove(name);
    if (removed) this.announce('routingRuleRemoved', name);
    return removed;
  }

  /** Transformers run in the order they came, behind the normaliser. One of the same name is replaced, in its place. */
  registerTransformer(transformer: DataTransformer): void {
    this.#transformers.register(transformer);
    this.announce('transformerRegistered', transformer);
  }

  /**
   * Takes one publication through transformers and rules to the channels, all of it before it returns where the channels
   * answer at once. Never throws. Not meant to be called from within a channel, rule or transformer: it works, but
   * the channels that the outer publication has not reached yet then see the inner one first.
   *
   * @param data not changed, and the gateway's from now on: see Publication
   * @param source name of where it comes from
   * @param dueUs when it should have left there, µs since the epoch; now where that is not a positive number
   * @param number its identity, where the source gives it one
   * @returns whether it was accepted; if not, `processingError` has been emitted and the reason counted
   */
  processData(data: unknown, source = 'direct', dueUs?: number, number?: SourceNumber): boolean {
    if (this.#state !== 'running') return this.#refuse('INVALID_STATE', data, `DataFlow is ${this.#state}`);
    const arrivedUs = this.#clock.nowUs();
    const context: PublicationContext = {
      source,
      dueUs: dueUs !== undefined && dueUs > 0 ? dueUs : arrivedUs,
      receivedAtAdded: false,
      number,
    };
    const publication = this.#transformers.apply(data, context, Math.floor(arrivedUs / 1000));
    if (publication === undefined) return false;
    this.#counters.processed++;
    this.#lastActivityUs = arrivedUs;
    this.#deliver(publication, context);
    this.#average(this.#clock.nowUs() - context.dueUs);
    if (this.listenerCount('dataProcessed') > 0) this.announce('dataProcessed', publication, this.getStats());
    if (Math.abs(arrivedUs - this.#statsAtUs) >= STATS_INTERVAL_US) this.#announceStats(arrivedUs);
    return true;
  }

  /**
   * Whether a publication that comes as a text can go through as one: nothing but one channel, which takes texts, would see
   * it. Else `processText` is no quicker than `processData`. Cheap.
   */
  get takesTexts(): boolean {
    const lanes = this.#channels.list;
    return (
      this.#state === 'running' &&
      lanes.length === 1 &&
      this.#routing.size === 0 &&
      this.#transformers.isBare &&
      this.listenerCount('dataProcessed') === 0 &&
      (lanes[0] as ChannelLane).takesTexts
    );
  }

  /** As `processData` with what the text says, without parsing it where nobody needs that. */
  processText(text: PublicationText, source: string, dueUs: number, number: SourceNumber | undefined): boolean {
    const lane = this.#channels.list[0];
    if (lane === undefined || !this.takesTexts || !lane.deliverText(text, dueUs, number)) {
      return this.processData(text.parse(), source, dueUs, number);
    }
    const doneUs = this.#clock.nowUs();
    this.#transformers.passed(Math.floor(doneUs / 1000));
    this.#counters.processed++;
    this.#lastActivityUs = doneUs;
    this.#average(doneUs - dueUs);
    if (Math.abs(doneUs - this.#statsAtUs) >= STATS_INTERVAL_US) this.#announceStats(doneUs);
    return true;
  }

  getStats(): DataFlowStats {
    const counters = this.#counters;
    return {
      totalProcessed: counters.processed,
      totalSent: counters.sent,
      totalErrors: this.#faults.total,
      averageLatency: this.#averageLatencyUs / 1000,
      currentQueueSize: this.#budget.size,
      backpressureActive: this.#budget.backpressureActive,
      activeChannels: this.#channels.list.filter((lane) => lane.active).length,
      routingRules: this.#routing.size,
      lastActivity: Math.floor(this.#lastActivityUs / 1000),
      totalUnrouted: counters.unrouted,
      totalDropped: counters.dropped,
      errorsByCode: this.#faults.byCode(),
    };
  }

  /** What each registered channel says of itself; one whose `getStatus` throws is left out, counted and reported. */
  getChannelStatuses(): ChannelStatus[] {
    const statuses: ChannelStatus[] = [];
    for (const { channel } of this.#channels.list) {
      try {
        statuses.push(channel.getStatus());
      } catch (thrown) {
        this.#channelFailed(channel.id, thrown);
      }
    }
    return statuses;
  }

  /** Figures of the normaliser and every registered transformer, by name. */
  getTransformerStats(): Record<string, TransformerStats> {
    return this.#transformers.stats();
  }

  protected override listenerFailed(event: string, thrown: unknown): void {
    this.#faults.count('LISTENER_FAILED', 'error', 'DataFlow listener failed', { event, err: thrown });
  }

  #deliver(publication: Publication, context: PublicationContext): void {
    if (this.#routing.size === 0) {
      const lanes = this.#channels.list;
      for (let i = 0; i < lanes.length; i++) (lanes[i] as ChannelLane).deliver(publication, context);
      return;
    }
    const { lanes, transformed } = this.#routing.route(publication, context, this.#channels.byId);
    if (lanes.length === 0) this.#counters.unrouted++;
    for (let i = 0; i < lanes.length; i++) {
      (lanes[i] as ChannelLane).deliver(transformed[i] ?? publication, context);
    }
  }

  /** @param latencyUs of the publication that was processed last */
  #average(latencyUs: number): void {
    const weight = Math.min(this.#counters.processed, LATENCY_WINDOW);
    this.#averageLatencyUs += (Math.max(0, latencyUs) - this.#averageLatencyUs) / weight;
  }

  #announceStats(atUs: number): void {
    this.#statsAtUs = atUs;
    if (this.listenerCount('statsUpdated') > 0) this.announce('statsUpdated', this.getStats());
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping';
    // Whoever called may be a channel: what is being delivered now reaches the others first.
    await Promise.resolve();
    await this.#channels.closeAll();
    this.#state = 'stopped';
    this.#logger?.info({ ...this.getStats() }, 'DataFlow stopped');
    this.announce('stopped');
  }

  #assertState(doing: string, ...allowed: State[]): void {
    if (allowed.includes(this.#state)) return;
    throw new TickcastError('INVALID_STATE', `Cannot ${doing}: DataFlow is ${this.#state}`, { state: this.#state });
  }

  #refuse(code: ErrorCode, data: unknown, message?: string, cause?: unknown): false {
    const fields = cause === undefined ? {} : { err: cause };
    this.#faults.count(code, 'warn', `Publication refused${message === undefined ? '' : `: ${message}`}`, fields);
    if (this.listenerCount('processingError') > 0) {
      this.announce('processingError', new TickcastError(code, message, undefined, cause), data);
    }
    return false;
  }

  #ruleMatched(name: string, publication: Publication): void {
    if (this.listenerCount('routingRuleMatched') > 0) this.announce('routingRuleMatched', name, publication);
  }

  #ruleFailed(rule: string, thrown: unknown, publication: Publication): void {
    this.#faults.count('RULE_FAILED', 'error', 'Routing rule failed', { rule, err: thrown });
    if (this.listenerCount('routingError') === 0) return;
    const error = new TickcastError('RULE_FAILED', failureMessage(`Routing rule ${rule}`, thrown), { rule }, thrown);
    this.announce('routingError', error, publication, rule);
  }

  /** An error from the table keeps its code, such as PUBLICATION_TOO_LARGE. */
  #channelFailed(channel: string, thrown: unknown): void {
    const known = thrown instanceof TickcastError ? thrown : undefined;
    this.#faults.count(known?.code ?? 'CHANNEL_FAILED', 'error', 'Output channel failed', { channel, err: thrown });
    if (this.listenerCount('channelError') === 0) return;
    const message = failureMessage(`Output channel ${channel}`, thrown);
    this.announce('channelError', channel, known ?? new TickcastError('CHANNEL_FAILED', message, { channel }, thrown));
  }

  #channelTimedOut(channel: string, waiting: number, unconfirmed: number): void {
    const detail = { channel, waiting, unconfirmed };
    this.#faults.count('CHANNEL_TIMED_OUT', 'error', 'Output channel did not finish in time', detail);
    this.announce('channelError', channel, new TickcastError('CHANNEL_TIMED_OUT', undefined, detail));
  }

  #dropped(queue: ChannelQueue): void {
    this.#counters.dropped++;
    const fields = { channel: queue.channelId, waiting: this.#budget.size };
    this.#faults.count('QUEUE_OVERFLOW', 'warn', 'Output channel too slow, oldest publication dropped', fields);
  }

  #backpressure(active: boolean, size: number): void {
    if (active) this.#logger?.warn({ size }, 'DataFlow back-pressure activated');
    else this.#logger?.info({ size }, 'DataFlow back-pressure deactivated');
    this.announce(active ? 'backpressureActivated' : 'backpressureDeactivated', size);
  }
}
