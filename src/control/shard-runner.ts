import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { ShardState } from '../admin/admin-context.ts';
import type { NumberingName } from '../frame/numbering.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BackOff } from '../util/back-off.ts';
import { errorMessage, TickcastError } from '../util/errors.ts';
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
  log: Logger;
  /** A message that is not about the shard's own life. `reply` posts back to the shard that sent it. */
  onMessage: (message: FromShard, reply: (message: ToShard) => void) => void;
  /** The thread listens, and messages go to `port`; or it has ended, and there is nobody (`undefined`). */
  onPort: (port: MessagePort | undefined) => void;
}

/** Crashes further apart than this are not taken for a loop. */
const QUIET_MS = 60_000;
/** What a thread has on top of its drain before it is killed, ms. */
const GRACE_MS = 500;

/** The life of one shard: runs it, runs it again with back-off when its thread dies, and ends it. */
export class ShardRunner {
  readonly state: ShardState;
  readonly #parts: ShardRunnerParts;
  readonly #backOff: BackOff;
  #channel: MessagePort | undefined;
  #abort: AbortController | undefined;
  #run: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #port = 0;
  #stopping = false;

  constructor(parts: ShardRunnerParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(
      parts.restartDelayMs,
      parts.restartDelayMaxMs,
      // The time from crash to crash holds the pause and the start.
      QUIET_MS + parts.restartDelayMaxMs + parts.startTimeoutMs,
    );
    this.state = { index: parts.index, status: 'stopped', restarts: 0 };
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
    this.#channel?.postMessage(message);
    return this.#channel !== undefined;
  }

  /** Drains the shard and resolves when its thread is free; kills it when that takes longer than `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.state.status = 'draining';
    const kill = setTimeout(() => this.#abort?.abort(), timeoutMs + GRACE_MS);
    this.send({ kind: 'drain', timeoutMs });
    await this.#run;
    clearTimeout(kill);
    this.state.status = 'stopped';
  }

  /** Resolves when the shard listens. Whatever ends the thread after that is dealt with here. */
  #launch(port: number): Promise<number> {
    const { pool, file, task, numbering, startTimeoutMs } = this.#parts;
    const { port1, port2 } = new MessageChannel();
    const abort = new AbortController();
    const listening = Promise.withResolvers<number>();
    let failure: Error | undefined;
    this.state.status = this.state.restarts === 0 ? 'starting' : 'restarting';
    this.#channel = port1;
    this.#abort = abort;
    port1.on('message', (message: FromShard) => {
      // What a dead thread left in the line is about connections that have been given back already.
      if (this.#channel !== port1) return;
      if (message.kind === 'listening') this.#listening(message.port, listening.resolve);
      else if (message.kind === 'listenFailed') failure = listenError(message, port);
      else this.#parts.onMessage(message, (reply) => port1.postMessage(reply));
    });
    const deadline = setTimeout(() => {
      failure = new TickcastError('SHARD_START_FAILED', `A shard has not come up within ${startTimeoutMs} ms`);
      abort.abort();
    }, startTimeoutMs);
    void listening.promise.catch(() => {}).finally(() => clearTimeout(deadline));
    const run = pool.run(
      { ...task, numbering: numbering(), port, messages: port2 },
      { filename: file, transferList: [port2], signal: abort.signal },
    );
    const ended = (thrown?: Error) => {
      // The end of the task and the shard's last words come by different ways: hear them out first.
      for (let left = receiveMessageOnPort(port1); left !== undefined; left = receiveMessageOnPort(port1)) {
        const message = left.message as FromShard;
        if (message.kind === 'listenFailed') failure = listenError(message, port);
      }
      this.#ended(port1, failure ?? thrown, listening.reject);
    };
    this.#run = run.then(() => ended(), ended);
    return listening.promise;
  }

  #listening(port: number, resolve: (port: number) => void): void {
    if (!this.#stopping) this.state.status = 'running';
    this.#parts.onPort(this.#channel);
    resolve(port);
  }

  /** The thread is free, or gone. `reject` has no effect where the shard listened before. */
  #ended(channel: MessagePort, error: Error | undefined, reject: (error: Error) => void): void {
    const { index, log, onPort } = this.#parts;
    const cameUp = this.state.status === 'running';
    channel.close();
    this.#channel = undefined;
    onPort(undefined);
    const reason = error ?? new Error('The shard ended by itself');
    reject(startError(reason));
    if (this.#stopping) return;
    if (!cameUp && this.#port === 0) {
      this.state.status = 'stopped';
      // Where the start fails for what the operator did, the message says it all; of a defect the place matters.
      if (!(reason instanceof TickcastError)) log.error({ shard: index, err: reason }, 'WebSocket shard start failed');
      return;
    }
    this.state.restarts++;
    this.state.status = 'restarting';
    this.state.lastError = { message: errorMessage(reason), timestamp: Date.now() };
    const delayMs = this.#backOff.failed(performance.now());
    log.error({ shard: index, err: reason, restarts: this.state.restarts, delayMs }, 'WebSocket shard failed');
    this.#restart = setTimeout(() => this.#relaunch(), delayMs);
  }

  #relaunch(): void {
    const { index, log } = this.#parts;
    this.#launch(this.#port).then(
      () => log.info({ shard: index, restarts: this.state.restarts }, 'WebSocket shard restarted'),
      () => {}, // has been dealt with where the run ended
    );
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
