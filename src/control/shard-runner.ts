import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { ShardState } from '../admin/admin-context.ts';
import type { NumberingName } from '../frame/numbering.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { BackOff } from '../util/back-off.ts';
import { errorMessage, TickcastError } from '../util/errors.ts';
import { CrashLoop } from './crash-loop.ts';
import type { FromShard, ShardTask, ToShard } from './messages.ts';

export interface ShardRunnerParts {
  index: number;
  pool: Piscina;
  /** File whose default export is run as the shard. */
  file: string;
  /** The task without what changes from run to run. */
  task: Omit<ShardTask, 'messages' | 'port' | 'numbering'>;
  /** As it is called now. */
  numbering: () => NumberingName;
  startTimeoutMs: number;
  restartDelayMs: number;
  restartDelayMaxMs: number;
  crashLoopCount: number;
  crashLoopWindowMs: number;
  log: Logger;
  /** A message that is not about the shard's own life. `reply` posts back to the shard that sent it. */
  onMessage: (message: FromShard, reply: (message: ToShard) => void) => void;
  /** The thread listens, and messages go to `port`; or it has ended, and there is nobody (`undefined`). */
  onPort: (port: MessagePort | undefined) => void;
  /** A thread does not end when it is told to, and keeps its listener; it is run again only once it has ended. */
  onStuck: () => void;
}

/** One life of the thread, from its launch to its end. */
interface Run {
  readonly channel: MessagePort;
  readonly abort: AbortController;
  readonly listening: PromiseWithResolvers<number>;
  /** Why it was ended, or could not listen; goes before what its task rejects with. */
  failure: Error | undefined;
  hasListened: boolean;
  /** Resolves when a thread that was killed has ended. */
  gone: Promise<unknown>;
}

/** What a thread has on top of its drain before it is killed, ms. */
const GRACE_MS = 500;
/** What a thread that was killed has to end, ms: more than enough, unless it is stuck in native code. */
const END_MS_MAX = 2_000;

/** The life of one shard: runs it, runs it again with back-off when its thread dies, and ends it. */
export class ShardRunner {
  readonly state: ShardState;
  readonly #parts: ShardRunnerParts;
  readonly #backOff: BackOff;
  readonly #crashLoop: CrashLoop;
  readonly #block: StatisticsBlock;
  #current: Run | undefined;
  #ended: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #port = 0;
  #stopping = false;

  constructor(parts: ShardRunnerParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(
      parts.restartDelayMs,
      parts.restartDelayMaxMs,
      // The time from crash to crash holds the pause and the start.
      parts.crashLoopWindowMs + parts.restartDelayMaxMs + parts.startTimeoutMs,
    );
    this.#crashLoop = new CrashLoop({
      count: parts.crashLoopCount,
      windowMs: parts.crashLoopWindowMs,
      began: (crashes) => this.#crashLoopBegan(crashes),
      ended: () => this.#crashLoopEnded(),
    });
    this.#block = new StatisticsBlock(parts.task.statistics);
    this.state = { index: parts.index, status: 'stopped', restarts: 0, hangs: 0, crashLooping: false };
  }

  /**
   * Runs the shard for the first time and resolves with the port it listens on. It stays on that port for good.
   * @throws TickcastError PORT_IN_USE, PORT_REFUSED, SHARD_START_FAILED, or INVALID_STATE once it has been told to stop
   */
  async start(port: number): Promise<number> {
    if (this.#stopping) throw new TickcastError('INVALID_STATE', 'A shard that was stopped does not start');
    this.#port = await this.#launch(port);
    return this.#port;
  }

  /** False when there is no thread to take it. */
  send(message: ToShard): boolean {
    this.#current?.channel.postMessage(message);
    return this.#current !== undefined;
  }

  /** Ends the thread, whose event loop does not turn any more. It is run again as after a crash. */
  endHung(reason: Error): void {
    if (this.#current === undefined || this.#stopping) return;
    this.state.hangs++;
    this.state.status = 'restarting';
    this.#kill(this.#current, reason);
  }

  /** Drains the shard and resolves when its thread is free; kills it when that takes longer than `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#crashLoop.stop();
    delete this.state.restartAt;
    this.state.status = 'draining';
    const run = this.#current;
    const kill = setTimeout(() => {
      if (run === undefined) return;
      this.#parts.log.error(
        { shard: this.#parts.index, timeoutMs },
        'WebSocket shard drain failed: its thread is ended',
      );
      this.#kill(run, new Error('The shard has not drained in time'));
    }, timeoutMs + GRACE_MS);
    this.send({ kind: 'drain', timeoutMs });
    await Promise.race([this.#ended, sleep(timeoutMs + GRACE_MS + END_MS_MAX, undefined, { ref: false })]);
    clearTimeout(kill);
    this.state.status = 'stopped';
  }

  /** Resolves when the shard listens. Whatever ends the thread after that is dealt with here. */
  #launch(port: number): Promise<number> {
    const { pool, file, task, numbering, startTimeoutMs } = this.#parts;
    const { port1, port2 } = new MessageChannel();
    const run: Run = {
      channel: port1,
      abort: new AbortController(),
      listening: Promise.withResolvers<number>(),
      failure: undefined,
      hasListened: false,
      gone: Promise.resolve(),
    };
    this.state.status = this.state.restarts === 0 ? 'starting' : 'restarting';
    delete this.state.restartAt;
    this.#current = run;
    port1.on('message', (message: FromShard) => this.#receive(run, message, port));
    const deadline = setTimeout(() => {
      this.#kill(run, new TickcastError('SHARD_START_FAILED', `A shard has not come up within ${startTimeoutMs} ms`));
    }, startTimeoutMs);
    void run.listening.promise.catch(() => {}).finally(() => clearTimeout(deadline));
    const running = pool.run(
      { ...task, numbering: numbering(), port, messages: port2 },
      { filename: file, transferList: [port2], signal: run.abort.signal },
    );
    this.#ended = running.then(
      () => this.#finish(run, port, undefined),
      (thrown: Error) => this.#finish(run, port, thrown),
    );
    return run.listening.promise;
  }

  #receive(run: Run, message: FromShard, port: number): void {
    // What a dead thread left in the line is about connections that have been given back already.
    if (this.#current !== run) return;
    if (message.kind === 'listening') this.#listens(run, message.port);
    else if (message.kind === 'listenFailed') run.failure = listenError(message, port);
    else this.#parts.onMessage(message, (reply) => run.channel.postMessage(reply));
  }

  #listens(run: Run, port: number): void {
    if (!this.#stopping) this.state.status = 'running';
    run.hasListened = true;
    this.#crashLoop.cameUp();
    this.#parts.onPort(run.channel);
    run.listening.resolve(port);
  }

  /** Its task is over at once, the thread itself when Node.js has stopped it. */
  #kill(run: Run, reason: Error): void {
    const threadId = this.#block.get('threadId');
    const thread = this.#parts.pool.threads.find((each) => each.threadId === threadId);
    if (thread !== undefined) run.gone = new Promise((resolve) => thread.once('exit', resolve));
    run.failure ??= reason;
    run.abort.abort();
  }

  /** The task is over. Nothing that the thread writes to is touched before it is free, or gone. */
  async #finish(run: Run, port: number, thrown: Error | undefined): Promise<void> {
    // The end of the task and the shard's last words come by different ways: hear them out first.
    for (let left = receiveMessageOnPort(run.channel); left; left = receiveMessageOnPort(run.channel)) {
      const message = left.message as FromShard;
      if (message.kind === 'listenFailed') run.failure = listenError(message, port);
    }
    const stuck = setTimeout(() => this.#parts.onStuck(), END_MS_MAX);
    await run.gone;
    clearTimeout(stuck);
    this.#over(run, run.failure ?? thrown ?? new Error('The shard ended by itself'));
  }

  #over(run: Run, reason: Error): void {
    const { index, log, onPort } = this.#parts;
    run.channel.close();
    this.#current = undefined;
    onPort(undefined);
    run.listening.reject(startError(reason)); // without effect where it has listened
    if (this.#stopping) return;
    if (!run.hasListened && this.#port === 0) {
      this.state.status = 'stopped';
      // Where the start fails for what the operator did, the message says it all; of a defect the place matters.
      if (!(reason instanceof TickcastError)) log.error({ shard: index, err: reason }, 'WebSocket shard start failed');
      return;
    }
    this.#runAgain(reason);
  }

  #runAgain(reason: Error): void {
    const { index, log } = this.#parts;
    const { state } = this;
    const delayMs = this.#backOff.failed(performance.now());
    state.restarts++;
    state.status = 'restarting';
    state.lastError = { message: errorMessage(reason), timestamp: Date.now() };
    state.restartAt = Date.now() + delayMs;
    log.error({ shard: index, err: reason, restarts: state.restarts, delayMs }, 'WebSocket shard failed');
    this.#crashLoop.crashed();
    this.#restart = setTimeout(() => this.#relaunch(), delayMs);
  }

  #relaunch(): void {
    const { index, log } = this.#parts;
    this.#launch(this.#port).then(
      () => log.info({ shard: index, restarts: this.state.restarts }, 'WebSocket shard restarted'),
      () => {}, // has been dealt with where the run ended
    );
  }

  #crashLoopBegan(crashes: number): void {
    const { index, log } = this.#parts;
    this.state.crashLooping = true;
    log.error({ shard: index, crashes }, 'WebSocket shard failed again and again: crash loop');
  }

  #crashLoopEnded(): void {
    const { index, log, crashLoopWindowMs } = this.#parts;
    this.state.crashLooping = false;
    log.info({ shard: index, upMs: crashLoopWindowMs }, 'WebSocket shard crash loop over');
  }
}

function startError(reason: Error): TickcastError {
  if (reason instanceof TickcastError) return reason;
  const message = `A shard failed while it started: ${errorMessage(reason)}`;
  return new TickcastError('SHARD_START_FAILED', message, undefined, reason);
}

function listenError({ code, message }: { code: string; message: string }, port: number): TickcastError {
  if (code === 'EADDRINUSE') return portInUse(port);
  const hint = code === 'EACCES' ? ': ports below 1024 need a privilege; take another with --server.port' : '';
  return new TickcastError('PORT_REFUSED', `Cannot listen on port ${port}: ${message}${hint}`, { port, code });
}

export function portInUse(port: number): TickcastError {
  const hint = `end the program that has it, take another port with --server.port, or, where several instances are meant to share it, set --server.sharePort true`;
  return new TickcastError('PORT_IN_USE', `Port ${port} is taken: ${hint}`, { port });
}
