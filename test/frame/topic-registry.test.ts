import { describe, expect, it } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
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

  it('remembers the newest frames, as many as have room together, and what it drops makes room', () => {
    const { registry } = registryOf(3, 10);
    const [a, b, c] = ['A', 'B', 'C'].map((symbol) => registry.topicOf({ symbol }));
    const kept = () => [a!.latest, b!.latest, c!.latest];
    registry.remember(a!, 'aaaa', 1);
    registry.remember(b!, 'bbbbbb', 2);
    registry.remember(c!, 'c', 3);
    expect(kept()).toEqual(['aaaa', 'bbbbbb', '']);
    // Too long for what b leaves, so b is forgotten: its old frame must not pass for its newest.
    registry.remember(b!, 'bbbbbbb', 4);
    expect(kept()).toEqual(['aaaa', '', '']);
    registry.remember(c!, 'cccccc', 5);
    registry.remember(a!, 'AAAA', 6);
    expect(kept()).toEqual(['AAAA', '', 'cccccc']);
    expect([a!.latestDueUs, c!.latestDueUs]).toEqual([6, 5]);
  });
});

function registryOf(topicsMax: number, latestLengthMax = 1_000) {
  const memory = allocateTopicDirectory(topicsMax);
  const registry = new TopicRegistry(new TopicDirectoryWriter(memory), latestLengthMax);
  return { registry, reader: new TopicDirectoryReader(memory) };
}
