import { describe, expect, it } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import { EVERY } from '../../src/delivery/delivery-policy.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { NO_POSITION } from '../../src/ring/layout.ts';
import { allocateTopicDirectory, TopicDirectoryReader, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';

describe('TopicRegistry', () => {
  it('gives the same topic for the same exchange, symbol and type, and another for each that differs', () => {
    const { registry } = registryOf(100);
    const base = { exchange: 'binance', symbol: 'BTC', type: 'trade' };
    const topic = registry.topicOf({ ...base, data: 1 });
    expect(registry.topicOf({ ...base, data: 2 })).toBe(topic);
    const others = [
      { ...base, exchange: 'kraken' },
      { ...base, symbol: 'ETH' },
      { ...base, type: 'ticker' },
      { ...base, exchange: 'BTC', symbol: 'binance' },
      { symbol: 'BTC', type: 'trade' },
      { ...base, exchange: '' },
      { exchange: 'binance', type: 'trade' },
      { exchange: 'binance', symbol: 'BTC' },
      {},
    ];
    const ids = new Set([topic.id, ...others.map((publication) => registry.topicOf(publication).id)]);
    expect(ids.size).toBe(others.length + 1);
    expect(registry.size).toBe(others.length + 1);
    expect(registry.all().map(({ id }) => id)).toEqual([...ids].sort((a, b) => a - b));
  });

  it.each([5, null, true, ['binance'], { name: 'binance' }])('takes a name of %j for none', (value) => {
    const { registry } = registryOf(10);
    const none = registry.topicOf({});
    const publication = { exchange: value, symbol: value, type: value } as unknown as Publication;
    expect(registry.topicOf(publication)).toBe(none);
    expect(none).toMatchObject({ exchange: null, symbol: null, dataType: null, wireType: 'data' });
  });

  it('keeps klines of different intervals apart, though all go out as kline', () => {
    const { registry, reader } = registryOf(10);
    const kline = (data: unknown) => registry.topicOf({ exchange: 'x', symbol: 'Y', type: 'kline', data });
    const minute = kline({ interval: '1m', close: 1 });
    expect(kline({ interval: '1m', close: 2 })).toBe(minute);
    const others = [kline({ interval: '1M' }), kline({ interval: '1h' }), kline({}), kline(null)];
    expect(others[2]).toBe(others[3]);
    expect(new Set([minute, ...others]).size).toBe(4);
    expect(kline({ interval: '' })).toBe(others[2]);
    expect(kline({ interval: 60 })).toBe(others[2]);
    expect([minute, ...others].map(({ wireType }) => wireType)).toEqual(Array(5).fill('kline'));
    expect(reader.name(minute.id).dataType).toBe('kline_1m');
    expect(reader.name(others[2]!.id).dataType).toBe('kline');
  });

  it('puts the names into the directory under the same id', () => {
    const { registry, reader } = registryOf(10);
    const first = registry.topicOf({ exchange: 'börse', symbol: '日経225' });
    const second = registry.topicOf({ type: '__proto__' });
    expect(reader.name(first.id)).toEqual({ exchange: 'börse', symbol: '日経225', dataType: null });
    expect(reader.name(second.id)).toEqual({ exchange: null, symbol: null, dataType: '__proto__' });
  });

  it('refuses one topic too many, and still knows the others', () => {
    const { registry } = registryOf(2);
    const first = registry.topicOf({ symbol: 'A' });
    registry.topicOf({ symbol: 'B' });
    const refused = expect.objectContaining({ code: 'TOPIC_LIMIT_REACHED' });
    expect(() => registry.topicOf({ symbol: 'C' })).toThrow(refused);
    expect(() => registry.topicOf({ symbol: 'C' })).toThrow(refused);
    expect(registry.topicOf({ symbol: 'A' })).toBe(first);
    expect(registry.size).toBe(2);
  });

  it('refuses a name that is too long without using up a topic', () => {
    const { registry } = registryOf(2);
    const long = { symbol: 'x'.repeat(2_000) };
    expect(() => registry.topicOf(long)).toThrow(expect.objectContaining({ code: 'TOPIC_LIMIT_REACHED' }));
    expect(registry.topicOf({ symbol: 'A' }).id).toBe(0);
  });

  it('gives a topic the policy of its data type, that of a kline by its interval', () => {
    const asked: (string | null)[] = [];
    const { registry } = registryOf(10, (dataType) => asked.push(dataType));
    const publications = [{ type: 'trade' }, { type: 'kline', data: { interval: '1m' } }, { symbol: 'A' }, { type: 5 }];
    const policies = [...publications, ...publications].map(
      (publication) => registry.topicOf(publication as Publication).policy,
    );
    expect(asked).toEqual(['trade', 'kline_1m', null, null]);
    expect(policies).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  });

  it('knows of a new topic that nothing has been published', () => {
    const { registry } = registryOf(10);
    const unpublished = { seq: 0, prevSeq: 0, position: NO_POSITION, publications: 0, dueUs: 0, lastPublicationMs: 0 };
    expect(registry.topicOf({ symbol: 'A' })).toMatchObject(unpublished);
  });
});

function registryOf(topicsMax: number, policyOf: (dataType: string | null) => number = () => EVERY) {
  const memory = allocateTopicDirectory(topicsMax);
  const registry = new TopicRegistry(new TopicDirectoryWriter(memory), policyOf);
  return { registry, reader: new TopicDirectoryReader(memory) };
}
