import { expect, it } from 'vitest';
import { ComparedTopic } from '../../src/compare/compared-topic.ts';
import { Entry } from '../../src/compare/entry.ts';
import { PendingIndex } from '../../src/compare/pending-index.ts';

const topic = new ComparedTopic({ exchange: null, symbol: null, dataType: 'trade' }, 0);

function entry(exact: string, ofTopic = topic): Entry {
  const identity = { exact, moment: undefined, content: undefined };
  const arrival = { type: 'trade', payload: {}, topic: ofTopic, identity, bytes: 1, merged: 0, arrivedMs: 0 };
  return new Entry('old', arrival, 0, 0);
}

it('finds the oldest that is pending, whichever is settled first, and holds nothing behind the last', () => {
  const index = new PendingIndex(({ identity }) => identity.exact);
  const [first, second, third] = [entry('a'), entry('a'), entry('a')];
  for (const each of [first, second, third]) index.add(each);
  const settle = (each: Entry) => {
    each.settle();
    index.forget(each);
  };
  expect(index.find(entry('a'))).toBe(first);
  settle(second);
  expect(index.find(entry('a'))).toBe(first);
  settle(first);
  expect(index.find(entry('a'))).toBe(third);
  settle(third);
  expect(index.find(entry('a'))).toBeUndefined();
  expect(index.size).toBe(0);
});

it('keeps topics apart, and passes over what has no key', () => {
  const index = new PendingIndex(({ identity }) => identity.moment);
  index.add(entry('a'));
  expect(index.size).toBe(0);
  const byName = new PendingIndex(({ identity }) => identity.exact);
  byName.add(entry('a'));
  expect(byName.find(entry('a', new ComparedTopic(topic.name, 1)))).toBeUndefined();
});
