import { describe, expect, it } from 'vitest';
import { readBeginning } from '../../src/connection/beginning.ts';
import { TestCommands } from '../support/test-commands.ts';

const EPOCH = 'e'.repeat(64);

describe('readBeginning', () => {
  it.each<[Record<string, unknown>, boolean, ReturnType<typeof readBeginning>]>([
    [{}, false, { snapshot: false, resume: undefined }],
    [{}, true, { snapshot: true, resume: undefined }],
    [{ snapshot: null, resume: null }, true, { snapshot: true, resume: undefined }],
    [{ snapshot: true }, false, { snapshot: true, resume: undefined }],
    [{ snapshot: false }, true, { snapshot: false, resume: undefined }],
    [{ resume: { epoch: EPOCH, seq: 0 } }, false, { snapshot: false, resume: { epoch: EPOCH, seq: 0 } }],
    [
      { resume: { epoch: '', seq: Number.MAX_SAFE_INTEGER, more: 1 }, snapshot: true, symbols: 'A' },
      false,
      { snapshot: true, resume: { epoch: '', seq: Number.MAX_SAFE_INTEGER } },
    ],
  ])('reads %j, with snapshots by default: %s', (payload, byDefault, beginning) => {
    expect(readBeginning(payload, byDefault)).toEqual(beginning);
  });
});

const BAD: [string, unknown, string][] = [
  ...['true', 1, 0, '', {}, []].map((value): [string, unknown, string] => ['snapshot', value, 'true']),
  ...['e', 5, true, 0].map((value): [string, unknown, string] => ['resume', value, 'object']),
  ...[
    {},
    [],
    ['e', 1],
    { seq: 1 },
    { epoch: 5, seq: 1 },
    { epoch: null, seq: 1 },
    { epoch: ['e'], seq: 1 },
    { epoch: `${EPOCH}e`, seq: 1 },
  ].map((value): [string, unknown, string] => ['resume', value, 'epoch']),
  ...[undefined, null, '1', -1, 0.5, 2 ** 53, [1], {}].map((seq): [string, unknown, string] => [
    'resume',
    { epoch: 'e', seq },
    'seq',
  ]),
];

describe('a subscription whose beginning cannot be read (T24)', () => {
  it.each(BAD)('is refused with the key, what is wrong and what is allowed: %s %j', (key, value, word) => {
    const test = new TestCommands({ limits: { commandsPerSecond: 0 } });
    const payload = { symbols: 'A', [key]: value };
    const detail = { key, problem: expect.stringContaining(word), allowed: expect.stringMatching(/./) };
    test.expectReplies({ type: 'subscribe', payload }, 'error', {
      code: 'INVALID_SUBSCRIPTION',
      message: expect.any(String),
      detail,
    });
    expect([test.connection.explicit, test.connection.filters.size, test.statistics.get('filtersInForce')]).toEqual([
      false,
      0,
      0,
    ]);
    expect([test.connection.errors, test.statistics.get('errors')]).toEqual([3, 3]);
  });

  it('is refused for its filter first', () => {
    const test = new TestCommands({ limits: { commandsPerSecond: 0 } });
    const [reply] = test.send({ type: 'subscribe', payload: { symbols: 5, snapshot: 5 } });
    expect(reply).toMatchObject({ payload: { detail: { key: 'symbols' } } });
  });

  it('leaves what a filter of that name says alone: it is no name of one', () => {
    const test = new TestCommands({ limits: { commandsPerSecond: 0 } });
    const [reply] = test.send({ type: 'subscribe', payload: { symbols: ['A'], snapshot: false, resume: null } });
    expect(reply).toMatchObject({ type: 'subscribed', payload: { filter: { symbols: ['A'] } } });
    expect(Object.keys((reply!.payload as { filter: object }).filter)).toEqual(['symbols']);
  });
});
