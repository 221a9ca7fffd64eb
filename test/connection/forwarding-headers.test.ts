import { describe, expect, it } from 'vitest';
import { hopsOfForwarded, hopsOfXForwardedFor } from '../../src/connection/forwarding-headers.ts';

describe('X-Forwarded-For', () => {
  it.each([
    ['203.0.113.7', ['203.0.113.7']],
    ['203.0.113.7, 10.0.0.1', ['203.0.113.7', '10.0.0.1']],
    ['203.0.113.7,10.0.0.1', ['203.0.113.7', '10.0.0.1']],
    ['203.0.113.7:4711', ['203.0.113.7']],
    ['2001:DB8::7', ['2001:db8::7']],
    ['[2001:db8::7]', ['2001:db8::7']],
    ['[2001:db8::7]:4711', ['2001:db8::7']],
    ['::ffff:203.0.113.7', ['203.0.113.7']],
    [' , 203.0.113.7, ', ['203.0.113.7']],
    ['', []],
    ['unknown, 203.0.113.7', [undefined, '203.0.113.7']],
    ['a.example, 1.2.3, [203.0.113.7], "203.0.113.7"', [undefined, undefined, undefined, undefined]],
    ['203.0.113.7:port, 203.0.113.7:123456, 203.0.113.7:', [undefined, undefined, undefined]],
  ])('%j has the hops %j', (text, hops) => {
    expect(hopsOfXForwardedFor(text)).toEqual(hops);
  });
});

describe('Forwarded', () => {
  it.each([
    ['for=203.0.113.7', ['203.0.113.7']],
    ['For="203.0.113.7:4711"', ['203.0.113.7']],
    ['for=203.0.113.7:4711', ['203.0.113.7']],
    ['for="[2001:DB8::7]:4711"', ['2001:db8::7']],
    ['for="[2001:db8::7]"', ['2001:db8::7']],
    ['for="203.0.113.7:_port"', ['203.0.113.7']],
    ['for="\\203.0.113.7"', ['203.0.113.7']],
    ['for=203.0.113.7;proto=https;by=10.0.0.1, for=10.0.0.2', ['203.0.113.7', '10.0.0.2']],
    ['proto=https;for=203.0.113.7 , for="10.0.0.2"', ['203.0.113.7', '10.0.0.2']],
    ['host="a, for=1.1.1.1";for=203.0.113.7', ['203.0.113.7']],
    [', for=203.0.113.7,,', ['203.0.113.7']],
    ['for=unknown, for=_hidden, for="_SEVKISEK"', [undefined, undefined, undefined]],
    ['proto=https, for=203.0.113.7', [undefined, '203.0.113.7']],
    ['for=, for=203.0.113.7', [undefined, '203.0.113.7']],
    ['', []],
  ])('%j has the hops %j', (text, hops) => {
    expect(hopsOfForwarded(text)).toEqual(hops);
  });

  it.each([
    '203.0.113.7',
    'for',
    'for 203.0.113.7',
    'for=203.0.113.7 for=10.0.0.2',
    'for=203.0.113.7;for=10.0.0.2',
    'for="203.0.113.7',
    // What a client has begun, and a proxy has completed.
    'for=9.9.9.9;by=", for="[2001:db8::7]:4711"',
    'for="x, for="[2001:db8::7]"',
    'for=9.9.9.9;host=", for=203.0.113.7;proto=http',
  ])('%j is not in the format', (text) => {
    expect(hopsOfForwarded(text)).toBeUndefined();
  });

  it('is read in a time that grows with its length only', () => {
    const length = 1024 * 1024;
    for (const part of ['"', '\\"', 'for="', ';', ',', ' ', 'a', 'a=', 'a="b";']) {
      hopsOfForwarded(part.repeat(length / part.length));
    }
  });
});
