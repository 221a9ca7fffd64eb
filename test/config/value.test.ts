import { describe, expect, it } from 'vitest';
import { findOption } from '../../src/config/options.ts';
import { showValue, valueFromText } from '../../src/config/value.ts';

function schemaOf(name: string) {
  return findOption(name)!.schema;
}

describe('valueFromText', () => {
  it.each([
    ['server.port', '9000', 9000],
    ['server.port', '+9000', 9000],
    ['server.port', '-1', -1],
    ['source.simulator.rate', '0.5', 0.5],
    ['source.recording.loop', 'true', true],
    ['source.recording.loop', 'false', false],
    ['source.recording.speed', 'max', 'max'],
    ['source.recording.speed', '2.5', 2.5],
    ['shards', 'auto', 'auto'],
    ['shards', '4', 4],
    ['shards', '400', 400],
    ['source.simulator.types', 'trade', ['trade']],
    ['source.simulator.types', ' trade , depth', ['trade', 'depth']],
    ['conflation.latest', '', []],
    ['server.host', '127.0.0.1', '127.0.0.1'],
    ['admin.token', '12345', '12345'],
    ['log.file', 'true', 'true'],
  ])('reads %s from %j', (name, text, value) => {
    expect(valueFromText(schemaOf(name), text)).toEqual(value);
  });

  it.each(['', ' ', '0x1f90', '1e3', '9000 ', ' 9000', '9_000', '9,000', '.5', '5.', 'NaN', 'Infinity', '--5', '٣'])(
    'leaves %j alone where a number is wanted, for the schema to refuse',
    (text) => {
      expect(valueFromText(schemaOf('server.port'), text)).toBe(text);
      expect(schemaOf('server.port').safeParse(text).success).toBe(false);
    },
  );

  it.each(['', 'TRUE', 'yes', '1', 'on', 'True'])('takes %j for neither true nor false', (text) => {
    expect(valueFromText(schemaOf('dataflow.strict'), text)).toBe(text);
  });
});

describe('showValue', () => {
  it.each([
    ['a', '"a"'],
    ['line\nbreak\u001b[31m', '"line\\nbreak\\u001b[31m"'],
    [5, '5'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [null, 'nothing'],
    [['a', 1], '["a", 1]'],
    [{}, 'a group'],
    [5n, 'a bigint'],
    [() => {}, 'a function'],
  ])('shows %s on one line', (value, shown) => {
    expect(showValue(value)).toBe(shown);
  });

  it('cuts what is long', () => {
    expect(showValue('x'.repeat(100_000)).length).toBeLessThan(100);
    expect(showValue(new Array(100_000).fill('x'.repeat(1_000))).length).toBeLessThan(1_000);
  });
});
