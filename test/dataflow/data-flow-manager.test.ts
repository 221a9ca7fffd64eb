import { afterEach, describe, expect, it, vi } from 'vitest';
import { DataFlowManager, type DataFlowStats } from '../../src/dataflow/data-flow-manager.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { TickcastError } from '../../src/util/errors.ts';
import { TestChannel, trade } from './test-channels.ts';

const NOW_US = 1_700_000_000_000_000;

function clockAt(us: number): { us: number; nowUs(): number } {
  return {
    us,
    nowUs() {
      return this.us;
    },
  };
}

async function started(manager = new DataFlowManager()): Promise<{ manager: DataFlowManager; channel: TestChannel }> {
  const channel = new TestChannel('a');
  manager.registerChannel(channel);
  await manager.start();
  return { manager, channel };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('processData', () => {
  it('has called every channel when it returns', async () => {
    const { manager, channel } = await started();
    const second = new TestChannel('b');
    manager.registerChannel(second);
    expect(manager.processData(trade({ n: 1 }))).toBe(true);
    expect(channel.numbers()).toEqual([1]);
    expect(second.numbers()).toEqual([1]);
    expect(manager.getStats()).toMatchObject({ totalProcessed: 1, totalSent: 2, totalErrors: 0, currentQueueSize: 0 });
  });

  it('normalises before anything else sees the publication', async () => {
    const { manager, channel } = await started();
    manager.processData({ exchange: 'BINANCE', symbol: 'btc-usdt', type: 'kline_1m', timestamp: '5', data: {} });
    expect(channel.got).toMatchObject([
      { exchange: 'binance', symbol: 'BTC-USDT', type: 'kline', timestamp: 5, data: { interval: '1m' } },
    ]);
  });

  it('sends along the source, the due time and whether receivedAt was added', async () => {
    const { manager, channel } = await started(new DataFlowManager({ clock: clockAt(NOW_US + 500) }));
    manager.processData(trade(), 'simulator', NOW_US);
    manager.processData(trade({ receivedAt: 5 }));
    expect(channel.contexts).toEqual([
      { source: 'simulator', dueUs: NOW_US, receivedAtAdded: true },
      { source: 'direct', dueUs: NOW_US + 500, receivedAtAdded: false },
    ]);
    expect(channel.got.map((publication) => publication.receivedAt)).toEqual([NOW_US / 1000, 5]);
  });

  it.each([[Number.NaN], [-1], [0]])('takes the due time %s as now', async (dueUs) => {
    const { manager, channel } = await started(new DataFlowManager({ clock: clockAt(NOW_US) }));
    manager.processData(trade(), 'x', dueUs);
    expect(channel.contexts).toMatchObject([{ dueUs: NOW_US }]);
  });

  it('works on frozen publications and leaves the caller’s object as it was', async () => {
    const { manager, channel } = await started();
    const given = Object.freeze(trade());
    expect(manager.processData(given)).toBe(true);
    expect(given).toEqual(trade());
    expect(channel.got[0]).toMatchObject(trade());
  });

  it('keeps the order of a channel when the channel publishes from its own output', async () => {
    const { manager, channel } = await started();
    channel.answer = (data) => {
      if (data.n === 1) manager.processData(trade({ n: 2 }));
    };
    manager.processData(trade({ n: 1 }));
    expect(channel.numbers()).toEqual([1, 2]);
  });

  it('lets the event loop turn when a channel answers every publication with another', async () => {
    const { manager, channel } = await started();
    channel.answer = () => void manager.processData(trade());
    manager.processData(trade());
    await new Promise((resolve) => setTimeout(resolve, 1));
    await manager.stop();
    expect(channel.got.length).toBeGreaterThan(1);
  });

  it('starts no timer', async () => {
    const spies = [
      vi.spyOn(globalThis, 'setTimeout'),
      vi.spyOn(globalThis, 'setInterval'),
      vi.spyOn(globalThis, 'setImmediate'),
    ];
    const { manager } = await started();
    for (let i = 0; i < 100; i++) manager.processData(trade());
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});

describe('bad input', () => {
  const throwingGetter = Object.defineProperty({}, 'type', {
    get() {
      throw new Error('boom');
    },
  });
  it.each([
    [null, 'PUBLICATION_NOT_OBJECT'],
    [undefined, 'PUBLICATION_NOT_OBJECT'],
    [[], 'PUBLICATION_NOT_OBJECT'],
    ['text', 'PUBLICATION_NOT_OBJECT'],
    [5, 'PUBLICATION_NOT_OBJECT'],
    [() => 1, 'PUBLICATION_NOT_OBJECT'],
    [{ type: 5 }, 'PUBLICATION_INVALID'],
    [throwingGetter, 'PUBLICATION_NOT_SERIALISABLE'],
  ])('refuses and reports the input %#, counts it, and goes on', async (input, code) => {
    const { manager, channel } = await started();
    const errors: unknown[][] = [];
    manager.on('processingError', (error, data) => errors.push([(error as TickcastError).code, data]));
    expect(manager.processData(input)).toBe(false);
    expect(manager.processData(trade())).toBe(true);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.[0]).toBe(code);
    expect(errors[0]?.[1]).toBe(input);
    expect(channel.got).toHaveLength(1);
    expect(manager.getStats()).toMatchObject({ totalProcessed: 1, totalErrors: 1, errorsByCode: { [code]: 1 } });
  });

  it('refuses publications before the start and after the stop', async () => {
    const manager = new DataFlowManager();
    const channel = new TestChannel('a');
    manager.registerChannel(channel);
    const codes: unknown[] = [];
    manager.on('processingError', (error) => codes.push((error as TickcastError).code));
    expect(manager.processData(trade())).toBe(false);
    await manager.start();
    expect(manager.processData(trade())).toBe(true);
    const stopped = manager.stop();
    expect(manager.processData(trade())).toBe(false);
    await stopped;
    expect(manager.processData(trade())).toBe(false);
    expect(codes).toEqual(['INVALID_STATE', 'INVALID_STATE', 'INVALID_STATE']);
    expect(channel.got).toHaveLength(1);
    expect(manager.getStats()).toMatchObject({ totalProcessed: 1, errorsByCode: { INVALID_STATE: 3 } });
  });
});

describe('channels that fail', () => {
  it('counts and reports a channel that throws, and gives the others and the next publication through', async () => {
    const { manager, channel } = await started();
    const second = new TestChannel('b');
    manager.registerChannel(second);
    channel.answer = (data) => {
      if (data.n === 1) throw new Error('boom');
    };
    const errors: [string, Error][] = [];
    manager.on('channelError', (id, error) => errors.push([id, error]));
    expect(manager.processData(trade({ n: 1 }))).toBe(true);
    manager.processData(trade({ n: 2 }));
    expect(second.numbers()).toEqual([1, 2]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toEqual([
      'a',
      expect.objectContaining({ code: 'CHANNEL_FAILED', message: expect.stringContaining('boom') }),
    ]);
    expect(manager.getStats()).toMatchObject({ totalSent: 3, totalErrors: 1, errorsByCode: { CHANNEL_FAILED: 1 } });
  });

  it('keeps the code of an error from the table', async () => {
    const { manager, channel } = await started();
    const refusal = new TickcastError('PUBLICATION_TOO_LARGE');
    channel.answer = () => {
      throw refusal;
    };
    const listener = vi.fn();
    manager.on('channelError', listener);
    manager.processData(trade());
    expect(listener).toHaveBeenCalledWith('a', refusal);
    expect(manager.getStats().errorsByCode).toEqual({ PUBLICATION_TOO_LARGE: 1 });
  });

  it.each([[undefined], [null], ['text'], [Object.create(null)], [Symbol('x')]])(
    'survives a channel that throws %o',
    async (thrown) => {
      const { manager, channel } = await started();
      channel.answer = () => {
        throw thrown;
      };
      const listener = vi.fn();
      manager.on('channelError', listener);
      expect(manager.processData(trade())).toBe(true);
      expect(listener).toHaveBeenCalledWith('a', expect.objectContaining({ code: 'CHANNEL_FAILED' }));
    },
  );

  it('survives a channel whose enabled or getStatus throws', async () => {
    const { manager, channel } = await started();
    const bad = new TestChannel('bad');
    Object.defineProperty(bad, 'enabled', {
      get() {
        throw new Error('boom');
      },
    });
    bad.getStatus = () => {
      throw new Error('boom');
    };
    manager.registerChannel(bad);
    expect(manager.processData(trade())).toBe(true);
    expect(channel.got).toHaveLength(1);
    expect(manager.getChannelStatuses().map((status) => status.id)).toEqual(['a']);
    expect(manager.getStats().activeChannels).toBe(1);
  });
});

describe('registering', () => {
  it('refuses a second channel of the same id', async () => {
    const { manager } = await started();
    expect(() => manager.registerChannel(new TestChannel('a'))).toThrow(
      expect.objectContaining({ code: 'CHANNEL_EXISTS' }),
    );
  });

  it('refuses a channel after the stop', async () => {
    const { manager } = await started();
    await manager.stop();
    expect(() => manager.registerChannel(new TestChannel('b'))).toThrow(
      expect.objectContaining({ code: 'INVALID_STATE' }),
    );
  });

  it('closes a channel that is unregistered, and gives it nothing more', async () => {
    const { manager, channel } = await started();
    const removed = manager.unregisterChannel('a');
    manager.processData(trade());
    expect(await removed).toBe(true);
    expect(await manager.unregisterChannel('a')).toBe(false);
    expect(channel).toMatchObject({ closed: 1, got: [] });
    expect(manager.getStats().activeChannels).toBe(0);
  });

  it('lets a channel unregister itself while it gets a publication', async () => {
    const { manager, channel } = await started();
    const second = new TestChannel('b');
    manager.registerChannel(second);
    channel.answer = () => void manager.unregisterChannel('a');
    manager.processData(trade());
    manager.processData(trade());
    expect([channel.got.length, second.got.length]).toEqual([1, 2]);
  });

  it('tells the statuses of the channels', async () => {
    const { manager } = await started();
    manager.processData(trade());
    expect(manager.getChannelStatuses()).toMatchObject([
      { id: 'a', type: 'custom', messagesSent: 1, health: 'healthy' },
    ]);
  });
});

describe('life', () => {
  it('starts once', async () => {
    const manager = new DataFlowManager();
    await manager.initialize();
    await manager.initialize();
    await manager.start();
    await expect(manager.start()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await expect(manager.initialize()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await manager.stop();
    await expect(manager.start()).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('announces what happens to it', async () => {
    const manager = new DataFlowManager();
    const heard: unknown[][] = [];
    const names = [
      'started',
      'stopped',
      'channelRegistered',
      'channelUnregistered',
      'routingRuleAdded',
      'routingRuleRemoved',
      'transformerRegistered',
    ] as const;
    for (const name of names) manager.on(name, (...args: unknown[]) => heard.push([name, ...args]));
    const channel = new TestChannel('a');
    const rule = { name: 'r', condition: () => true, targetChannels: ['a'], enabled: true, priority: 0 };
    const transformer = {
      name: 't',
      transform: (data: Publication) => data,
      validate: () => true,
      getStats: () => ({ transformedCount: 0, errorCount: 0, averageLatency: 0, lastActivity: 0 }),
    };
    manager.registerChannel(channel);
    manager.addRoutingRule(rule);
    manager.registerTransformer(transformer);
    await manager.start();
    manager.removeRoutingRule('r');
    await manager.unregisterChannel('a');
    await manager.stop();
    expect(heard).toEqual([
      ['channelRegistered', channel],
      ['routingRuleAdded', rule],
      ['transformerRegistered', transformer],
      ['started'],
      ['routingRuleRemoved', 'r'],
      ['channelUnregistered', 'a'],
      ['stopped'],
    ]);
  });
});

describe('figures', () => {
  it('has every figure at 0 before the first publication', () => {
    expect(new DataFlowManager().getStats()).toEqual({
      totalProcessed: 0,
      totalSent: 0,
      totalErrors: 0,
      averageLatency: 0,
      currentQueueSize: 0,
      backpressureActive: false,
      activeChannels: 0,
      routingRules: 0,
      lastActivity: 0,
      totalUnrouted: 0,
      totalDropped: 0,
      errorsByCode: {},
    });
  });

  it('averages the time from due to delivered, in ms, and tells the last activity', async () => {
    const clock = clockAt(NOW_US);
    const { manager } = await started(new DataFlowManager({ clock }));
    manager.processData(trade(), 'x', NOW_US - 2_000);
    manager.processData(trade(), 'x', NOW_US - 4_000);
    manager.processData(trade(), 'x', NOW_US + 9_000);
    expect(manager.getStats().averageLatency).toBeCloseTo(2, 9);
    expect(manager.getStats().lastActivity).toBe(NOW_US / 1000);
  });

  it('lets the average latency follow the recent past', async () => {
    const { manager } = await started(new DataFlowManager({ clock: clockAt(NOW_US) }));
    for (let i = 0; i < 1_000; i++) manager.processData(trade(), 'x', NOW_US - 100_000);
    for (let i = 0; i < 10_000; i++) manager.processData(trade(), 'x', NOW_US - 1_000);
    expect(manager.getStats().averageLatency).toBeLessThan(1.1);
  });

  it('emits statsUpdated at most once a second, and only while publications come', async () => {
    const clock = clockAt(NOW_US);
    const { manager } = await started(new DataFlowManager({ clock }));
    const heard: number[] = [];
    manager.on('statsUpdated', (stats) => heard.push(stats.totalProcessed));
    for (let ms = 0; ms < 2_500; ms += 100) {
      clock.us = NOW_US + ms * 1000;
      manager.processData(trade());
    }
    clock.us = NOW_US + 60_000_000;
    expect(heard).toEqual([1, 11, 21]);
  });
});

describe('listeners', () => {
  it('get every accepted publication with the figures, in dataProcessed', async () => {
    const { manager, channel } = await started();
    const heard: [Publication, DataFlowStats][] = [];
    manager.on('dataProcessed', (data, stats) => heard.push([data, stats]));
    manager.processData(trade());
    manager.processData([]);
    expect(heard).toHaveLength(1);
    expect(heard[0]?.[0]).toBe(channel.got[0]);
    expect(heard[0]?.[1]).toMatchObject({ totalProcessed: 1, totalSent: 1 });
  });

  it('break nothing when they throw or reject: that is counted, and the next listener is called', async () => {
    const { manager, channel } = await started();
    const after = vi.fn();
    manager.on('dataProcessed', () => {
      throw new Error('boom');
    });
    manager.on('dataProcessed', async () => {
      throw new Error('boom, later');
    });
    manager.on('dataProcessed', after);
    expect(manager.processData(trade())).toBe(true);
    await vi.waitFor(() => expect(manager.getStats().errorsByCode).toEqual({ LISTENER_FAILED: 2 }));
    expect(after).toHaveBeenCalledTimes(1);
    expect(channel.got).toHaveLength(1);
  });

  it('are called once when they ask for once', async () => {
    const { manager } = await started();
    const once = vi.fn();
    manager.once('dataProcessed', once);
    manager.processData(trade());
    manager.processData(trade());
    expect(once).toHaveBeenCalledTimes(1);
  });
});

describe('the log', () => {
  it('gets one line for the first fault of a kind, not one for each', async () => {
    const calls: unknown[][] = [];
    const write = (...args: unknown[]) => void calls.push(args);
    const quiet = () => undefined;
    const logger = { trace: quiet, debug: quiet, info: quiet, warn: write, error: write, fatal: write };
    vi.spyOn(performance, 'now').mockReturnValue(5);
    const { manager } = await started(new DataFlowManager({ logger }));
    for (let i = 0; i < 1_000; i++) manager.processData(null);
    expect(calls).toEqual([[{ code: 'PUBLICATION_NOT_OBJECT', count: 1 }, 'Publication refused']]);
    vi.spyOn(performance, 'now').mockReturnValue(1_005);
    manager.processData(null);
    expect(calls[1]).toEqual([{ code: 'PUBLICATION_NOT_OBJECT', count: 1_000 }, 'Publication refused']);
  });
});
