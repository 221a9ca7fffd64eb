import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Heartbeat } from '../../src/connection/heartbeat.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import { PING } from '../../src/frame/frame-header.ts';
import { GatedSocket } from '../support/gated-socket.ts';
import { framesOf } from '../support/received-frames.ts';
import { connectionOn } from '../support/test-connection.ts';

const SWEEPS = 16;
const START_MS = 1_700_000_000_000;

interface Peer {
  connection: PooledConnection;
  socket: GatedSocket;
  openedAtSweep: number;
}

/** A heartbeat whose clock a test turns, a sweep at a time. */
class TestHeartbeat {
  readonly sweepMs: number;
  readonly silent: PooledConnection[] = [];
  readonly connections = new Set<PooledConnection>();
  readonly #heartbeat: Heartbeat;
  nowMs = START_MS;
  sweeps = 0;
  #serial = 1;

  constructor(intervalMs: number, timeoutMs: number) {
    this.sweepMs = intervalMs / SWEEPS;
    this.#heartbeat = new Heartbeat({ intervalMs, timeoutMs }, this.connections, (connection) => {
      this.silent.push(connection);
      connection.state = 'closing';
    });
  }

  open(): Peer {
    const socket = new GatedSocket();
    const connection = connectionOn(socket, { serial: this.#serial++, nowMs: this.nowMs });
    this.connections.add(connection);
    return { connection, socket, openedAtSweep: this.sweeps };
  }

  sweep(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.nowMs += this.sweepMs;
      this.sweeps++;
      this.#heartbeat.sweep(this.nowMs);
    }
  }
}

function pings({ socket }: Peer): number {
  const frames = framesOf(socket.received);
  for (const { opcode, payload } of frames) expect([opcode, payload.length]).toEqual([PING, 0]);
  return frames.length;
}

afterEach(() => vi.useRealTimers());

describe('the PINGs of Heartbeat (T40)', () => {
  it('go to every connection once an interval, to a part of them with each sweep', () => {
    const test = new TestHeartbeat(1_600, 1e9);
    const peers = Array.from({ length: 100 }, () => test.open());
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const before = peers.reduce((sum, peer) => sum + pings(peer), 0);
      test.sweep();
      const sent = peers.reduce((sum, peer) => sum + pings(peer), 0) - before;
      expect(sent).toBeGreaterThanOrEqual(6);
      expect(sent).toBeLessThanOrEqual(7);
    }
    for (const peer of peers) expect(pings(peer)).toBe(1);
    test.sweep(SWEEPS * 3);
    for (const peer of peers) expect(pings(peer)).toBe(4);
  });

  it('go to each once an interval also while others come and go', () => {
    const change = fc.oneof(fc.constant('open' as const), fc.nat(1_000), fc.constant('none' as const));
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { maxLength: 3 }), { minLength: 2 * SWEEPS, maxLength: 4 * SWEEPS }),
        (turns) => {
          const test = new TestHeartbeat(1_600, 1e9);
          const peers: Peer[] = [test.open()];
          for (const changes of turns) {
            for (const one of changes) {
              if (one === 'open') peers.push(test.open());
              else if (one !== 'none') test.connections.delete(peers[one % peers.length]!.connection);
            }
            test.sweep();
          }
          for (const peer of peers) {
            if (!test.connections.has(peer.connection)) continue;
            const intervals = (test.sweeps - peer.openedAtSweep) / SWEEPS;
            expect(pings(peer)).toBeGreaterThanOrEqual(Math.floor(intervals));
            expect(pings(peer)).toBeLessThanOrEqual(Math.ceil(intervals));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('do not go to a connection that is closing', () => {
    const test = new TestHeartbeat(1_600, 1e9);
    const peer = test.open();
    peer.connection.state = 'closing';
    test.sweep(SWEEPS);
    expect(pings(peer)).toBe(0);
  });
});

describe('the time-out of Heartbeat (T40)', () => {
  it('finds a peer that has never sent anything within the time-out and one sweep, once', () => {
    const test = new TestHeartbeat(1_600, 3_200);
    const { connection } = test.open();
    test.sweep(31);
    expect(test.silent).toEqual([]);
    test.sweep();
    expect(test.silent.map(({ id }) => id)).toEqual([connection.id]);
    test.sweep(100);
    expect(test.silent).toHaveLength(1);
  });

  // A byte is noticed by the sweep after it, and the time-out runs from there: so never early, and a sweep late or two.
  it.each([
    ['of whole sweeps', 3_200, 1],
    ['that falls between sweeps', 3_250, 2],
    ['shorter than a sweep', 20, 2],
  ])('is never early, and for one %s (%i ms) not more than %i sweeps late', (_name, timeoutMs, lateSweepsMax) => {
    for (let beforeSweepMs = 0; beforeSweepMs < 100; beforeSweepMs += 9) {
      const test = new TestHeartbeat(1_600, timeoutMs);
      const { socket } = test.open();
      for (let i = 0; i < 20; i++) {
        socket.bytesRead++;
        test.sweep();
      }
      const lastHeardMs = test.nowMs - beforeSweepMs;
      for (let i = 0; i < 100 && test.silent.length === 0; i++) test.sweep();
      expect(test.silent).toHaveLength(1);
      const silentMs = test.nowMs - lastHeardMs;
      expect(silentMs).toBeGreaterThanOrEqual(timeoutMs);
      expect(silentMs).toBeLessThanOrEqual(timeoutMs + lateSweepsMax * test.sweepMs);
    }
  });

  it('takes any byte for a sign of life', () => {
    const test = new TestHeartbeat(1_600, 1_600);
    const [alive, silent] = [test.open(), test.open()];
    for (let i = 0; i < 100; i++) {
      if (i % 15 === 0) alive.socket.bytesRead += 1;
      test.sweep();
    }
    expect(test.silent.map(({ id }) => id)).toEqual([silent.connection.id]);
  });

  it('spares the others when one is taken away in the middle of a sweep', () => {
    const test = new TestHeartbeat(1_600, 100);
    const peers = [test.open(), test.open(), test.open()];
    const remove = test.silent.push.bind(test.silent);
    test.silent.push = (connection) => {
      test.connections.delete(connection);
      return remove(connection);
    };
    test.sweep();
    expect(test.silent.map(({ id }) => id)).toEqual(peers.map(({ connection }) => connection.id));
  });
});

describe('the timer of Heartbeat', () => {
  it('sweeps sixteen times an interval, until it is stopped', () => {
    vi.useFakeTimers();
    const socket = new GatedSocket();
    const connection = connectionOn(socket, { nowMs: Date.now() });
    const heartbeat = new Heartbeat({ intervalMs: 1_600, timeoutMs: 1e9 }, new Set([connection]), () => {});
    const sweep = vi.spyOn(heartbeat, 'sweep');
    heartbeat.start();
    vi.advanceTimersByTime(3_200);
    expect(sweep).toHaveBeenCalledTimes(32);
    expect(framesOf(socket.received)).toHaveLength(2);
    heartbeat.stop();
    vi.advanceTimersByTime(10_000);
    expect(sweep).toHaveBeenCalledTimes(32);
  });
});
