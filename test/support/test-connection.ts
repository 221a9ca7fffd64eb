import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { CommandBudget } from '../../src/connection/command-budget.ts';
import { PooledConnection } from '../../src/connection/pooled-connection.ts';

export interface TestConnectionOptions {
  serial?: number;
  /** 0: no limit. */
  commandsPerSecond?: number;
  nowMs?: number;
}

/** An open connection whose frames go to `socket`; there is no WebSocket above it. */
export function connectionOn(
  socket: Writable,
  { serial = 1, commandsPerSecond = 0, nowMs = Date.now() }: TestConnectionOptions = {},
): PooledConnection {
  const budget = new CommandBudget(commandsPerSecond, nowMs);
  const nothing = undefined as unknown as WebSocket;
  const connection = new PooledConnection(
    `c_${serial}`,
    serial,
    nothing,
    socket as Socket,
    '203.0.113.7',
    budget,
    nowMs,
  );
  connection.state = 'open';
  return connection;
}
