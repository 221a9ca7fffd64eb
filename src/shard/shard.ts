import { threadId } from 'node:worker_threads';
import { refusal, refusalAnswer } from '../admin/access.ts';
import { topConnections } from '../admin/connection-order.ts';
import type { ForwardedReply, ForwardedRequest } from '../admin/forwarded-request.ts';
import { primarySilentAnswer } from '../admin/primary-silent.ts';
import { ConnectionPoolManager } from '../batch/connection-pool-manager.ts';
import { createFlushPolicy } from '../batch/flush-policy.ts';
import { Compression } from '../compression/compression.ts';
import { ClientAddresses } from '../connection/client-addresses.ts';
import { Commands } from '../connection/commands.ts';
import { Listener } from '../connection/listener.ts';
import { WebSocketProxy } from '../connection/websocket-proxy.ts';
import { ConnectionCounter } from '../control/connection-counter.ts';
import type { ShardTask, ToShard } from '../control/messages.ts';
import { PrimaryPulse } from '../control/primary-pulse.ts';
import { Delivery } from '../delivery/delivery.ts';
import { Epochs } from '../delivery/epochs.ts';
import { ledgerOf } from '../delivery/ledger.ts';
import { snapshotAnswer } from '../delivery/snapshot-answer.ts';
import { TopicTable } from '../delivery/topic-table.ts';
import { Receiver } from '../ring/receiver.ts';
import { SequenceIndexReader } from '../ring/sequence-index.ts';
import { TopicDirectoryReader } from '../ring/topic-directory.ts';
import { WakeUpReceiver } from '../ring/wake-up.ts';
import { SubscriptionManager } from '../subscription/subscription-manager.ts';
import { createForwardingLogger } from '../telemetry/forwarding-logger.ts';
import { HealthFlag } from '../telemetry/health-flag.ts';
import { writeLastWords } from '../telemetry/last-words.ts';
import { PHASE } from '../telemetry/shard-phases.ts';
import { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { errorMessage } from '../util/errors.ts';
import { lookIntervalMs } from '../util/silence.ts';
import { stackOfMainThread } from '../util/thread-stack.ts';
import { CatchUp } from './catch-up.ts';
import { DutyCycle } from './duty-cycle.ts';
import { Housekeeping } from './housekeeping.ts';
import { Pressure } from './pressure.ts';
import { PrimaryLink } from './primary-link.ts';
import { PrimaryWatch } from './primary-watch.ts';
import { Pulse } from './pulse.ts';
import { TopicRestorer } from './topic-restorer.ts';

/** How long a client that comes from another gateway waits for this one to have come as far, ms. */
const RESUME_WAIT_MS = 2_000;
/** How often a drain looks whether the clients have gone, ms. */
const DRAIN_LOOK_MS = 20;
/** How long a hung primary has to be interrupted, ms. */
const STACK_MS_MAX = 1_000;

/**
 * Composition root of one worker thread: wires ring receiver → subscriptions → batches → connections, and does what the
 * primary says. It resolves when the shard has been drained and its thread has nothing left to do.
 */
export function runShard(task: ShardTask): Promise<void> {
  return new Shard(task).run();
}

class Shard {
  readonly #task: ShardTask;
  readonly #statistics: StatisticsBlock;
  readonly #link: PrimaryLink;
  readonly #listener: Listener;
  readonly #proxy: WebSocketProxy;
  readonly #duty: DutyCycle;
  readonly #delivery: Delivery;
  readonly #epochs: Epochs;
  readonly #table: TopicTable;
  readonly #restorer: TopicRestorer;
  readonly #housekeeping: Housekeeping;
  readonly #pressure: Pressure;
  readonly #primaryWatch: PrimaryWatch;
  readonly #pulse: Pulse;
  readonly #drained = Promise.withResolvers<void>();
  #draining = false;

  constructor(task: ShardTask) {
    this.#task = task;
    const { config, index, version, ring, counter } = task;
    const epochs = new Epochs(task.numbering);
    const statistics = new StatisticsBlock(task.statistics);
    const link = new PrimaryLink(task.messages);
    const log = createForwardingLogger({
      level: config.log.level,
      send: (line) => link.send({ kind: 'log', ...line }),
      countSuppressed: (lines) => statistics.add('logLinesSuppressed', lines),
    });
    const directory = new TopicDirectoryReader(task.directory);
    const sequenceIndex = new SequenceIndexReader(task.sequenceIndex);
    const policy = createFlushPolicy(config.batch);
    const table = new TopicTable();
    const receiver = new Receiver(ring);
    const history = new Receiver(ring);
    const compression = Compression.create({ options: config.compression, statistics }, log);
    const pool = new ConnectionPoolManager({
      statistics,
      policy,
      batchBytesMax: config.batch.maxBytes,
      highWaterBytes: config.slow.highWaterBytes,
      compression,
      fellBehind: (connection) => this.#delivery.fallBehind(connection),
      behind: (connections, record) => this.#delivery.note(connections, record),
    });
    const subscriptions = new SubscriptionManager(directory, pool);
    const delivery = new Delivery({
      epochs,
      statistics,
      directory,
      index: sequenceIndex,
      history,
      table,
      subscriptions,
      limits: { messages: config.limits.pendingMessages, bytes: config.limits.pendingBytes },
      highWaterBytes: config.slow.highWaterBytes,
      lagMsMax: config.slow.maxLagMs,
      settle: (connection) => pool.settle(connection),
      drain: () => this.#duty.drain(),
      resumeWaitMs: RESUME_WAIT_MS,
      giveUp: (connection) => this.#proxy.close(connection, 'slowConsumer'),
    });
    const commands = new Commands({
      config,
      statistics,
      subscriptions,
      delivery,
      snapshot: (terms, asked) => snapshotAnswer(terms, asked, delivery.catalog, delivery.values),
      ledger: (connection) => ledgerOf(connection, epochs.current, table, delivery.catalog),
      query: (name) => link.query(name),
      close: (connection, name) => this.#proxy.close(connection, name),
      log,
    });
    const restorer = new TopicRestorer({ receiver, history, directory, index: sequenceIndex, table });
    const catchUp = new CatchUp({
      restorer,
      history,
      directory,
      index: sequenceIndex,
      table,
      subscriptions,
      pool,
      delivery,
      log,
      statistics,
    });
    this.#delivery = delivery;
    this.#epochs = epochs;
    this.#table = table;
    this.#restorer = restorer;
    this.#statistics = statistics;
    this.#link = link;
    const health = new HealthFlag(task.health);
    this.#listener = new Listener({
      config,
      version,
      statistics,
      health: () => health.read(),
      forward: (request) => this.#forward(request),
    });
    this.#proxy = new WebSocketProxy({
      config,
      shard: index,
      version,
      epochs,
      statistics,
      counter: new ConnectionCounter(counter),
      subscriptions,
      delivery,
      negotiation: compression?.negotiation,
      seq: () => table.seq,
      commands,
      listener: this.#listener,
      addresses: new ClientAddresses({ trustProxy: config.server.trustProxy, statistics, log }),
      admit: (address) => link.admit(address),
      left: (address) => link.send({ kind: 'left', address }),
      log,
    });
    this.#duty = new DutyCycle({
      receiver,
      wakeUp: new WakeUpReceiver(ring, index),
      subscriptions,
      pool,
      policy,
      statistics,
      table,
      delivery,
      catchUp,
    });
    this.#housekeeping = new Housekeeping({
      statistics,
      subscriptions,
      directory,
      proxy: this.#proxy,
      delivery,
      compression,
      pool,
      log,
    });
    this.#pressure = new Pressure({
      duty: this.#duty,
      pool,
      proxy: this.#proxy,
      conflateHarder: (harder) => delivery.conflateHarder(harder),
      closeSlowest: () => delivery.closeSlowest(),
      statistics,
      log,
    });
    const { shardSilentMs, primarySilentMs } = config.supervisor;
    const intervalMs = lookIntervalMs(shardSilentMs, primarySilentMs);
    this.#primaryWatch = new PrimaryWatch({
      pulse: new PrimaryPulse(task.primary.pulse),
      intervalMs,
      limitMs: primarySilentMs,
      ownsProcess: task.primary.ownsProcess,
      statistics,
      log,
      abandon: () => link.abandon(),
      stack: async () => (task.primary.isMainThread ? stackOfMainThread(STACK_MS_MAX) : []),
      lastWords: (fields, message) => writeLastWords(config.log, { shard: index, ...fields }, message),
      kill: () => process.kill(process.pid, 'SIGKILL'),
    });
    this.#pulse = new Pulse({ statistics, intervalMs, look: () => this.#primaryWatch.look() });
  }

  async run(): Promise<void> {
    const { messages, port, reusePort } = this.#task;
    messages.on('message', (message: ToShard) => this.#receive(message));
    this.#statistics.add('lifetimes');
    this.#statistics.set('threadId', threadId);
    this.#pulse.start();
    this.#housekeeping.start();
    this.#proxy.start();
    this.#statistics.set('phase', PHASE.restoring);
    // Before anybody connects: where each topic stands, and its latest value.
    this.#restorer.restore();
    this.#duty.turn();
    this.#statistics.set('phase', PHASE.idle);
    try {
      const listening = await this.#listener.listen(port, reusePort);
      // Told to stop before there was anything to stop.
      if (this.#draining) await this.#listener.stopAccepting();
      this.#link.send({ kind: 'listening', port: listening });
      await this.#drained.promise;
    } catch (thrown) {
      const code = String((thrown as { code?: unknown }).code ?? 'UNKNOWN');
      this.#link.send({ kind: 'listenFailed', code, message: errorMessage(thrown) });
    }
    // Where it never listened this still ends the heartbeat: the thread lives on for its next task.
    this.#proxy.closeAll();
    this.#housekeeping.stop();
    this.#pulse.stop();
    this.#duty.stop();
    this.#delivery.stop();
    messages.close();
  }

  #receive(message: ToShard): void {
    if (this.#link.settle(message)) return;
    if (message.kind === 'wake') {
      this.#statistics.add('wakes');
      return this.#duty.turn();
    }
    this.#statistics.set('phase', PHASE.answering);
    this.#obey(message);
    this.#statistics.set('phase', PHASE.idle);
  }

  #obey(message: ToShard): void {
    switch (message.kind) {
      case 'flush':
        return this.#flush(message.id);
      case 'connections':
        return this.#link.send({
          kind: 'connections',
          id: message.id,
          rows: topConnections(this.#proxy.rows(), message.sort, message.limit),
        });
      case 'numbering':
        this.#epochs.change(message.numbering);
        return this.#proxy.tellAll('epoch', { epoch: this.#epochs.current, seq: this.#table.seq });
      case 'hole':
        return this.#proxy.tellAll('hole', message.hole);
      case 'pressure':
        return this.#pressure.enter(message.stage);
      case 'farewell':
        return void this.#farewell(message.drainMs);
      case 'drain':
        return void this.#drain(message.timeoutMs);
      default:
    }
  }

  /** Who may not ask is told so here: strangers do not reach the primary. */
  async #forward(request: ForwardedRequest): Promise<ForwardedReply> {
    const refused = refusal(request, this.#task.config.admin.token);
    if (refused !== undefined) return refusalAnswer(refused);
    const watch = this.#primaryWatch;
    try {
      if (watch.silentMs === 0) return await this.#link.forward(request);
    } catch (thrown) {
      if (watch.silentMs === 0) throw thrown;
    }
    return primarySilentAnswer(request, watch.silentMs);
  }

  #flush(id: number): void {
    const before = this.#statistics.get('messagesForwarded');
    this.#duty.flush();
    this.#link.send({ kind: 'flushed', id, messages: this.#statistics.get('messagesForwarded') - before });
  }

  /** A shard that has been told to drain meanwhile closes everybody at once. */
  async #farewell(drainMs: number): Promise<void> {
    await this.#listener.stopAccepting();
    if (!this.#draining) this.#proxy.bidFarewell(drainMs, () => this.#duty.flush());
  }

  /** Everything published so far goes out, then 1001, then the thread is free; what has not gone by then is cut. */
  async #drain(timeoutMs: number): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const deadlineMs = performance.now() + timeoutMs;
    await this.#listener.stopAccepting();
    this.#duty.flush();
    this.#proxy.closeAll();
    while (this.#proxy.size > 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    this.#proxy.terminateAll();
    this.#listener.closeAll();
    this.#drained.resolve();
  }
}
