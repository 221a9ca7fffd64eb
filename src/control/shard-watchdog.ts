import type { ShardState } from '../admin/admin-context.ts';
import type { Logger } from '../telemetry/logger.ts';
import { PHASE, SHARD_PHASES } from '../telemetry/shard-phases.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { Silence } from '../util/silence.ts';
import { stackOfWorker } from '../util/thread-stack.ts';

/** A shard, as far as it is watched. */
export interface WatchedShard {
  readonly state: Pick<ShardState, 'index' | 'status'>;
  /** Ends its thread; it is run again as after a crash. */
  endHung(reason: Error): void;
}

export interface ShardWatchdogParts {
  shards: readonly WatchedShard[];
  blocks: readonly StatisticsBlock[];
  /** `supervisor.shardSilentMs`; 0: nobody is watched. */
  limitMs: number;
  /** Time from look to look, ms. */
  intervalMs: number;
  log: Logger;
  /** A debugger may have stopped a shard, which is no hang then. */
  isDebugged: () => boolean;
  stackOf?: typeof stackOfWorker;
}

/** How long a hung thread has to be interrupted, ms. */
const STACK_MS_MAX = 1_000;

/** Notices shards whose event loop does not turn any more, says what they were doing, and ends them. Runs on the primary. */
export class ShardWatchdog {
  readonly #parts: ShardWatchdogParts;
  readonly #silences: readonly Silence[];
  /** Shards whose stack is being read. */
  readonly #hung = new Set<number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ShardWatchdogParts) {
    this.#parts = parts;
    this.#silences = parts.shards.map(() => new Silence(parts.intervalMs));
  }

  start(): void {
    const { limitMs, intervalMs } = this.#parts;
    if (limitMs > 0) this.#timer = setInterval(() => this.look(), intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Called each `intervalMs`. */
  look(): void {
    const { shards, isDebugged } = this.#parts;
    const debugged = isDebugged();
    for (const shard of shards) this.#lookAt(shard, debugged);
  }

  #lookAt(shard: WatchedShard, debugged: boolean): void {
    const { index, status } = shard.state;
    const silence = this.#silences[index]!;
    const block = this.#parts.blocks[index]!;
    // One that comes up, or goes, has a deadline of its own.
    if (debugged || status !== 'running') return silence.reset();
    const silentMs = silence.look(block.get('heartbeatMs'));
    if (silentMs >= this.#parts.limitMs && !this.#hung.has(index)) void this.#end(shard, block, silentMs);
  }

  async #end(shard: WatchedShard, block: StatisticsBlock, silentMs: number): Promise<void> {
    const { log, stackOf = stackOfWorker } = this.#parts;
    const { index } = shard.state;
    const heartbeatMs = block.get('heartbeatMs');
    const where = placeOf(block);
    this.#hung.add(index);
    const stack = await stackOf(block.get('threadId'), STACK_MS_MAX);
    this.#hung.delete(index);
    // It may have come round, ended by itself or been told to stop while its stack was read.
    if (shard.state.status !== 'running' || block.get('heartbeatMs') !== heartbeatMs) return;
    log.error({ shard: index, silentMs, ...where, stack }, 'WebSocket shard hung');
    shard.endHung(hangError(silentMs, where.phase, stack));
  }
}

/** What the shard has left in shared memory of what it was doing. */
function placeOf(block: StatisticsBlock): { phase: string; connection?: number } {
  const phase = block.get('phase');
  const named = { phase: SHARD_PHASES[phase] ?? 'idle' };
  return phase === PHASE.command ? { ...named, connection: block.get('commandOf') } : named;
}

/** An error whose stack is that of the hung thread. */
function hangError(silentMs: number, phase: string, stack: readonly string[]): Error {
  const where = stack.length === 0 ? '' : `, at ${stack[0]}`;
  const error = new Error(`The event loop has not turned for ${silentMs} ms; phase ${phase}${where}`);
  error.stack = [`${error.name}: ${error.message}`, ...stack.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}
