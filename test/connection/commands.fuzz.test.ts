import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seedOfRun } from '../support/seeded-random.ts';
import { TestCommands } from '../support/test-commands.ts';

const TYPES = [
  'ping',
  'pong',
  'subscribe',
  'unsubscribe',
  'getStats',
  'getSubscriptions',
  'requestSnapshot',
  'getLedger',
  'odd',
  '__proto__',
];
const KEYS = [
  'exchange',
  'symbols',
  'dataTypes',
  'types',
  'channel',
  'channels',
  'filterId',
  'snapshot',
  'resume',
  '__proto__',
  'constructor',
];
const CLEAN = Object.getOwnPropertyNames(Object.prototype).toSorted();

const value = fc.oneof(
  fc.jsonValue(),
  fc.array(fc.string()),
  fc.boolean(),
  fc.record({ epoch: fc.constantFrom('test-epoch', 'another', 5), seq: fc.constantFrom(0, 2, 9, -1, 0.5, 'x') }),
  fc.constantFrom('filter_1', 'A', ['A', 'B'], [], {}),
);
const members = (keys: string[]) =>
  fc.array(fc.tuple(fc.oneof(fc.constantFrom(...keys), fc.string()), value), { maxLength: 4 });
const text = fc
  .tuple(fc.constantFrom(...TYPES), members(KEYS), members(['id', 'type', 'action', ...KEYS]), fc.boolean())
  .map(([type, payload, others, isNested]) => {
    const inner = isNested ? `"payload":${objectText(payload)}` : memberTexts(payload);
    return `{${[`"type":${JSON.stringify(type)}`, inner, memberTexts(others)].filter(Boolean).join()}}`;
  });

function memberTexts(entries: [string, unknown][]): string {
  return entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item)}`).join();
}

function objectText(entries: [string, unknown][]): string {
  return `{${memberTexts(entries)}}`;
}

describe('Commands, whatever a client sends', () => {
  it('answers each message at most once with a whole reply, keeps its books, and pollutes nothing', () => {
    const messages = fc.array(fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.string() }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(messages, (texts) => {
        const test = new TestCommands({ limits: { commandsPerSecond: 0, subscriptionsPerConnection: 5 } });
        for (const one of texts) {
          const replies = test.send(one);
          expect(replies.length).toBeLessThanOrEqual(1);
          for (const { type, payload, timestamp } of replies) {
            expect([typeof type, typeof payload, typeof timestamp]).toEqual(['string', 'object', 'number']);
          }
        }
        const { connection, statistics, subscriptions } = test;
        expect(connection.subscriptionCount).toBeLessThanOrEqual(5);
        expect(statistics.get('filtersInForce')).toBe(connection.filters.size);
        expect(statistics.get('channelsInForce')).toBe(connection.channels?.size ?? 0);
        expect(subscriptions.filtersInForce).toBe(connection.filters.size);
        expect(subscriptions.cohortCount).toBe(connection.filters.size > 0 ? 1 : 0);
        expect(test.closes).toEqual([]);
        expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(CLEAN);
      }),
      { seed: seedOfRun('commands fuzz'), numRuns: 500, interruptAfterTimeLimit: 10_000 },
    );
  });
});
