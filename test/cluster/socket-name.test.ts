import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSocketName, parseSocketName } from '../../src/cluster/socket-name.ts';

describe('the name of a socket', () => {
  it('is read as it was written', () => {
    const whole = (max: number) => fc.integer({ min: 0, max });
    const names = fc.record({
      port: whole(65_535),
      process: whole(4_194_304),
      pid: whole(4_194_304),
      birth: whole(2 ** 50),
      serial: whole(999_999),
    });
    fc.assert(
      fc.property(names, (name) => {
        expect(parseSocketName(formatSocketName(name))).toEqual(name);
      }),
    );
  });

  it.each([
    '',
    'lost+found',
    '8080.0.1.a.1',
    '8080.0.1.a.sock',
    '8080.0.1.A.1.sock',
    '8080.0.-1.a.1.sock',
    '../8080.0.1.a.1.sock',
    '8080.0.1.a.1.sock.living',
    '8080.0.99999999999.a.1.sock',
  ])('is not %j', (file) => {
    expect(parseSocketName(file)).toBeUndefined();
  });
});
