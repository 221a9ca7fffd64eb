import { describe, expect, it } from 'vitest';
import { ID_LENGTH_MAX, isProblem, readClientMessage } from '../../src/connection/client-message.ts';

describe('readClientMessage', () => {
  it.each([
    ['ping'],
    ['{"type":"ping"}'],
    ['{"type":"ping","timestamp":"2024-01-01T00:00:00.000Z"}'],
    ['{"action":"ping"}'],
    ['{"op":"ping"}'],
    ['{"method":"ping"}'],
    [' {"type":"ping"}\n'],
  ])('takes %j for a ping (T10)', (text) => {
    expect(readClientMessage(text)).toMatchObject({ type: 'ping', id: undefined });
  });

  it.each([
    ['{"type":"subscribe","payload":{"symbols":["A"]},"id":7}', 'subscribe', 7, { symbols: ['A'] }],
    ['{"action":"subscribe","payload":{},"id":"a"}', 'subscribe', 'a', {}],
    ['{"method":"ping","id":0}', 'ping', 0, { method: 'ping', id: 0 }],
    ['{"type":"a","action":"b"}', 'a', undefined, { type: 'a', action: 'b' }],
    ['{"type":null,"action":"b"}', 'b', undefined, { type: null, action: 'b' }],
    ['{"type":"subscribe","symbols":["A"]}', 'subscribe', undefined, { type: 'subscribe', symbols: ['A'] }],
    ['{"type":"x","payload":null,"id":null}', 'x', undefined, { type: 'x', payload: null, id: null }],
    [`{"type":"x","payload":{},"id":"${'é'.repeat(ID_LENGTH_MAX)}"}`, 'x', 'é'.repeat(ID_LENGTH_MAX), {}],
    ['{"type":"x","payload":{},"id":-1.5}', 'x', -1.5, {}],
    ['{"type":"x","payload":{},"id":""}', 'x', '', {}],
  ])('reads %s', (text, type, id, payload) => {
    expect(readClientMessage(text)).toEqual({ type, id, payload });
  });

  it.each([
    ['', 'not JSON'],
    ['pong', 'not JSON'],
    ['{', 'not JSON'],
    ['{"type":"ping"', 'not JSON'],
    ['{"type":"ping"}x', 'not JSON'],
    ["{'type':'ping'}", 'not JSON'],
    ['\u0000', 'not JSON'],
    ['"ping"', 'not a JSON object'],
    ['5', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['[]', 'not a JSON object'],
    ['[{"type":"ping"}]', 'not a JSON object'],
    ['{}', '"type"'],
    ['{"type":""}', '"type"'],
    ['{"type":5}', '"type"'],
    ['{"type":{"a":1}}', '"type"'],
    ['{"type":"","action":"ping"}', '"type"'],
    ['{"op":"subscribe"}', '"type"'],
    ['{"method":["ping"]}', '"type"'],
    ['{"__proto__":{"type":"ping"}}', '"type"'],
    ['{"type":"subscribe","payload":[]}', '"payload"'],
    ['{"type":"subscribe","payload":"x"}', '"payload"'],
    ['{"type":"subscribe","payload":5}', '"payload"'],
    ['{"type":"ping","id":{}}', '"id"'],
    ['{"type":"ping","id":true}', '"id"'],
    ['{"type":"ping","id":[1]}', '"id"'],
    [`{"type":"ping","id":"${'x'.repeat(ID_LENGTH_MAX + 1)}"}`, '"id"'],
    // Read as Infinity, which has no JSON: the reply could not name it.
    ['{"type":"ping","id":1e400}', '"id"'],
  ])('refuses %j (T21)', (text, problem) => {
    const message = readClientMessage(text);
    if (!isProblem(message)) throw new Error('it was read');
    expect(message.problem).toContain(problem);
    expect(message.id).toBeUndefined();
  });

  it.each(['{"type":5,"id":7}', '{"id":7}', '{"type":"x","payload":[],"id":7}'])(
    'finds the id of %s all the same',
    (text) => {
      expect(readClientMessage(text)).toEqual({ problem: expect.any(String), id: 7 });
    },
  );
});
