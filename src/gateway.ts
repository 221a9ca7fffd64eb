import { availableParallelism } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { createAdminApp } from './admin/admin-app.ts';
import type { AdminContext } from './admin/admin-context.ts';
import { listenAdmin } from './admin/admin-listener.ts';
import { answerForwarded } from './admin/inject.ts';
import { InstanceAnswers } from './admin/instance-answers.ts';
import { MachineAnswers } from './admin/machine-answers.ts';
import { Cluster, NO_PEERS } from './cluster/cluster.ts';
import { givenNumber, type InstanceIdentity, instanceIdentity } from './cluster/instance-identity.ts';
import { createConfig } from './config/load-config.ts';
import type { Config, ConfigOverrides } from './config/schema.ts';
import { VERSION } from './config/version.ts';
import { CLOSES } from './connection/close-codes.ts';
import { ClientQueries } from './control/client-queries.ts';
import { MemoryPressure } from './control/memory-pressure.ts';
import { NumberingNotices } from './control/numbering-notices.ts';
import { canSharePort, Supervisor } from './control/supervisor.ts';
import { systemHints } from './control/system-limits.ts';
import { DataFlowManager } from './dataflow/data-flow-manager.ts';
import { hoistedFields } from './dataflow/hoist.ts';
import { putHoisted } from './dataflow/hoisted-text.ts';
import { ProxyWebSocketOutputChannel } from './dataflow/proxy-websocket-output-channel.ts';
import type { Publication } from './dataflow/publication.ts';
import { policyOf } from './delivery/delivery-policy.ts';
import { FramePublisher } from './frame/frame-publisher.ts';
import { Numbering } from './frame/numbering.ts';
import { TopicRegistry } from './frame/topic-registry.ts';
import { allocateRing } from './ring/layout.ts';
import { allocateSequenceIndex, SequenceIndexWriter } from './ring/sequence-index.ts';
import { allocateTopicDirectory, TopicDirectoryWriter } from './ring/topic-directory.ts';
import { Transmitter } from './ring/transmitter.ts';
import { WakeUpSender } from './ring/wake-up.ts';
import { createSource } from './source/create-source.ts';
import type { Source } from './source/source.ts';
import { SourceSet } from './source/source-set.ts';
import { Aggregator } from './telemetry/aggregator.ts';
import { Alerts } from './telemetry/alerts.ts';
import { assessHealth } from './telemetry/health.ts';
import { HealthFlag } from './telemetry/health-flag.ts';
import { LastError } from './telemetry/last-error.ts';
import type { Logger } from './telemetry/logger.ts';
import { PerformanceLog } from './telemetry/performance-log.ts';
import { createLogger, type GatewayLogger } from './telemetry/pino-logger.ts';
import { followSteps } from './util/clock.ts';
import { TickcastError } from './util/errors.ts';

export interface GatewayParts {
  /** Takes the place of the source that the configuration names. */
  source?: Source;
  /** Takes the place of the JSON log. */
  logger?: Logger;
  /** Entry point of the shards, for tests of what happens when one fails. */
  shardFile?: URL;
  /** The process is the gateway's alone, and is ended (SIGKILL) when a thread of it hangs for good. By default it is not. */
  ownsProcess?: boolean;
}

const SAMPLE_INTERVAL_MS = 1_000;
/** What the sources and DataFlow may take of the shutdown, before the shards drain. */
const DATAFLOW_STOP_MS = 1_000;

/**
 * Composition root of the primary: wires source → DataFlowManager → frames → ring, the supervisor of the shards, the
 * statistics and the admin API. No logic of its own.
 */
export class Gateway {
  readonly config: Config;
  /** Register output channels, routing rules and transformers here. */
  readonly dataFlow: DataFlowManager;
  readonly #lastError = new LastError();
  readonly #log: Logger;
  readonly #ownLog: GatewayLogger | undefined;
  readonly #registry: TopicRegistry;
  readonly #notices: NumberingNotices;
  readonly #numbering: Numbering;
  readonly #publisher: FramePublisher;
  readonly #transmitter: Transmitter;
  readonly #channel: ProxyWebSocketOutputChannel;
  readonly #supervisor: Supervisor;
  readonly #sources: SourceSet;
  readonly #admin: FastifyInstance;
  readonly #instance: InstanceIdentity;
  /** The other instances on the port; undefined where there can be none. */
  readonly #cluster: Cluster | undefined;
  readonly #aggregator: Aggregator;
  readonly #performanceLog: PerformanceLog;
  readonly #alerts: Alerts;
  readonly #memoryPressure: MemoryPressure;
  readonly #context: AdminContext;
  readonly #health: HealthFlag;
  readonly #startedAtMs = Date.now();
  #sampling: NodeJS.Timeout | undefined;
  #port = 0;
  #running = false;
  #started = false;
  #stopped: Promise<void> | undefined;

  /** @throws TickcastError INVALID_OPTION for options that are not allowed, each named */
  constructor(options: ConfigOverrides = {}, parts: GatewayParts = {}) {
    const config = createConfig(options);
    this.config = config;
    this.#ownLog = parts.logger === undefined ? createLogger(config.log) : undefined;
    this.#log = this.#lastError.watch(parts.logger ?? (this.#ownLog as Logger));

    const ring = allocateRing(config.ring.bytes);
    const directory = allocateTopicDirectory(config.ring.topics);
    const sequenceIndex = allocateSequenceIndex(ring.capacity);
    const directoryWriter = new TopicDirectoryWriter(directory);
    const wakeUp = new WakeUpSender(ring);
    const health = HealthFlag.allocate();
    this.#health = new HealthFlag(health);
    this.#transmitter = new Transmitter(ring);
    this.#registry = new TopicRegistry(directoryWriter, (dataType) => policyOf(dataType, config.conflation));
    this.#notices = new NumberingNotices({ tell: (message) => this.#supervisor.tell(message), log: this.#log });
    this.#numbering = new Numbering(this.#notices);
    this.#publisher = new FramePublisher({
      numbering: this.#numbering,
      registry: this.#registry,
      directory: directoryWriter,
      index: new SequenceIndexWriter(sequenceIndex),
      transmitter: this.#transmitter,
      hoistedFields,
      putHoisted,
      published: () => wakeUp.wake(WAKE),
      payloadBytesMax: config.limits.payloadBytes,
    });

    this.#channel = new ProxyWebSocketOutputChannel(this.#publisher);
    this.dataFlow = new DataFlowManager({ ...config.dataflow, stopTimeoutMs: DATAFLOW_STOP_MS, logger: this.#log });
    this.dataFlow.registerChannel(this.#channel);

    this.#supervisor = new Supervisor({
      config,
      shards: shardCount(config, this.#log),
      task: { config, version: VERSION, ring, directory, sequenceIndex, health },
      numbering: () => this.#numbering.name,
      wakeUp,
      log: this.#log,
      ownsProcess: parts.ownsProcess ?? false,
      query: (name) => queries.answer(name),
      request: (request) => answerForwarded(this.#admin, request),
      ...(parts.shardFile === undefined ? {} : { shardFile: parts.shardFile }),
    });
    const sharesPort = config.server.sharePort && canSharePort();
    this.#instance = instanceIdentity(!sharesPort);
    const context = this.#createContext();
    this.#context = context;
    this.#aggregator = new Aggregator(context, CLOSES);
    const answers = new InstanceAnswers(context, this.#aggregator, CLOSES);
    this.#cluster = sharesPort ? this.#clusterOf(answers) : undefined;
    this.#admin = createAdminApp(new MachineAnswers(answers, this.#cluster ?? NO_PEERS), config.admin.token, this.#log);
    this.#performanceLog = new PerformanceLog(context, this.#aggregator, this.#log);
    this.#alerts = new Alerts(context, this.#aggregator, this.#log);
    this.#memoryPressure = new MemoryPressure({
      ...config.memory,
      tell: (stage) => this.#supervisor.relievePressure(stage),
      figures: () => this.#aggregator.heldForClients(),
      log: this.#log,
    });
    const queries = new ClientQueries({ context, aggregator: this.#aggregator, registry: this.#registry });
    const source = parts.source ?? createSource(config, this.#log);
    this.#sources = this.#sourcesOf(source === undefined ? [] : [source]);
  }

  /** TCP port of the WebSocket endpoint; 0 before `start` has resolved. */
  get port(): number {
    return this.#port;
  }

  /**
   * Resolves when every shard listens and the source has begun, or has failed to, or has not in two seconds.
   * @throws TickcastError PORT_IN_USE, PORT_REFUSED, SHARD_START_FAILED, RUN_DIRECTORY_REFUSED, or INVALID_STATE on a
   *   second start and where `stop` was called before this has resolved; nothing runs then
   */
  async start(): Promise<void> {
    if (this.#started) throw new TickcastError('INVALID_STATE', 'A gateway starts once');
    this.#started = true;
    try {
      this.#refuseStopped();
      for (const { level, message, fields } of systemHints(this.config)) this.#log[level](fields, message);
      this.#cluster?.open();
      await this.dataFlow.start();
      this.#port = await this.#supervisor.start();
      this.#refuseStopped();
      await this.#listenAdmin();
      await this.#cluster?.join(this.#port);
      this.#refuseStopped();
    } catch (thrown) {
      const failure = this.#stopped === undefined ? thrown : stoppedWhileStarting();
      await this.stop();
      throw failure;
    }
    this.#running = true;
    this.#sample();
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
    this.#performanceLog.start();
    this.#memoryPressure.start();
    // Who waits for the gateway takes the one before it down then, which had a source.
    const sourcesStarted = this.#sources.start();
    const { host, path } = this.config.server;
    const shards = this.#supervisor.blocks.length;
    this.#log.info({ host, port: this.#port, path, shards, ...this.#adminPort() }, 'WebSocket gateway started');
    await sourcesStarted;
    if (this.#stopped === undefined) return;
    await this.#stopped;
    throw stoppedWhileStarting();
  }

  /**
   * Publishes one publication, as a source would. Never throws for what is in it.
   * @returns false when it was refused; DataFlow has counted, logged and announced why
   */
  processData(publication: Publication, source = 'library'): boolean {
    return this.dataFlow.processData(publication, source);
  }

  /**
   * Tells every client and sends them away one after another, stops the source, delivers what has been published, and ends
   * all threads. Takes at most `shutdown.timeoutMs` and a moment. Further calls share the first one's promise.
   * @param signal that asks for it, for the log
   */
  stop(signal?: string): Promise<void> {
    this.#stopped ??= this.#stop(signal);
    return this.#stopped;
  }

  #refuseStopped(): void {
    if (this.#stopped !== undefined) throw stoppedWhileStarting();
  }

  async #stop(signal: string | undefined): Promise<void> {
    const begunMs = performance.now();
    this.#log.info(signal === undefined ? {} : { signal }, 'WebSocket gateway stopping');
    this.#running = false;
    this.#health.write('unhealthy');
    clearInterval(this.#sampling);
    this.#performanceLog.stop();
    this.#memoryPressure.stop();
    this.#notices.stop();
    // Data flows until the last client has gone.
    const { drainMs, timeoutMs } = this.config.shutdown;
    await this.#supervisor.farewell(Math.min(drainMs, timeoutMs / 2));
    await this.#sources.stop();
    await this.dataFlow.stop();
    await this.#supervisor.stop(Math.max(0, timeoutMs - (performance.now() - begunMs)));
    await this.#cluster?.leave();
    await this.#admin.close();
    this.#log.info({ tookMs: Math.round(performance.now() - begunMs) }, 'WebSocket gateway stopped');
    await this.#ownLog?.flush();
  }

  #sample(): void {
    followSteps();
    this.#aggregator.sample();
    this.#alerts.check();
    this.#health.write(assessHealth(this.#context, this.#aggregator).status);
  }

  async #listenAdmin(): Promise<void> {
    const { host } = this.config.admin;
    const { adminPort: port } = this.#adminPort();
    await this.#admin.ready();
    if (port !== undefined) await listenAdmin(this.#admin, port, host);
  }

  /**
   * Instances of pm2 have one configuration and a port each: the first one `admin.port`, the others those behind it. In a
   * reload two have the same one, and share it as far as pm2's cluster does so; from then on it is the new one's.
   */
  #adminPort(): { adminPort?: number } {
    const { port } = this.config.admin;
    if (port === 0) return {};
    return { adminPort: port + (this.#cluster === undefined ? 0 : (givenNumber() ?? 0)) };
  }

  #sourcesOf(sources: readonly Source[]): SourceSet {
    const { restartDelayMs, restartDelayMaxMs } = this.config.source;
    return new SourceSet(sources, {
      dataFlow: this.dataFlow,
      congested: () => this.#congested(),
      logger: this.#log,
      restartDelayMs,
      restartDelayMaxMs,
    });
  }

  /** A source that can wait should, while a shard has half a ring to catch up with. */
  #congested(): boolean {
    if (this.dataFlow.backpressureActive) return true;
    const { position, capacity } = this.#transmitter;
    for (const block of this.#supervisor.blocks) {
      if (block.get('connectionsOpen') > 0 && position - block.get('ringPosition') > capacity / 2) return true;
    }
    return false;
  }

  #clusterOf(answers: InstanceAnswers): Cluster {
    return new Cluster({
      ...this.config.cluster,
      instance: this.#instance,
      answer: (question) => answers.answer(question),
      log: this.#log,
    });
  }

  #createContext(): AdminContext {
    return {
      instance: this.#instance,
      config: this.config,
      version: VERSION,
      startedAtMs: this.#startedAtMs,
      port: () => this.#port,
      running: () => this.#running,
      blocks: () => this.#supervisor.blocks,
      shards: () => this.#supervisor.states(),
      ring: () => ({
        publications: this.#publisher.publications,
        numbering: { epoch: this.#numbering.name.epoch, kind: this.#numbering.kind, holes: this.#numbering.holes },
        bytes: this.#publisher.bytes,
        refused: this.#channel.refused(),
        topics: this.#registry.size,
        position: this.#transmitter.position,
        capacityBytes: this.#transmitter.capacity,
        latestValues: this.#publisher.latestValues,
      }),
      dataFlow: () => this.dataFlow.getStats(),
      sources: () => this.#sources.states(),
      pressure: () => this.#memoryPressure.state,
      alerts: () => this.#alerts.list(),
      logLinesLost: () => this.#ownLog?.linesLost() ?? 0,
      lastError: () => this.#lastError.last,
      connections: (limit, sort, timeoutMs) => this.#supervisor.connections(limit, sort, timeoutMs),
      flush: (timeoutMs) => this.#supervisor.flush(timeoutMs),
    };
  }
}

const WAKE = { kind: 'wake' } as const;

function stoppedWhileStarting(): TickcastError {
  return new TickcastError('INVALID_STATE', 'The gateway was stopped before it had started');
}

function shardCount({ shards }: Config, log: Logger): number {
  const wanted = shards === 'auto' ? Math.max(1, availableParallelism() - 1) : shards;
  if (wanted === 1 || canSharePort()) return wanted;
  log.warn({ platform: process.platform, wanted }, 'WebSocket shards cannot share a port here: one shard runs');
  return 1;
}
