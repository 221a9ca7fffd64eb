import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { Backlog } from '../../src/delivery/backlog.ts';
import type { Outgoing } from '../../src/delivery/outgoing.ts';
import { Pump } from '../../src/delivery/pump.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { nowUs } from '../../src/util/clock.ts';
import { GatedSocket } from '../support/gated-socket.ts';
import { connectionOn } from '../support/test-connection.ts';

const HIGH_WATER = 1_000;

let nowMs = 0;
beforeEach(() => {
  nowMs = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function message(text: string, fields: Partial<Outgoing> = {}): Outgoing {
  const bytes = Buffer.from(text);
  return { kind: 'data', bytes, topic: 0, slot: 0, fromSeq: 1, toSeq: 1, dueUs: 0, merged: 0, ...fields };
}

/** One turn of the event loop, and what sockets say of themselves in it. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A pump, and connections whose backlogs are lists. */
class TestPump {
  readonly statistics = new StatisticsBlock(StatisticsBlock.allocate());
  readonly caughtUp: string[] = [];
  readonly lost: string[] = [];
  readonly sent: string[] = [];
  onSent: (connection: PooledConnection, message: Outgoing) => void = () => {};
  readonly pump = new Pump({
    statistics: this.statistics,
    highWaterBytes: HIGH_WATER,
    caughtUp: (connection) => {
      connection.backlog = undefined;
      this.caughtUp.push(connection.id);
    },
    lost: (connection) => {
      connection.state = 'closing';
      this.lost.push(connection.id);
    },
    sent: (connection, each) => {
      this.sent.push(each.bytes.toString());
      this.onSent(connection, each);
    },
  });
  #serial = 1;

  /** @param costMs how long each message takes to be made */
  connection(waiting: (Outgoing | 'lost')[], costMs = 0): PooledConnection & { socket: GatedSocket } {
    const connection = connectionOn(new GatedSocket(), { serial: this.#serial++ });
    const next = () => {
      nowMs += costMs;
      return waiting.shift();
    };
    connection.backlog = { next, waitsForDrain: false, progressMs: 0, readyUs: 0 } as unknown as Backlog;
    return connection as PooledConnection & { socket: GatedSocket };
  }
}

describe('Pump', () => {
  it('writes all that waits in its order, and lets the connection go back among the others', async () => {
    const { pump, caughtUp, sent, connection } = bound(new TestPump());
    const slow = connection([message('a'), message('b'), message('c')]);
    pump.wake(slow);
    expect(sent).toEqual([]);
    await turn();
    expect(slow.socket.received.toString()).toBe('abc');
    expect(slow.socket.pieces).toHaveLength(1);
    expect([sent, caughtUp]).toEqual([['a', 'b', 'c'], ['c_1']]);
  });

  it('has nothing to write for one that is as far as the others already', async () => {
    const { pump, caughtUp, connection } = bound(new TestPump());
    const slow = connection([]);
    pump.wake(slow);
    await turn();
    expect(slow.socket.pieces).toEqual([]);
    expect(caughtUp).toEqual(['c_1']);
  });

  it('leaves a socket alone that holds too much, until it has drained', async () => {
    const { pump, caughtUp, sent, connection } = bound(new TestPump());
    const big = 'x'.repeat(65_536);
    const slow = connection([message(big), message('then'), message('end')]);
    slow.socket.shut();
    pump.wake(slow);
    await turn();
    expect(sent).toEqual([big]);
    expect(slow.backlog!.waitsForDrain).toBe(true);
    pump.wake(slow);
    await turn();
    expect(sent).toHaveLength(1);
    nowMs = 5_000;
    slow.socket.open();
    await turn();
    await turn();
    expect(sent).toEqual([big, 'then', 'end']);
    expect(caughtUp).toEqual(['c_1']);
  });

  it('does not take one for caught up whose socket still holds too much', async () => {
    const { pump, caughtUp, connection } = bound(new TestPump());
    const slow = connection([message('x'.repeat(HIGH_WATER + 1))]);
    slow.socket.shut();
    pump.wake(slow);
    await turn();
    expect(caughtUp).toEqual([]);
    slow.socket.open();
    await turn();
    await turn();
    expect(caughtUp).toEqual(['c_1']);
  });

  it('tells when the client last took something', async () => {
    const { pump, connection } = bound(new TestPump());
    const slow = connection([message('x'.repeat(65_536)), message('y')]);
    const { backlog } = slow;
    slow.socket.shut();
    pump.wake(slow);
    await turn();
    expect(backlog!.progressMs).toBe(1_000);
    nowMs = 7_000;
    slow.socket.open();
    await new Promise((resolve) => process.nextTick(resolve));
    expect(backlog!.progressMs).toBe(7_000);
  });

  it('writes no more to a connection that is closed on the way', async () => {
    const test = new TestPump();
    const slow = test.connection([message('x'.repeat(70_000)), message('more')]);
    test.onSent = (connection) => {
      connection.state = 'closing';
    };
    test.pump.wake(slow);
    await turn();
    await turn();
    expect(test.sent).toHaveLength(1);
    expect(test.caughtUp).toEqual([]);
  });

  it('forgets one that is gone, also where its socket drains later', async () => {
    const { pump, sent, caughtUp, connection } = bound(new TestPump());
    const slow = connection([message('x'.repeat(65_536)), message('more')]);
    slow.socket.shut();
    pump.wake(slow);
    await turn();
    pump.forget(slow);
    slow.backlog = undefined;
    slow.socket.open();
    await turn();
    await turn();
    expect([sent.length, caughtUp]).toEqual([1, []]);
    const other = connection([message('y')]);
    pump.wake(other);
    pump.forget(other);
    await turn();
    expect(other.socket.pieces).toEqual([]);
  });

  it('gives up a connection that has missed what nobody can count, behind what came before that', async () => {
    const { pump, lost, caughtUp, connection } = bound(new TestPump());
    const slow = connection([message('before'), 'lost', message('never')]);
    pump.wake(slow);
    await turn();
    expect(slow.socket.received.toString()).toBe('before');
    expect([lost, caughtUp]).toEqual([['c_1'], []]);
  });

  it('lets two connections that have much to get take turns, of a few milliseconds each', async () => {
    const { pump, sent, connection } = bound(new TestPump());
    const chunk = (name: string) => message(name.repeat(70_000));
    const [one, other] = ['a', 'b'].map((name) => connection([chunk(name), chunk(name), chunk(name)], 3));
    pump.wake(one!);
    pump.wake(other!);
    const told: string[] = [];
    for (let i = 0; i < 6; i++) {
      await turn();
      told.push(sent.map((each) => each[0]).join(''));
    }
    expect(told).toEqual(['a', 'ab', 'aba', 'abab', 'ababa', 'ababab']);
  });

  it('serves many who have little to get in one turn', async () => {
    const { pump, caughtUp, connection } = bound(new TestPump());
    for (let i = 0; i < 20; i++) pump.wake(connection([message('a')]));
    await turn();
    expect(caughtUp).toHaveLength(20);
  });

  it('writes a first piece at once where there is time, and leaves the rest to turns', async () => {
    const { pump, sent, connection } = bound(new TestPump());
    const slow = connection([message('x'.repeat(70_000)), message('y')], 1);
    pump.begin(slow);
    expect(sent).toHaveLength(1);
    const second = connection([message('second')], 1);
    pump.begin(second);
    expect(sent).toHaveLength(2);
    // By now that has taken the others as long as a turn may.
    const third = connection([message('third')]);
    pump.begin(third);
    expect(sent).toHaveLength(2);
    expect(pump.hasTime()).toBe(false);
    await turn();
    await turn();
    expect(sent).toContain('third');
    nowMs += 10;
    expect(pump.hasTime()).toBe(true);
  });

  it('begins nothing for a connection that keeps up, or whose socket is full', () => {
    const { pump, sent, connection } = bound(new TestPump());
    const live = connection([message('x')]);
    live.backlog = undefined;
    const full = connection([message('y')]);
    full.backlog!.waitsForDrain = true;
    for (const each of [live, full]) pump.begin(each);
    expect(sent).toEqual([]);
  });

  it('does work that was put off in its order, and in a turn there is time for more of it', async () => {
    const { pump } = new TestPump();
    const done: string[] = [];
    pump.later(() => {
      done.push('first');
      expect(pump.hasTime()).toBe(true);
      pump.later(() => done.push('third'));
    });
    pump.later(() => done.push('second'));
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['first', 'second', 'third']);
  });

  it('counts time that work has taken, also where it throws', () => {
    const { pump } = new TestPump();
    expect(pump.hasTime()).toBe(true);
    const work = () => {
      nowMs += 2;
      throw new Error('work');
    };
    expect(() => pump.spend(work)).toThrow('work');
    expect(pump.hasTime()).toBe(false);
    expect(pump.spend(() => 5)).toBe(5);
  });

  it('counts data as deliveries, and nothing else', async () => {
    const test = new TestPump();
    const { statistics } = test;
    const slow = test.connection([
      message('gap', { kind: 'gap' }),
      message('four', { slot: 2 }),
      message('value', { kind: 'snapshot' }),
      message('sixsix', { slot: 3, merged: 4 }),
    ]);
    test.pump.wake(slow);
    await turn();
    expect(test.sent).toHaveLength(4);
    expect([slow.messagesSent, slow.bytesSent]).toEqual([2, 10]);
    const names = ['messagesForwarded', 'bytesForwarded', 'socketWrites'] as const;
    expect(names.map((name) => statistics.get(name))).toEqual([2, 10, 1]);
    expect([2, 3, 0].map((slot) => statistics.deliveries(slot).count)).toEqual([1, 1, 0]);
  });

  it('counts latency from when a publication was due, but no time that its client was away or did not read', async () => {
    // A resumption of what was a minute old, or one client that did not read, made the average of all deliveries so large
    // that the gateway called itself unhealthy.
    const test = new TestPump();
    const { statistics } = test;
    const latencyUs = () => statistics.deliveries(0).latencySumUs;
    const slow = test.connection([
      message('x'.repeat(65_536), { dueUs: nowUs() - 60e6 }),
      message('y', { dueUs: nowUs() }),
    ]);
    slow.backlog!.readyUs = nowUs() - 2_000;
    slow.socket.shut();
    test.pump.wake(slow);
    await turn();
    expect(latencyUs()).toBeCloseTo(2_000, -1);
    nowMs += 30_000;
    slow.socket.open();
    await new Promise((resolve) => process.nextTick(resolve));
    nowMs += 5;
    await turn();
    expect(test.sent).toHaveLength(2);
    expect(latencyUs()).toBeCloseTo(7_000, -1);
    const late = test.connection([message('z', { dueUs: nowUs() - 500 })]);
    late.backlog!.readyUs = nowUs() - 900;
    test.pump.wake(late);
    await turn();
    expect(latencyUs()).toBeCloseTo(7_500, -1);
  });

  it('does nothing more once it has been stopped', async () => {
    const { pump, sent, connection } = bound(new TestPump());
    pump.wake(connection([message('x')]));
    pump.later(() => sent.push('job'));
    pump.stop();
    pump.wake(connection([message('y')]));
    await turn();
    await turn();
    expect(sent).toEqual([]);
  });
});

/** Its parts, to be taken apart. */
function bound(test: TestPump) {
  const { pump, caughtUp, lost, sent, statistics } = test;
  const connection = (waiting: (Outgoing | 'lost')[], costMs?: number) => test.connection(waiting, costMs);
  return { pump, caughtUp, lost, sent, statistics, connection };
}
