import type { Config } from '../config/schema.ts';
import { PING, writeFrameHeader } from '../frame/frame-header.ts';
import type { PooledConnection } from './pooled-connection.ts';

/** A sweep looks at every connection this often in an interval, and sends a PING to as large a part of them. */
const SWEEPS_PER_INTERVAL = 16;

/**
 * Finds dead peers: one timer for all connections of a shard, whose PINGs are spread over the interval so that thousands
 * do not go out at once. Any byte received is a sign of life, so nothing is done when something arrives.
 */
export class Heartbeat {
  readonly #timeoutMs: number;
  readonly #sweepMs: number;
  readonly #connections: Set<PooledConnection>;
  readonly #silent: (connection: PooledConnection) => void;
  #timer: NodeJS.Timeout | undefined;
  #sweep = 0;

  /** @param silent called for a connection that has sent nothing for `timeoutMs` */
  constructor(
    { intervalMs, timeoutMs }: Config['heartbeat'],
    connections: Set<PooledConnection>,
    silent: (connection: PooledConnection) => void,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#sweepMs = intervalMs / SWEEPS_PER_INTERVAL;
    this.#connections = connections;
    this.#silent = silent;
  }

  start(): void {
    this.#timer = setInterval(() => this.sweep(Date.now()), this.#sweepMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One look at everybody; public so that a test can turn the clock. */
  sweep(nowMs: number): void {
    const due = this.#sweep++ % SWEEPS_PER_INTERVAL;
    for (const connection of this.#connections) {
      if (connection.state !== 'open') continue;
      const heard = connection.socket.bytesRead;
      if (heard !== connection.bytesHeard) {
        connection.bytesHeard = heard;
        connection.heardAtMs = nowMs;
      } else if (nowMs - connection.heardAtMs >= this.#timeoutMs) {
        this.#silent(connection);
        continue;
      }
      if (connection.serial % SWEEPS_PER_INTERVAL === due) connection.socket.write(PING_FRAME);
    }
  }
}

const PING_FRAME = Buffer.alloc(2);
writeFrameHeader(PING_FRAME, 2, 0, PING);
