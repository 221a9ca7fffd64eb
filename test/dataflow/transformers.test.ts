import { describe, expect, it } from 'vitest';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';
import type { DataTransformer } from '../../src/dataflow/data-transformer.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import type { TickcastError } from '../../src/util/errors.ts';
import { TestChannel, trade } from './test-channels.ts';

function transformer(name: string, more: Partial<DataTransformer> = {}): DataTransformer {
  return {
    name,
    transform: (data) => ({ ...data, path: [...((data.path as string[] | undefined) ?? []), name] }),
    validate: () => true,
    getStats: () => ({ transformedCount: 1, errorCount: 0, averageLatency: 0, lastActivity: 0 }),
    ...more,
  };
}

async function started(options = {}): Promise<{ manager: DataFlowManager; channel: TestChannel; errors: unknown[][] }> {
  const manager = new DataFlowManager(options);
  const channel = new TestChannel('a');
  manager.registerChannel(channel);
  await manager.start();
  const errors: unknown[][] = [];
  manager.on('processingError', (error, data) => errors.push([(error as TickcastError).code, data]));
  return { manager, channel, errors };
}

describe('transformers', () => {
  it('run in the order they came, behind the normaliser, before the rules', async () => {
    const { manager, channel } = await started();
    const seen: unknown[] = [];
    manager.registerTransformer(
      transformer('first', { validate: (data) => void seen.push(data.symbol) === undefined }),
    );
    manager.registerTransformer(transformer('second'));
    manager.addRoutingRule({
      name: 'r',
      condition: (data) => Array.isArray(data.path),
      targetChannels: ['a'],
      enabled: true,
      priority: 0,
    });
    manager.processData(trade({ symbol: 'btc' }));
    expect(seen).toEqual(['BTC']);
    expect(channel.got).toMatchObject([{ path: ['first', 'second'] }]);
  });

  it('get the context of the publication', async () => {
    const { manager } = await started();
    const contexts: unknown[] = [];
    manager.registerTransformer(
      transformer('t', {
        transform: (data, context) => {
          contexts.push(context);
          return data;
        },
      }),
    );
    manager.processData(trade(), 'feed', 5);
    expect(contexts).toEqual([{ source: 'feed', dueUs: 5, receivedAtAdded: true }]);
  });

  it('replace one of the same name, in its place', async () => {
    const { manager, channel } = await started();
    manager.registerTransformer(transformer('a'));
    manager.registerTransformer(transformer('b'));
    manager.registerTransformer(transformer('a', { transform: (data) => ({ ...data, path: ['new a'] }) }));
    manager.processData(trade());
    expect(channel.got).toMatchObject([{ path: ['new a', 'b'] }]);
  });

  it.each([
    [
      'throws',
      {
        transform: () => {
          throw new Error('boom');
        },
      },
      'TRANSFORMER_FAILED',
    ],
    [
      'throws while it validates',
      {
        validate: () => {
          throw new Error('boom');
        },
      },
      'TRANSFORMER_FAILED',
    ],
    ['returns nothing', { transform: (() => undefined) as never }, 'TRANSFORMER_FAILED'],
    ['returns an array', { transform: (() => []) as never }, 'TRANSFORMER_FAILED'],
    [
      'returns a promise',
      {
        transform: (async () => {
          throw new Error('x');
        }) as never,
      },
      'TRANSFORMER_FAILED',
    ],
    ['does not validate', { validate: () => false }, 'PUBLICATION_INVALID'],
  ] as [string, Partial<DataTransformer>, string][])(
    'that %s: drop that publication with a processingError',
    async (_, bad, code) => {
      const { manager, channel, errors } = await started();
      const only = transformer('bad', bad);
      manager.registerTransformer({
        ...only,
        transform: (data) => (data.n === 1 ? only.transform(data) : data),
        validate: (data) => data.n === 2 || only.validate(data),
      });
      const given = trade({ n: 1 });
      expect(manager.processData(given)).toBe(false);
      expect(manager.processData(trade({ n: 2 }))).toBe(true);
      expect(errors).toEqual([[code, given]]);
      expect(errors[0]?.[1]).toBe(given);
      expect(channel.numbers()).toEqual([2]);
      expect(manager.getStats()).toMatchObject({ totalProcessed: 1, errorsByCode: { [code]: 1 } });
    },
  );

  it('judge each publication anew: a verdict is not remembered', async () => {
    const { manager, channel } = await started();
    let valid = false;
    manager.registerTransformer(transformer('moody', { transform: (data) => data, validate: () => valid }));
    const publication: Publication = trade({ n: 1, receivedAt: 1 });
    expect(manager.processData(publication)).toBe(false);
    valid = true;
    expect(manager.processData(publication)).toBe(true);
    expect(channel.got).toHaveLength(1);
  });

  it('tell their figures by name, the normaliser first', async () => {
    const { manager } = await started({ strict: true });
    manager.registerTransformer(transformer('own'));
    manager.processData(trade({ data: { price: 1 } }));
    manager.processData(trade({ data: {} }));
    manager.processData(7);
    const stats = manager.getTransformerStats();
    expect(Object.keys(stats)).toEqual(['normaliser', 'strict', 'own']);
    expect(stats.normaliser).toMatchObject({ transformedCount: 2, errorCount: 1 });
    expect(stats.strict).toMatchObject({ transformedCount: 1, errorCount: 1 });
  });
});

describe('the strict transformer', () => {
  const badPrices = [
    { price: '1' },
    { price: Number.NaN },
    { price: Number.POSITIVE_INFINITY },
    { price: null },
    {},
    null,
    [],
    'x',
  ];

  it('is off by default: any data passes', async () => {
    const { manager, channel } = await started();
    for (const data of badPrices) manager.processData(trade({ data }));
    expect(channel.got).toHaveLength(badPrices.length);
  });

  it.each(
    badPrices.flatMap((data) => [
      ['trade', data],
      ['ticker', data],
    ]),
  )('refuses a %s with data %j', async (type, data) => {
    const { manager, channel, errors } = await started({ strict: true });
    expect(manager.processData(trade({ type, data }))).toBe(false);
    expect(errors).toMatchObject([['PUBLICATION_INVALID', { type }]]);
    expect(channel.got).toHaveLength(0);
  });

  it.each([
    ['trade', { price: 0 }],
    ['trade', { p: 1.5 }],
    ['ticker', { lastPrice: 1 }],
    ['ticker', { price: 1 }],
    ['ticker', { c: 1 }],
    ['depth', null],
    ['kline', { open: 'x' }],
    ['other', 5],
    [undefined, undefined],
  ])('accepts a %s with data %j', async (type, data) => {
    const { manager } = await started({ strict: true });
    expect(manager.processData(trade({ type, data }))).toBe(true);
  });
});
