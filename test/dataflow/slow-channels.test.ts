import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';
import type { TickcastError } from '../../src/util/errors.ts';
import { GatedChannel, TestChannel, trade } from './test-channels.ts';

async function started(manager: DataFlowManager, ...channels: TestChannel[]): Promise<DataFlowManager> {
  for (const channel of channels) manager.registerChannel(channel);
  await manager.start();
  return manager;
}

function publish(manager: DataFlowManager, from: number, to: number): void {
  for (let n = from; n <= to; n++) manager.processData(trade({ n }));
}

describe('a channel that returns a promise', () => {
  it('gets one publication at a time, and the rest in order', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager(), slow);
    publish(manager, 1, 3);
    expect(slow.numbers()).toEqual([1]);
    expect(manager.getStats()).toMatchObject({ totalSent: 0, currentQueueSize: 2 });
    await slow.settle();
    expect(slow.numbers()).toEqual([1, 2]);
    expect(manager.getStats()).toMatchObject({ totalSent: 1, currentQueueSize: 1 });
    await slow.settle();
    await slow.settle();
    expect(slow.numbers()).toEqual([1, 2, 3]);
    expect(manager.getStats()).toMatchObject({ totalSent: 3, currentQueueSize: 0 });
    publish(manager, 4, 4);
    expect(slow.numbers()).toEqual([1, 2, 3, 4]);
  });

  it('holds up nobody else', async () => {
    const slow = new GatedChannel('slow');
    const quick = new TestChannel('quick');
    const manager = await started(new DataFlowManager(), slow, quick);
    publish(manager, 1, 100);
    expect(quick.numbers()).toHaveLength(100);
    expect(manager.getStats()).toMatchObject({ totalSent: 100, currentQueueSize: 99 });
  });

  it('gets what waited for it also when it is disabled meanwhile', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager(), slow);
    publish(manager, 1, 2);
    slow.enabled = false;
    publish(manager, 3, 3);
    await slow.settle();
    await slow.settle();
    expect(slow.numbers()).toEqual([1, 2]);
  });

  it('goes on after a rejection, which is counted and reported', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager(), slow);
    const errors: unknown[] = [];
    manager.on('channelError', (id, error) => errors.push([id, (error as TickcastError).code, error.cause]));
    publish(manager, 1, 2);
    const failure = new Error('boom');
    await slow.settle(failure);
    expect(slow.numbers()).toEqual([1, 2]);
    await slow.settle();
    expect(errors).toEqual([['slow', 'CHANNEL_FAILED', failure]]);
    expect(manager.getStats()).toMatchObject({ totalSent: 1, totalErrors: 1 });
  });

  it('may answer some at once and some later', async () => {
    const mixed = new TestChannel('mixed', (data) => (Number(data.n) % 2 === 0 ? Promise.resolve() : undefined));
    const manager = await started(new DataFlowManager(), mixed);
    publish(manager, 1, 100);
    await vi.waitFor(() => expect(manager.getStats().totalSent).toBe(100));
    expect(mixed.numbers()).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });
});

describe('a full queue', () => {
  it('lets the oldest go, counted, and keeps to the limit', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager({ queueLimit: 3 }), slow);
    publish(manager, 1, 6);
    expect(manager.getStats()).toMatchObject({
      currentQueueSize: 3,
      totalDropped: 2,
      totalErrors: 2,
      errorsByCode: { QUEUE_OVERFLOW: 2 },
    });
    for (let i = 0; i < 4; i++) await slow.settle();
    expect(slow.numbers()).toEqual([1, 4, 5, 6]);
  });

  it('is full for all channels together, and the oldest of all goes', async () => {
    const hung = new GatedChannel('hung');
    const slow = new GatedChannel('slow');
    slow.enabled = false;
    const manager = await started(new DataFlowManager({ queueLimit: 4 }), hung, slow);
    publish(manager, 1, 3);
    slow.enabled = true;
    hung.enabled = false;
    publish(manager, 4, 7);
    expect(manager.getStats()).toMatchObject({ currentQueueSize: 4, totalDropped: 1 });
    for (let i = 0; i < 4; i++) await slow.settle();
    for (let i = 0; i < 2; i++) await hung.settle();
    expect(slow.numbers()).toEqual([4, 5, 6, 7]);
    expect(hung.numbers()).toEqual([1, 3]);
  });

  it('has room for 10,000 by default', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager(), slow);
    publish(manager, 0, 10_000);
    expect(manager.getStats()).toMatchObject({ currentQueueSize: 10_000, totalDropped: 0 });
    publish(manager, 10_001, 10_001);
    expect(manager.getStats()).toMatchObject({ currentQueueSize: 10_000, totalDropped: 1 });
  });
});

describe('back-pressure', () => {
  it('comes on at 8,000 and goes off below 80 % of that', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager(), slow);
    const heard: [string, number][] = [];
    manager.on('backpressureActivated', (size) => heard.push(['on', size]));
    manager.on('backpressureDeactivated', (size) => heard.push(['off', size]));
    publish(manager, 0, 7_999);
    expect(manager.backpressureActive).toBe(false);
    publish(manager, 8_000, 9_000);
    expect(manager.backpressureActive).toBe(true);
    slow.answer = () => undefined;
    await slow.settle();
    expect(manager.getStats()).toMatchObject({ currentQueueSize: 0, backpressureActive: false });
    expect(heard).toEqual([
      ['on', 8_000],
      ['off', 6_399],
    ]);
  });

  it('begins at the limit where that is lower, and does not flicker while the oldest go', async () => {
    const slow = new GatedChannel('slow');
    const manager = await started(new DataFlowManager({ queueLimit: 1 }), slow);
    const heard: string[] = [];
    manager.on('backpressureActivated', () => heard.push('on'));
    manager.on('backpressureDeactivated', () => heard.push('off'));
    publish(manager, 1, 10);
    expect(heard).toEqual(['on']);
    await slow.settle();
    expect(heard).toEqual(['on', 'off']);
  });
});

describe('order', () => {
  it('is kept per channel, whatever mix of quick, slow and failing answers the channels give', async () => {
    const script = fc.array(fc.constantFrom('now', 'microtask', 'later', 'throw', 'reject'), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(script, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        async (scripts, count) => {
          const channels = scripts.map(
            (answers, index) =>
              new TestChannel(`c${index}`, (data) => answer(answers[Number(data.n) % answers.length])),
          );
          const manager = await started(new DataFlowManager(), ...channels);
          for (let n = 0; n < count; n++) {
            manager.processData(trade({ n }));
            if (n % 7 === 6) await new Promise((resolve) => setImmediate(resolve));
          }
          await manager.stop();
          const expected = Array.from({ length: count }, (_, n) => n);
          for (const channel of channels) expect(channel.numbers()).toEqual(expected);
          const { totalSent, totalErrors, currentQueueSize } = manager.getStats();
          expect(totalSent + totalErrors).toBe(count * channels.length);
          expect(currentQueueSize).toBe(0);
        },
      ),
      { numRuns: 60, interruptAfterTimeLimit: 10_000 },
    );
  });

  it('loses the oldest only, never the order, when the queue is small', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 60 }), async (queueLimit, count) => {
        const channels = [0, 1].map(
          (i) => new TestChannel(`c${i}`, (data) => answer(Number(data.n) % 3 === i ? 'later' : 'microtask')),
        );
        const manager = await started(new DataFlowManager({ queueLimit }), ...channels);
        for (let n = 0; n < count; n++) {
          manager.processData(trade({ n }));
          if (n % 5 === 4) await Promise.resolve();
        }
        await manager.stop();
        let delivered = 0;
        for (const channel of channels) {
          const numbers = channel.numbers() as number[];
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
          expect(new Set(numbers).size).toBe(numbers.length);
          delivered += numbers.length;
        }
        expect(delivered + manager.getStats().totalDropped).toBe(count * channels.length);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 10_000 },
    );
  });
});

function answer(kind: string | undefined): void | Promise<void> {
  switch (kind) {
    case 'microtask':
      return Promise.resolve();
    case 'later':
      return new Promise((resolve) => setImmediate(resolve));
    case 'reject':
      return Promise.reject(new Error('rejected'));
    case 'throw':
      throw new Error('thrown');
    default:
      return undefined;
  }
}
