import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { Gateway } from '../../src/gateway.ts';
import { readAdmin } from '../support/admin-api.ts';
import { TestProcess } from '../support/child-process.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { TestClient } from '../support/test-client.ts';
import { trade } from '../support/test-gateway.ts';

const EXAMPLE = new URL('../../examples/embed.ts', import.meta.url);

describe('the example of an embedding program', () => {
  it('publishes its trades and ends by itself on SIGINT', async () => {
    const port = await freePort();
    const child = new TestProcess(EXAMPLE, [], { PORT: String(port), NODE_OPTIONS: '--conditions=source' });
    await child.said(`ws://127.0.0.1:${port}/ws`);
    const client = await TestClient.open(port);
    await client.until(() => client.data.length >= 3, 'trades');
    for (const { type, payload } of client.data) {
      expect({ type, payload }).toMatchObject({
        type: 'trade',
        payload: { exchange: 'mine', symbol: 'BTC/USDT', side: 'buy' },
      });
    }
    child.kill('SIGINT');
    expect((await client.untilClosed()).code).toBe(1001);
    const { status, stdout, stderr } = await child.ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(Number(/^(\d+) trades published$/m.exec(stdout)?.[1])).toBe(client.data.at(-1)!.seq);
  });
});

interface Figures {
  ring: { publications: number; refused: Record<string, number> };
  dataFlow: { errorsByCode: Record<string, number> };
  shards: { restarts: number }[];
}

describe('processData with what is no publication', () => {
  let gateway: Gateway;
  let witness: TestClient;

  beforeAll(async () => {
    gateway = new Gateway(
      { server: { port: 0 }, shards: 1, source: { kind: 'none' }, ring: { bytes: 4 * 1024 * 1024 } },
      { logger: collectingLogger() },
    );
    await gateway.start();
    witness = await TestClient.open(gateway.port);
  });

  afterAll(async () => {
    await witness.close();
    await gateway.stop();
  });

  const figures = () => readAdmin<Figures>(gateway.port, 'stats');
  const count = (counts: Record<string, number>, code: string) => counts[code] ?? 0;
  const process = (value: unknown) => gateway.processData(value as Publication);
  let last = 0;
  /** The next one goes through. Resolves with what has come from `first` on, that one left out. */
  const goesOn = async (first: number) => {
    const symbol = `NEXT${++last}`;
    expect(process(trade(symbol))).toBe(true);
    await witness.until(() => witness.data.at(-1)?.payload.symbol === symbol, 'the next publication');
    return witness.data.slice(first, -1);
  };

  const circle: Record<string, unknown> = { type: 'trade' };
  circle.data = circle;
  const explode = (thrown: unknown) => ({
    get type(): string {
      throw thrown;
    },
  });
  const hostileProxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no keys');
      },
      get: () => {
        throw new Error('no values');
      },
    },
  );

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['a number', 5],
    ['a text', 'trade'],
    ['a symbol', Symbol('s')],
    ['a BigInt', 5n],
    ['an array', [trade('A')]],
    ['a function', () => trade('A')],
    ['a date', new Date()],
    ['a map', new Map([['type', 'trade']])],
    ['a buffer', Buffer.from('{}')],
    ['a promise', Promise.resolve(trade('A'))],
    ['a type that is a number', { type: 5 }],
    ['a type that is an object', { type: {} }],
    ['a getter that throws', explode(new Error('no'))],
    ['a getter that throws null', explode(null)],
    ['a getter that throws what has no text', explode(Object.create(null))],
    ['a proxy that throws at everything', hostileProxy],
    [
      'an instance whose toJSON throws',
      new (class {
        toJSON() {
          throw new Error('no');
        }
      })(),
    ],
    [
      'an instance whose toJSON gives a number',
      new (class {
        toJSON() {
          return 5;
        }
      })(),
    ],
  ])('refuses %s, counts it and goes on', async (_name, value) => {
    const total = ({ dataFlow }: Figures) => Object.values(dataFlow.errorsByCode).reduce((sum, n) => sum + n, 0);
    const came = witness.data.length;
    const before = await figures();
    expect(process(value)).toBe(false);
    expect(total(await figures())).toBe(total(before) + 1);
    expect(await goesOn(came)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['a circle', circle, 'PUBLICATION_NOT_SERIALISABLE'],
    ['a BigInt among its data', { type: 'trade', data: { price: 1n } }, 'PUBLICATION_NOT_SERIALISABLE'],
    [
      'a getter among its data that throws',
      { type: 'x', data: explode(new Error('no')) },
      'PUBLICATION_NOT_SERIALISABLE',
    ],
    [
      'a toJSON among its data that throws',
      {
        type: 'x',
        data: {
          toJSON() {
            throw new Error('no');
          },
        },
      },
      'PUBLICATION_NOT_SERIALISABLE',
    ],
    ['2 MiB', { type: 'x', data: 'x'.repeat(2 * 1024 * 1024) }, 'PUBLICATION_TOO_LARGE'],
    ['2 MiB in a field of its own', { type: 'x', note: '€'.repeat(700_000) }, 'PUBLICATION_TOO_LARGE'],
    ['nesting too deep to write', { type: 'x', data: nested(200_000) }, 'PUBLICATION_NOT_SERIALISABLE'],
    ['an exchange of a megabyte', { ...trade('A'), exchange: 'e'.repeat(1024 * 1024) }, 'TOPIC_LIMIT_REACHED'],
  ])('refuses %s by its code, and goes on', async (_name, value, code) => {
    const came = witness.data.length;
    const before = await figures();
    process(value);
    const after = await figures();
    expect(count(after.ring.refused, code) - count(before.ring.refused, code)).toBe(1);
    expect(count(after.dataFlow.errorsByCode, code) - count(before.dataFlow.errorsByCode, code)).toBe(1);
    expect(after.ring.publications).toBe(before.ring.publications);
    expect(await goesOn(came)).toEqual([]);
  });

  it.each<[string, unknown, object]>([
    [
      'a frozen object',
      Object.freeze({ type: 'TRADES', exchange: 'Binance', symbol: 'btc/usdt', data: Object.freeze({ price: 1 }) }),
      { type: 'trade', exchange: 'binance', symbol: 'BTC/USDT' },
    ],
    [
      'an object without a prototype',
      Object.assign(Object.create(null), { type: 'x', data: 1 }),
      { type: 'x', data: 1 },
    ],
    ['a function and a symbol among its fields', { type: 'x', data: () => 1, s: Symbol('s'), n: 1 }, { n: 1 }],
    [
      'numbers that JSON does not know',
      { type: 'trade', timestamp: Number.NaN, data: { price: Number.POSITIVE_INFINITY } },
      { data: { price: null } },
    ],
    [
      'keys that mean something to objects',
      JSON.parse('{"type":"x","data":{"__proto__":{"a":1},"constructor":2},"hasOwnProperty":3}'),
      { hasOwnProperty: 3 },
    ],
    ['a lone surrogate', { type: 'x', symbol: 'A\ud800', data: '\udc00' }, { type: 'x' }],
    [
      'an instance with a toJSON',
      new (class {
        toJSON() {
          return { type: 'x', data: 'said' };
        }
      })(),
      { data: 'said' },
    ],
  ])('publishes %s', async (_name, value, expected) => {
    const came = witness.data.length;
    expect(process(value)).toBe(true);
    expect(await goesOn(came)).toMatchObject([{ payload: expected }]);
    expect(witness.strange).toEqual([]);
  });

  it('has cost no shard its life', async () => {
    expect((await figures()).shards.map(({ restarts }) => restarts)).toEqual([0]);
  });
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}
