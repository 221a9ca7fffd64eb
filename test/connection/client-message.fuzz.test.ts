import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ID_LENGTH_MAX, isProblem, readClientMessage } from '../../src/connection/client-message.ts';
import { seedOfRun } from '../support/seeded-random.ts';

const BOUNDS = { numRuns: 3_000, interruptAfterTimeLimit: 8_000 };
const CLEAN = Object.getOwnPropertyNames(Object.prototype).toSorted();

/** Reads the text and checks what holds of every answer. */
function readAny(text: string): void {
  const answer = readClientMessage(text);
  if (isProblem(answer)) {
    expect(answer.problem).not.toBe('');
  } else {
    expect(answer.type.length).toBeGreaterThan(0);
    expect(typeof answer.payload === 'object' && answer.payload !== null && !Array.isArray(answer.payload)).toBe(true);
  }
  if (typeof answer.id === 'string') expect(answer.id.length).toBeLessThanOrEqual(ID_LENGTH_MAX);
  else if (answer.id !== undefined) expect(Number.isFinite(answer.id)).toBe(true);
  expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(CLEAN);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
}

const key = fc.oneof(
  fc.constantFrom(
    'type',
    'action',
    'op',
    'method',
    'id',
    'payload',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
  ),
  fc.string(),
);
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('ping', 'subscribe', '', { polluted: true }, { constructor: { prototype: { polluted: true } } }),
);
/** Objects as text, so that a key named __proto__ comes as it would on the wire. */
const messageText = fc
  .array(fc.tuple(key, value), { maxLength: 6 })
  .map((entries) => `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`).join()}}`);

describe('readClientMessage, whatever a client sends', () => {
  const seed = seedOfRun('client message fuzz');

  it('answers bytes that are no text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readAny(Buffer.from(bytes).toString())),
      { seed, ...BOUNDS },
    );
  });

  it('answers objects with any keys and values, and pollutes nothing', () => {
    fc.assert(fc.property(messageText, readAny), { seed, ...BOUNDS });
  });

  it('answers messages that are cut off or have a character changed', () => {
    const damage = fc.tuple(messageText, fc.nat(400), fc.option(fc.string({ minLength: 1, maxLength: 1 })));
    fc.assert(
      fc.property(damage, ([text, at, other]) =>
        readAny(text.slice(0, at) + (other === null ? '' : other + text.slice(at + 1))),
      ),
      { seed, ...BOUNDS },
    );
  });

  it.each([
    ['lists', '{"type":"x","payload":{"a":', '[', ']', '}}'],
    ['objects', '{"type":"x","payload":', '{"a":', '}', '}'],
    ['lists that never end', '{"type":"x","payload":', '[', '', ''],
    ['lists for a type', '{"type":', '[', ']', '}'],
    ['lists for an id', '{"type":"ping","id":', '[', ']', '}'],
    ['lists and nothing else', '', '[', ']', ''],
  ])('answers a hundred thousand nested %s', (_name, head, opening, closing, tail) => {
    const inner = opening.endsWith(':') ? '1' : '';
    readAny(head + opening.repeat(100_000) + inner + closing.repeat(100_000) + tail);
  });

  it.each([
    ['too large for a double', '1e400'],
    ['too small for a double', '-1e-400'],
    ['below zero and too large', '-1e400'],
    ['of a hundred thousand digits', '9'.repeat(100_000)],
    ['of as many decimals', `0.${'1'.repeat(100_000)}`],
  ])('answers a number %s', (_name, number) => {
    readAny(`{"type":"x","id":${number}}`);
    readAny(`{"type":${number}}`);
    readAny(`{"type":"x","payload":${number}}`);
    readAny(number);
  });
});
