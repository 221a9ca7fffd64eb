import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ConnectionRow, ShardState } from '../admin/admin-context.ts';
import type { ConnectionSort } from '../admin/connection-order.ts';
import type { ForwardedReply, ForwardedRequest } from '../admin/forwarded-request.ts';
import type { Config } from '../config/schema.ts';
import type { NumberingName } from '../frame/numbering.ts';
import type { WakeUpSender } from '../ring/wake-up.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PressureStage } from '../telemetry/pressure-stages.ts';
import { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { errorMessage } from '../util/errors.ts';
import { isDebugged } from '../util/is-debugged.ts';
import { lookIntervalMs } from '../util/silence.ts';
import { AddressLedger } from './address-ledger.ts';
import { ConnectionCounter } from './connection-counter.ts';
import type { FromShard, QueryName, ShardTask, ToShard } from './messages.ts';
import { PrimaryPulse } from './primary-pulse.ts';
import { portInUse, ShardRunner } from './shard-runner.ts';
import { ShardWatchdog } from './shard-watchdog.ts';

export interface SupervisorParts {
  config: Config;
  /** Shards to run, at least 1. */
  shards: number;
  /** What every shard is started with, without what is its own. */
  task: Pick<ShardTask, 'config' | 'version' | 'ring' | 'directory' | 'sequenceIndex' | 'health'>;
  /** As it is called now. */
  numbering: () => NumberingName;
  wakeUp: WakeUpSender;
  log: Logger;
  /** The process is the gateway's alone: it is ended where a thread hangs for good. */
  ownsProcess: boolean;
  /** Answers a client's question that a shard passes on; throws where it cannot. */
  query: (name: QueryName) => Record<string, unknown>;
  /** Answers a request to the admin API that came in on the shared port. */
  request: (request: ForwardedRequest) => Promise<ForwardedReply>;
  /** File of the shard's entry point, as a URL; for tests of what happens when a shard fails. */
  shardFile?: URL;
}

const WAKE: ToShard = { kind: 'wake' };

/** How often a farewell looks whether the clients have gone, ms. */
const FAREWELL_LOOK_MS = 20;
/** How long a shard has to answer a question of the admin API, ms. */
const ANSWER_TIMEOUT_MS = 2_000;

// The published package is compiled: its thread entry is JavaScript like this file.
const SHARD_FILE = new URL(
  `../../workers/shard${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/**
 * Starts, watches, restarts and drains the shards, each a long-lived Piscina task. Runs on the primary thread, and is the
 * one place where the messages of the shards are answered.
 */
export class Supervisor {
  readonly blocks: readonly StatisticsBlock[];
  readonly #parts: SupervisorParts;
  readonly #pool: Piscina;
  readonly #runners: readonly ShardRunner[];
  readonly #counter: ConnectionCounter;
  readonly #addresses: AddressLedger;
  readonly #pulseMemory = PrimaryPulse.allocate();
  readonly #watchdog: ShardWatchdog;
  readonly #intervalMs: number;
  #stopPulse = () => {};
  readonly #waiting = new Map<number, (answer: FromShard) => void>();
  #nextId = 1;
  #pressureStage: PressureStage = 0;
  #farewellUntilMs = 0;

  constructor(parts: SupervisorParts) {
    const { config, shards } = parts;
    this.#parts = parts;
    this.#pool = createPool(config, shards);
    this.#pool.on('error', (error: Error) => parts.log.error({ err: error }, 'WebSocket shard pool failed'));
    const memories = Array.from({ length: shards }, () => StatisticsBlock.allocate());
    this.blocks = memories.map((memory) => new StatisticsBlock(memory));
    const counter = ConnectionCounter.allocate(shards);
    this.#counter = new ConnectionCounter(counter);
    this.#addresses = new AddressLedger(config.limits.connectionsPerIp);
    this.#runners = memories.map((statistics, index) => this.#createRunner(index, statistics, counter));
    const { shardSilentMs, primarySilentMs } = config.supervisor;
    this.#intervalMs = lookIntervalMs(shardSilentMs, primarySilentMs);
    this.#watchdog = new ShardWatchdog({
      shards: this.#runners,
      blocks: this.blocks,
      limitMs: shardSilentMs,
      intervalMs: this.#intervalMs,
      log: parts.log,
      isDebugged,
    });
  }

  /** Resolves with the port when every shard listens. Rejects as ShardRunner.start; nothing runs then. */
  async start(): Promise<number> {
    const { server } = this.#parts.config;
    const [first, ...others] = this.#runners as [ShardRunner, ...ShardRunner[]];
    this.#stopPulse = new PrimaryPulse(this.#pulseMemory).start(this.#intervalMs);
    this.#watchdog.start();
    try {
      if (canSharePort() && !server.sharePort && server.port !== 0) await probePort(server.port, server.host);
      const port = await first.start(server.port);
      await Promise.all(others.map((runner) => runner.start(port)));
      return port;
    } catch (thrown) {
      await this.stop(0);
      throw thrown;
    }
  }

  /** Sends the clients away one after another. Resolves when they have gone, after `drainMs` at the latest. */
  async farewell(drainMs: number): Promise<void> {
    if (drainMs === 0) return;
    const untilMs = performance.now() + drainMs;
    const isEmpty = () => this.blocks.every((block) => block.get('connectionsOpen') === 0);
    this.#farewellUntilMs = untilMs;
    for (const runner of this.#runners) runner.send({ kind: 'farewell', drainMs });
    while (!isEmpty() && performance.now() < untilMs) await pause(FAREWELL_LOOK_MS);
  }

  /** Drains all shards side by side, then ends their threads. Takes little longer than `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#watchdog.stop();
    await Promise.all(this.#runners.map((runner) => runner.stop(timeoutMs)));
    await this.#pool.destroy();
    this.#stopPulse();
  }

  states(): ShardState[] {
    return this.#runners.map(({ state }) => ({ ...state }));
  }

  /** Tells all shards, and each that comes up later, what is in force against memory pressure. */
  relievePressure(stage: PressureStage): void {
    this.#pressureStage = stage;
    for (const runner of this.#runners) runner.send({ kind: 'pressure', stage });
  }

  /** Tells all shards what the numbering is called now, or what is missing in it. */
  tell(message: Extract<ToShard, { kind: 'numbering' | 'hole' }>): void {
    for (const runner of this.#runners) runner.send(message);
  }

  /** @param timeoutMs what the shards have to answer, where it is less than usual */
  async flush(timeoutMs?: number): Promise<{ flushed: number; silentShards: number[] }> {
    const { answers, silentShards } = await this.#askAll((id) => ({ kind: 'flush', id }), timeoutMs);
    const flushed = answers.reduce((sum, answer) => sum + (answer.kind === 'flushed' ? answer.messages : 0), 0);
    return { flushed, silentShards };
  }

  async connections(
    limit: number,
    sort: ConnectionSort,
    timeoutMs?: number,
  ): Promise<{ connections: ConnectionRow[]; silentShards: number[] }> {
    const question = (id: number): ToShard => ({ kind: 'connections', id, limit, sort });
    const { answers, silentShards } = await this.#askAll(question, timeoutMs);
    const connections = answers.flatMap((answer) => (answer.kind === 'connections' ? answer.rows : []));
    return { connections, silentShards };
  }

  #createRunner(index: number, statistics: SharedArrayBuffer, counter: SharedArrayBuffer): ShardRunner {
    const { config, task, numbering, log, ownsProcess, shardFile = SHARD_FILE } = this.#parts;
    const primary = { pulse: this.#pulseMemory, ownsProcess, isMainThread };
    return new ShardRunner({
      index,
      pool: this.#pool,
      file: fileURLToPath(shardFile),
      task: { ...task, index, statistics, counter, reusePort: this.#sharesPort(), primary },
      numbering,
      ...config.supervisor,
      log,
      onMessage: (message, reply) => this.#receive(index, message, reply),
      onPort: (port) => this.#attach(index, port),
      onStuck: () => this.#giveUp(index),
    });
  }

  /** A shard that listens alone does so without leave for others, so that nobody takes half of its connections. */
  #sharesPort(): boolean {
    const { config, shards } = this.#parts;
    return canSharePort() && (shards > 1 || config.server.sharePort);
  }

  #attach(index: number, port: MessagePort | undefined): void {
    this.#parts.wakeUp.attach(index, port);
    if (port !== undefined) return this.#greet(port);
    this.blocks[index]!.resetGauges();
    this.#counter.forget(index);
    this.#addresses.forget(index);
  }

  /** The thread holds its listener and cannot be stopped: only a new process helps. Exiting would wait for the thread. */
  #giveUp(shard: number): void {
    const { log, ownsProcess } = this.#parts;
    log[ownsProcess ? 'fatal' : 'error']({ shard }, 'WebSocket shard thread failed to end');
    if (ownsProcess) process.kill(process.pid, 'SIGKILL');
  }

  #greet(port: MessagePort): void {
    // What was published between the shard's first look at the ring and now has woken nobody.
    port.postMessage(WAKE);
    const stage = this.#pressureStage;
    if (stage > 0) port.postMessage({ kind: 'pressure', stage } satisfies ToShard);
    const drainMs = this.#farewellUntilMs - performance.now();
    if (drainMs > 0) port.postMessage({ kind: 'farewell', drainMs } satisfies ToShard);
  }

  #receive(shard: number, message: FromShard, reply: (message: ToShard) => void): void {
    const { log, query } = this.#parts;
    switch (message.kind) {
      case 'log':
        return log[message.level]({ shard, ...message.fields }, message.message);
      case 'admit':
        return this.#admit(shard, message, reply);
      case 'left':
        return this.#addresses.leave(shard, message.address);
      case 'query':
        return reply(answerQuery(query, message));
      case 'request':
        return void this.#answerRequest(message.id, message.request, reply);
      case 'flushed':
      case 'connections':
        return this.#waiting.get(message.id)?.(message);
      default:
    }
  }

  #admit(shard: number, { id, address }: { id: number; address: string }, reply: (message: ToShard) => void): void {
    reply({ kind: 'admitted', id, address, admitted: this.#addresses.admit(shard, address) });
  }

  async #answerRequest(id: number, request: ForwardedRequest, reply: (message: ToShard) => void): Promise<void> {
    try {
      reply({ kind: 'reply', id, reply: await this.#parts.request(request) });
    } catch (thrown) {
      this.#parts.log.error({ err: thrown, url: request.url }, 'WebSocket admin request failed');
      const body = JSON.stringify({ error: { code: 'REQUEST_FAILED', message: errorMessage(thrown) } });
      reply({ kind: 'reply', id, reply: { status: 500, headers: { 'content-type': 'application/json' }, body } });
    }
  }

  /** Asks every shard that runs. A shard without an answer in time is silent, as is one that does not run. */
  async #askAll(
    question: (id: number) => ToShard,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<{ answers: FromShard[]; silentShards: number[] }> {
    const withinMs = Math.min(timeoutMs, ANSWER_TIMEOUT_MS);
    const answers = await Promise.all(this.#runners.map((runner) => this.#ask(runner, question, withinMs)));
    const silentShards = answers.flatMap((answer, index) => (answer === undefined ? [index] : []));
    return { answers: answers.filter((answer) => answer !== undefined), silentShards };
  }

  async #ask(
    runner: ShardRunner,
    question: (id: number) => ToShard,
    timeoutMs: number,
  ): Promise<FromShard | undefined> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<FromShard | undefined>();
    this.#waiting.set(id, resolve);
    const timer = setTimeout(resolve, timeoutMs, undefined);
    if (!runner.send(question(id))) resolve(undefined);
    const answer = await promise;
    clearTimeout(timer);
    this.#waiting.delete(id);
    return answer;
  }
}

function answerQuery(query: SupervisorParts['query'], { id, name }: Extract<FromShard, { kind: 'query' }>): ToShard {
  try {
    return { kind: 'answer', id, payload: query(name) };
  } catch (thrown) {
    return { kind: 'refused', id, reason: errorMessage(thrown) };
  }
}

/**
 * Two halves of 16 MiB, and what V8 counts beside them. By itself V8 goes on to 128 MiB and keeps them, however little of it
 * survives: with two shards and 50 clients that was 90 MiB more after eight minutes.
 */
const YOUNG_GENERATION_MB = 48;

/** Only Linux spreads connections over listeners; elsewhere there is one shard. */
export function canSharePort(): boolean {
  return process.platform === 'linux';
}

function createPool({ supervisor }: Config, shards: number): Piscina {
  return new Piscina({
    minThreads: shards,
    maxThreads: shards,
    concurrentTasksPerWorker: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // A thread that waits in Atomics.wait for its next task would hold a listener that nobody serves.
    atomics: 'disabled',
    resourceLimits: {
      maxOldGenerationSizeMb: supervisor.shardHeapMb,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
    },
    // A profiler's preload belongs into the primary alone.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

/** A port that shards share can be shared by anybody; this finds out whether somebody does already. */
function probePort(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // Everything else the shard's own attempt reports, with its hint.
      if (error.code === 'EADDRINUSE') reject(portInUse(port));
      else resolve();
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve()));
  });
}
