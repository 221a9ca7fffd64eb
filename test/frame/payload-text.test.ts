import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import { payloadText } from '../../src/frame/payload-text.ts';
import { TickcastError } from '../../src/util/errors.ts';
import { seedOfRun } from '../support/seeded-random.ts';

describe('payload text', () => {
  it('holds exactly the fields that JSON.stringify writes, but for those that name the topic', () => {
    const seed = seedOfRun('payload text');
    const key = fc.oneof(
      fc.constantFrom('timestamp', 'data', 'type', 'exchange', 'symbol', 'receivedAt', '__proto__'),
      fc.string(),
    );
    const publications = fc.dictionary(key, fc.jsonValue(), { maxKeys: 12, noNullPrototype: false });
    const property = fc.property(publications, fc.boolean(), (publication, withoutReceivedAt) => {
      const expected = JSON.parse(JSON.stringify(publication)) as Record<string, unknown>;
      for (const name of ['type', 'exchange', 'symbol']) {
        if (typeof publication[name] === 'string' && Object.hasOwn(publication, name)) delete expected[name];
      }
      if (withoutReceivedAt) delete expected.receivedAt;
      expect(parsed(publication, withoutReceivedAt)).toStrictEqual(expected);
    });
    fc.assert(property, { seed, numRuns: 2_000, interruptAfterTimeLimit: 5_000, markInterruptAsFailure: false });
  });

  it('puts timestamp and data first, and keeps the others in their order', () => {
    const text = payloadText({ b: 1, type: 'trade', data: { x: 1 }, a: 2, timestamp: 5 }, false);
    expect(text).toBe(',"timestamp":5,"data":{"x":1},"b":1,"a":2');
  });

  it.each([
    ['no field at all', {}, ''],
    ['only what names the topic', { type: 'trade', exchange: 'x', symbol: 'Y' }, ''],
    ['a numeric timestamp', { timestamp: 1_700_000_000_123 }, ',"timestamp":1700000000123'],
    ['a timestamp as text', { timestamp: '2026-01-01T00:00:00.000Z' }, ',"timestamp":"2026-01-01T00:00:00.000Z"'],
    ['a timestamp that JSON has no number for', { timestamp: Number.NaN }, ',"timestamp":null'],
    ['a timestamp of minus nothing', { timestamp: -0 }, ',"timestamp":0'],
    ['data of null', { data: null }, ',"data":null'],
    ['data that is an array', { data: [1, [2]] }, ',"data":[1,[2]]'],
    ['data that is a string', { data: 'x"y' }, ',"data":"x\\"y"'],
    ['a type that is no string', { type: 5 }, ',"type":5'],
    ['an exchange that is no string', { exchange: ['x'] }, ',"exchange":["x"]'],
    ['a symbol of null', { symbol: null }, ',"symbol":null'],
    ['undefined values', { data: undefined, timestamp: undefined, x: undefined }, ''],
    ['functions and symbols', { data: () => 1, x: Symbol('x'), y: 1 }, ',"y":1'],
    ['a toJSON inside', { data: { toJSON: () => 'own' } }, ',"data":"own"'],
    ['an empty key', { '': 1 }, ',"":1'],
    ['a key with quotes and breaks', { '"\n\\': 1 }, ',"\\"\\n\\\\":1'],
    ['a lone surrogate in key and value', { '\ud800': '\udc00' }, ',"\\ud800":"\\udc00"'],
  ])('writes %s as JSON does', (_name, publication, text) => {
    expect(payloadText(publication as Publication, false)).toBe(text);
  });

  it('forwards "__proto__" and "constructor" as the plain keys they are', () => {
    const publication = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":2,"data":{"__proto__":3}}',
    ) as Publication;
    expect(payloadText(publication, false)).toBe(',"data":{"__proto__":3},"__proto__":{"polluted":1},"constructor":2');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('leaves out what a publication only inherits', () => {
    const publication = Object.create({ inherited: 1 }) as Publication;
    publication.own = 2;
    expect(payloadText(publication, false)).toBe(',"own":2');
  });

  it('leaves out a receivedAt that the gateway added, and no other', () => {
    expect(payloadText({ receivedAt: 5, x: 1 }, true)).toBe(',"x":1');
    expect(payloadText({ receivedAt: 5, x: 1 }, false)).toBe(',"receivedAt":5,"x":1');
  });

  it.each([
    ['a circle', 'data', circle()],
    ['a BigInt', 'data', { id: 5n }],
    ['a BigInt as timestamp', 'timestamp', 5n],
    ['a toJSON that throws', 'extra', { toJSON: () => explode() }],
    [
      'a getter that throws',
      'extra',
      {
        get price() {
          return explode();
        },
      },
    ],
    [
      'something thrown that is no error',
      'extra',
      {
        toJSON: () => {
          throw 'a string';
        },
      },
    ],
  ])('refuses %s and names the field', (_name, key, value) => {
    const thrown = thrownBy(() => payloadText({ type: 'trade', [key]: value }, false));
    expect(thrown).toBeInstanceOf(TickcastError);
    expect(thrown).toMatchObject({ code: 'PUBLICATION_NOT_SERIALISABLE', detail: { key } });
    expect((thrown as Error).message).not.toContain('\n');
  });
});

function parsed(publication: Record<string, unknown>, withoutReceivedAt: boolean): unknown {
  const text = payloadText(publication as Publication, withoutReceivedAt);
  return JSON.parse(`{${text.slice(1)}}`);
}

function circle(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

function explode(): never {
  throw new Error('boom\nwith a second line');
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}
