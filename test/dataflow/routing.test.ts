import { describe, expect, it, vi } from 'vitest';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';
import type { DataTransformer } from '../../src/dataflow/data-transformer.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import type { RoutingRule } from '../../src/dataflow/routing-rule.ts';
import { TestChannel, trade } from './test-channels.ts';

function rule(name: string, targets: string[], more: Partial<RoutingRule> = {}): RoutingRule {
  return { name, condition: () => true, targetChannels: targets, enabled: true, priority: 0, ...more };
}

function tag(by: string): (data: Publication) => Publication {
  return (data) => ({ ...data, by });
}

async function started(...ids: string[]): Promise<{ manager: DataFlowManager; channels: TestChannel[] }> {
  const manager = new DataFlowManager();
  const channels = ids.map((id) => new TestChannel(id));
  for (const channel of channels) manager.registerChannel(channel);
  await manager.start();
  return { manager, channels };
}

describe('without rules', () => {
  it('gives every enabled channel everything', async () => {
    const { manager, channels } = await started('a', 'b', 'c');
    channels[1]!.enabled = false;
    manager.processData(trade());
    expect(channels.map((channel) => channel.got.length)).toEqual([1, 0, 1]);
    channels[1]!.enabled = true;
    manager.processData(trade());
    expect(channels.map((channel) => channel.got.length)).toEqual([2, 1, 2]);
  });
});

describe('with rules', () => {
  it('gives only the channels that a matching rule names', async () => {
    const { manager, channels } = await started('a', 'b');
    manager.addRoutingRule(rule('trades', ['a'], { condition: (data) => data.type === 'trade' }));
    manager.processData(trade());
    manager.processData(trade({ type: 'ticker' }));
    expect(channels.map((channel) => channel.got.length)).toEqual([1, 0]);
    expect(manager.getStats()).toMatchObject({ totalProcessed: 2, totalUnrouted: 1, routingRules: 1 });
  });

  it('gives nothing to anybody when every rule is disabled, and everything when the last rule is removed', async () => {
    const { manager, channels } = await started('a');
    manager.addRoutingRule(rule('off', ['a'], { enabled: false }));
    expect(manager.processData(trade())).toBe(true);
    expect(channels[0]!.got).toHaveLength(0);
    expect(manager.removeRoutingRule('off')).toBe(true);
    expect(manager.removeRoutingRule('off')).toBe(false);
    manager.processData(trade());
    expect(channels[0]!.got).toHaveLength(1);
  });

  it('applies every enabled rule that matches', async () => {
    const { manager, channels } = await started('a', 'b', 'c');
    manager.addRoutingRule(rule('one', ['a']));
    manager.addRoutingRule(rule('two', ['b'], { priority: 5 }));
    manager.addRoutingRule(rule('three', ['c'], { enabled: false }));
    manager.addRoutingRule(rule('four', ['c'], { condition: () => false }));
    manager.processData(trade());
    expect(channels.map((channel) => channel.got.length)).toEqual([1, 1, 0]);
  });

  it('obeys a rule that is switched while it stands', async () => {
    const { manager, channels } = await started('a');
    const switched = { ...rule('switched', ['a']), enabled: true };
    manager.addRoutingRule(switched);
    manager.processData(trade());
    switched.enabled = false;
    manager.processData(trade());
    expect(channels[0]!.got).toHaveLength(1);
  });

  it('gives a channel a publication once, however many rules or targets name it', async () => {
    const { manager, channels } = await started('a');
    manager.addRoutingRule(rule('one', ['a', 'a']));
    manager.addRoutingRule(rule('two', ['a']));
    manager.processData(trade());
    expect(channels[0]!.got).toHaveLength(1);
  });

  it('keeps a disabled channel out, rule or not', async () => {
    const { manager, channels } = await started('a');
    channels[0]!.enabled = false;
    manager.addRoutingRule(rule('one', ['a']));
    manager.processData(trade());
    expect(channels[0]!.got).toHaveLength(0);
  });

  it('replaces a rule by one of the same name', async () => {
    const { manager, channels } = await started('a', 'b');
    manager.addRoutingRule(rule('one', ['a']));
    manager.addRoutingRule(rule('one', ['b']));
    manager.processData(trade());
    expect(channels.map((channel) => channel.got.length)).toEqual([0, 1]);
    expect(manager.getStats().routingRules).toBe(1);
  });

  it('names the matching rules in routingRuleMatched, highest priority first', async () => {
    const { manager } = await started('a');
    const matched: string[] = [];
    manager.on('routingRuleMatched', (name) => matched.push(name));
    manager.addRoutingRule(rule('low', ['a'], { priority: 1 }));
    manager.addRoutingRule(rule('high', ['a'], { priority: 9 }));
    manager.addRoutingRule(rule('never', ['a'], { condition: () => false, priority: 20 }));
    manager.addRoutingRule(rule('low too', ['a'], { priority: 1 }));
    manager.processData(trade());
    expect(matched).toEqual(['high', 'low', 'low too']);
  });

  it('lets a rule change the rules while it is asked', async () => {
    const { manager, channels } = await started('a', 'b');
    const once = rule('once', ['a'], {
      condition: () => {
        manager.removeRoutingRule('once');
        manager.addRoutingRule(rule('later', ['b']));
        return true;
      },
    });
    manager.addRoutingRule(once);
    manager.processData(trade());
    manager.processData(trade());
    expect(channels.map((channel) => channel.got.length)).toEqual([1, 1]);
  });
});

describe('transforms', () => {
  it("lets a higher priority's transform win, whatever the order of adding", async () => {
    const { manager, channels } = await started('a');
    manager.addRoutingRule(rule('low', ['a'], { priority: 1, transform: tag('low') }));
    manager.addRoutingRule(rule('high', ['a'], { priority: 2, transform: tag('high') }));
    manager.processData(trade());
    expect(channels[0]!.got).toMatchObject([{ by: 'high' }]);
  });

  it('applies the only transform there is, also when a rule without one comes first', async () => {
    const { manager, channels } = await started('a');
    manager.addRoutingRule(rule('plain', ['a'], { priority: 2 }));
    manager.addRoutingRule(rule('tagging', ['a'], { priority: 1, transform: tag('low') }));
    manager.processData(trade());
    expect(channels[0]!.got).toMatchObject([{ by: 'low' }]);
  });

  it('changes the publication for the channels of its rule alone, and once for all of them', async () => {
    const { manager, channels } = await started('a', 'b', 'c');
    const transform = vi.fn(tag('x'));
    manager.addRoutingRule(rule('tagging', ['a', 'b'], { transform }));
    manager.addRoutingRule(rule('plain', ['c']));
    manager.processData(trade());
    expect(channels.map((channel) => channel.got[0]?.by)).toEqual(['x', 'x', undefined]);
    expect(transform).toHaveBeenCalledTimes(1);
  });

  it('takes a DataTransformer as well as a function', async () => {
    const { manager, channels } = await started('a');
    const transformer: DataTransformer = {
      name: 'tagger',
      transform: tag('transformer'),
      validate: (data) => data.symbol !== 'BAD',
      getStats: () => ({ transformedCount: 0, errorCount: 0, averageLatency: 0, lastActivity: 0 }),
    };
    manager.addRoutingRule(rule('one', ['a'], { transform: transformer }));
    manager.processData(trade());
    manager.processData(trade({ symbol: 'bad' }));
    expect(channels[0]!.got).toMatchObject([{ by: 'transformer' }]);
    expect(manager.getStats().errorsByCode).toEqual({ RULE_FAILED: 1 });
  });
});

describe('faults', () => {
  it('skips an unknown channel and logs it once for each rule and channel', async () => {
    const warn = vi.fn();
    const quiet = vi.fn();
    const logger = { trace: quiet, debug: quiet, info: quiet, warn, error: quiet, fatal: quiet };
    const manager = new DataFlowManager({ logger });
    const channel = new TestChannel('a');
    manager.registerChannel(channel);
    await manager.start();
    manager.addRoutingRule(rule('one', ['nowhere', 'a', 'neither']));
    manager.addRoutingRule(rule('two', ['nowhere']));
    for (let i = 0; i < 10; i++) manager.processData(trade());
    expect(channel.got).toHaveLength(10);
    expect(warn.mock.calls.map(([fields]) => fields)).toEqual([
      { rule: 'one', channel: 'nowhere' },
      { rule: 'one', channel: 'neither' },
      { rule: 'two', channel: 'nowhere' },
    ]);
    expect(manager.getStats().totalErrors).toBe(0);
  });

  it.each([
    [
      'a condition that throws',
      {
        condition: () => {
          throw new Error('boom');
        },
      },
    ],
    [
      'a condition that returns a promise',
      {
        condition: (async () => {
          throw new Error('x');
        }) as never,
      },
    ],
    [
      'a transform that throws',
      {
        transform: () => {
          throw new Error('boom');
        },
      },
    ],
    ['a transform that returns nothing', { transform: (() => undefined) as never }],
    [
      'a transform that returns a promise',
      {
        transform: (async () => {
          throw new Error('x');
        }) as never,
      },
    ],
  ] as [string, Partial<RoutingRule>][])('counts and reports %s, as if the rule had not matched', async (_, bad) => {
    const { manager, channels } = await started('a', 'b');
    const errors: unknown[] = [];
    manager.on('routingError', (error, data, name) =>
      errors.push([(error as { code?: string }).code, data.symbol, name]),
    );
    manager.addRoutingRule(rule('bad', ['a', 'b'], { ...bad, priority: 9 }));
    manager.addRoutingRule(rule('good', ['b']));
    expect(manager.processData(trade())).toBe(true);
    expect(channels.map((channel) => channel.got.length)).toEqual([0, 1]);
    expect(errors).toEqual([['RULE_FAILED', 'BTCUSDT', 'bad']]);
    expect(manager.getStats()).toMatchObject({ totalErrors: 1, errorsByCode: { RULE_FAILED: 1 } });
  });
});
