import { describe, expect, it } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import { BOOK_UPDATE } from '../../src/delivery/delivery-policy.ts';
import type { Level } from '../../src/delivery/depth.ts';
import { BookKeeper } from '../../src/frame/book-keeper.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateTopicDirectory, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';

const KIB = 1024;
const LEVELS_MAX = 100_000;
const registry = new TopicRegistry(new TopicDirectoryWriter(allocateTopicDirectory(10)), () => BOOK_UPDATE);

describe('BookKeeper', () => {
  it('builds a book up from the first publication, and from each whole one', () => {
    const { apply } = keeper();
    const whole = { isSnapshot: true };
    expect([apply({}), apply({}), apply(whole), apply({}), apply(whole)]).toEqual([
      'base',
      'update',
      'base',
      'update',
      'base',
    ]);
  });

  it('has no book of a topic before its first publication, nor once it is forgotten', () => {
    const { books, topic, apply } = keeper();
    expect([books.has(topic.id), books.fields(topic), books.isKeyFrameDue(topic.id)]).toEqual([
      false,
      undefined,
      false,
    ]);
    apply({});
    expect(books.has(topic.id)).toBe(true);
    books.forget(topic.id);
    expect([books.has(topic.id), books.fields(topic), books.isKeyFrameDue(topic.id)]).toEqual([
      false,
      undefined,
      false,
    ]);
  });

  it('begins a forgotten book only with a whole one, and of nothing else', () => {
    const { books, topic, apply, payload } = keeper();
    apply({ bids: [[1, 1]], isSnapshot: true });
    books.forget(topic.id);
    books.forget(topic.id);
    expect([apply({ bids: [[2, 2]] }), apply({ bids: [[3, 3]] })]).toEqual(['none', 'none']);
    expect(apply({ bids: [[4, 4]], isSnapshot: true })).toBe('base');
    expect(apply({ asks: [[5, 5]] })).toBe('update');
    expect(payload().data).toEqual({ bids: [[4, 4]], asks: [[5, 5]], isSnapshot: true });
  });

  it('keeps the books of topics apart', () => {
    const books = new BookKeeper();
    const [first, second] = [keeper(books, 'A'), keeper(books, 'B')];
    first.apply({ bids: [[1, 1]] });
    second.apply({ bids: [[2, 2]] });
    books.forget(first.topic.id);
    expect(first.apply({})).toBe('none');
    expect(second.apply({})).toBe('update');
    expect(second.payload().data).toEqual({ bids: [[2, 2]], asks: [], isSnapshot: true });
  });

  it.each([
    ['64 KiB', 1_000, 64 * KIB],
    ['what the book is built up from, where that is more', 100_000, 100_000],
  ])('has a key frame due when the updates are longer than %s', (_than, baseBytes, due) => {
    const { books, topic, apply } = keeper();
    apply({ isSnapshot: true }, baseBytes);
    const isDue = () => books.isKeyFrameDue(topic.id);
    apply({}, due / 2);
    apply({}, due / 2);
    expect(isDue()).toBe(false);
    apply({}, 1);
    expect(isDue()).toBe(true);
    books.based(topic.id, baseBytes);
    expect(isDue()).toBe(false);
    apply({}, due + 1);
    expect(isDue()).toBe(true);
    apply({ isSnapshot: true }, baseBytes);
    expect(isDue()).toBe(false);
    apply({}, due + 1);
    books.putOff(topic.id);
    expect(isDue()).toBe(false);
    apply({}, due + 1);
    expect(isDue()).toBe(true);
  });

  it('gives the fields of the newest publication around the full book, best levels first', () => {
    const { apply, payload } = keeper();
    apply({ bids: [[1, '5']], asks: [[9, 1]], isSnapshot: true, u: 1 }, 1, { timestamp: 1, a: 1 });
    apply({ bids: [['2.0', 6, 'id']], asks: [[8, 1]], isSnapshot: false, u: 2 }, 1, { timestamp: 2, b: null });
    const bids = [
      ['2.0', 6, 'id'],
      [1, '5'],
    ];
    const asks = [
      [8, 1],
      [9, 1],
    ];
    expect(payload()).toEqual({ timestamp: 2, b: null, data: { bids, asks, isSnapshot: true, u: 2 } });
  });

  it('leaves a receivedAt out that the gateway has added', () => {
    const { apply, payload } = keeper();
    apply({}, 1, { receivedAt: 5 }, false);
    expect(payload()).toHaveProperty('receivedAt', 5);
    apply({}, 1, { receivedAt: 6 }, true);
    expect(payload()).not.toHaveProperty('receivedAt');
  });

  it('keeps as many levels as are likely in a book, and no more', () => {
    const { books, topic, apply, payload } = keeper();
    apply({ bids: Array.from({ length: LEVELS_MAX }, (_, i): Level => [i, 1]) });
    expect((payload().data as { bids: Level[] }).bids).toHaveLength(LEVELS_MAX);
    apply({ asks: [[1, 1]] });
    expect(books.fields(topic)).toBeUndefined();
    apply({ asks: [[1, 0]] });
    expect(books.fields(topic)).toBeDefined();
  });
});

function keeper(books = new BookKeeper(), symbol = 'A') {
  const topic = registry.topicOf({ type: 'depth', symbol });
  const apply = (data: object, bytes = 1, fields: object = {}, receivedAtAdded = false) => {
    const publication: Publication = { type: 'depth', symbol, ...fields, data };
    const depth = { bids: [], asks: [], isSnapshot: false, ...data };
    return books.apply(topic.id, depth, publication, { source: 'test', dueUs: 0, receivedAtAdded }, bytes);
  };
  const payload = () => JSON.parse(`{${books.fields(topic)!.slice(1)}}`) as Record<string, unknown>;
  return { books, topic, apply, payload };
}
