import { afterEach, describe, expect, it, vi } from 'vitest';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';
import type { TickcastError } from '../../src/util/errors.ts';
import { GatedChannel, TestChannel, trade } from './test-channels.ts';

const NEVER = new Promise<void>(() => undefined);

async function started(manager: DataFlowManager, ...channels: TestChannel[]): Promise<DataFlowManager> {
  for (const channel of channels) manager.registerChannel(channel);
  await manager.start();
  return manager;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('stop', () => {
  it('delivers what waits, then closes the channels, then says so', async () => {
    const order: string[] = [];
    const slow = new TestChannel('slow', async (data) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`got ${String(data.n)}`);
    });
    slow.close = () => void order.push('closed');
    const manager = await started(new DataFlowManager(), slow);
    manager.on('stopped', () => order.push('stopped'));
    for (let n = 1; n <= 3; n++) manager.processData(trade({ n }));
    await manager.stop();
    expect(order).toEqual(['got 1', 'got 2', 'got 3', 'closed', 'stopped']);
    expect(manager.getStats()).toMatchObject({ totalSent: 3, totalDropped: 0, totalErrors: 0, currentQueueSize: 0 });
  });

  it('shares one promise between concurrent and later calls, and closes each channel once', async () => {
    const channel = new TestChannel('a');
    const manager = await started(new DataFlowManager(), channel);
    const first = manager.stop();
    expect(manager.stop()).toBe(first);
    await first;
    expect(manager.stop()).toBe(first);
    await manager.stop();
    expect(channel.closed).toBe(1);
  });

  it('works on a manager that was never started', async () => {
    const manager = new DataFlowManager();
    const channel = new TestChannel('a');
    manager.registerChannel(channel);
    await manager.stop();
    expect(channel.closed).toBe(1);
  });

  it('ends when an output never settles: what waited is counted, reported and logged, the channel closed', async () => {
    vi.useFakeTimers();
    const logged: unknown[][] = [];
    const quiet = () => undefined;
    const error = (...args: unknown[]) => void logged.push(args);
    const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error, fatal: quiet };
    const hung = new TestChannel('hung', () => NEVER);
    const manager = await started(new DataFlowManager({ logger }), hung);
    const errors: unknown[] = [];
    manager.on('channelError', (id, err) =>
      errors.push([id, (err as TickcastError).code, (err as TickcastError).detail]),
    );
    for (let n = 1; n <= 5; n++) manager.processData(trade({ n }));
    let stopped = false;
    const stopping = manager.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await stopping;
    const detail = { channel: 'hung', waiting: 4, unconfirmed: 1 };
    expect(errors).toEqual([['hung', 'CHANNEL_TIMED_OUT', detail]]);
    expect(logged).toMatchObject([[detail, 'Output channel did not finish in time']]);
    expect(hung.closed).toBe(1);
    expect(manager.getStats()).toMatchObject({ totalDropped: 5, totalErrors: 1, currentQueueSize: 0 });
  });

  it('ends when a close never settles', async () => {
    const stuck = new TestChannel('stuck');
    stuck.close = () => NEVER;
    const manager = await started(new DataFlowManager({ stopTimeoutMs: 20 }), stuck);
    await manager.stop();
    expect(manager.getStats().errorsByCode).toEqual({ CHANNEL_TIMED_OUT: 1 });
  });

  it('ends when neither settles, and reports the channel once', async () => {
    const stuck = new TestChannel('stuck', () => NEVER);
    stuck.close = () => NEVER;
    const manager = await started(new DataFlowManager({ stopTimeoutMs: 20 }), stuck);
    manager.processData(trade());
    await manager.stop();
    expect(manager.getStats().errorsByCode).toEqual({ CHANNEL_TIMED_OUT: 1 });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['rejects', () => Promise.reject(new Error('boom'))],
  ])('closes the other channels when a close %s', async (_, close) => {
    const bad = new TestChannel('bad');
    bad.close = close;
    const good = new TestChannel('good');
    const manager = await started(new DataFlowManager(), bad, good);
    await manager.stop();
    expect(good.closed).toBe(1);
    expect(manager.getStats().errorsByCode).toEqual({ CHANNEL_FAILED: 1 });
  });

  it('does not let a hung channel keep the others from their drain', async () => {
    const hung = new TestChannel('hung', () => NEVER);
    const slow = new TestChannel('slow', () => new Promise((resolve) => setImmediate(resolve)));
    const manager = await started(new DataFlowManager({ stopTimeoutMs: 200 }), hung, slow);
    for (let n = 1; n <= 3; n++) manager.processData(trade({ n }));
    await manager.stop();
    expect(slow).toMatchObject({ closed: 1 });
    expect(slow.numbers()).toEqual([1, 2, 3]);
  });

  it('counts nothing twice when a given-up output settles after all', async () => {
    const late = new GatedChannel('late');
    const manager = await started(new DataFlowManager({ stopTimeoutMs: 20 }), late);
    manager.processData(trade());
    await manager.stop();
    const before = manager.getStats();
    await late.settle(new Error('too late'));
    expect(manager.getStats()).toEqual(before);
  });

  it('may be called by a channel: the publication still reaches the others', async () => {
    const first = new TestChannel('first', () => void manager.stop());
    const second = new TestChannel('second');
    const manager = await started(new DataFlowManager(), first, second);
    expect(manager.processData(trade())).toBe(true);
    await manager.stop();
    expect(second).toMatchObject({ closed: 1, got: [{ type: 'trade' }] });
  });

  it('waits for a channel that is being unregistered', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager(), slow);
    manager.processData(trade());
    manager.processData(trade());
    const removed = manager.unregisterChannel('slow');
    const stopping = manager.stop();
    await slow.settle();
    await slow.settle();
    await stopping;
    expect(await removed).toBe(true);
    expect(slow).toMatchObject({ closed: 1 });
    expect(slow.got).toHaveLength(2);
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers();
    const manager = await started(new DataFlowManager(), new TestChannel('a'));
    await manager.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('unregistering', () => {
  it('delivers what waits, then closes the channel', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager(), slow);
    for (let n = 1; n <= 3; n++) manager.processData(trade({ n }));
    const removed = manager.unregisterChannel('slow');
    for (let i = 0; i < 3; i++) {
      expect(slow.closed).toBe(0);
      await slow.settle();
    }
    expect(await removed).toBe(true);
    expect(slow).toMatchObject({ closed: 1 });
    expect(slow.numbers()).toEqual([1, 2, 3]);
  });

  it('gives a hung channel up in time and frees its room in the queue', async () => {
    const hung = new TestChannel('hung', () => NEVER);
    const manager = await started(new DataFlowManager({ stopTimeoutMs: 20 }), hung);
    for (let n = 1; n <= 3; n++) manager.processData(trade({ n }));
    expect(await manager.unregisterChannel('hung')).toBe(true);
    expect(manager.getStats()).toMatchObject({ currentQueueSize: 0, totalDropped: 3 });
    await manager.stop();
  });
});
