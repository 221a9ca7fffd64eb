import { describe, expect, it } from 'vitest';
import { canonicalAddress, familyOf, parseAddressRange } from '../../src/util/ip-address.ts';

describe('canonicalAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
  ])('spells %s as %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  it.each(['', 'unknown', 'localhost', '192.0.2', '192.0.2.256', '010.0.0.1', '192.0.2.1:80', '[::1]', ':::', ' ::1'])(
    'takes %j for no address',
    (text) => {
      expect(canonicalAddress(text)).toBeUndefined();
    },
  );
});

describe('familyOf', () => {
  it.each([
    ['192.0.2.1', 'ipv4'],
    ['2001:db8::1', 'ipv6'],
    ['::1', 'ipv6'],
  ] as const)('is of %s: %s', (address, family) => {
    expect(familyOf(address)).toBe(family);
  });
});

describe('parseAddressRange', () => {
  it.each([
    ['192.0.2.1', 'ipv4', '192.0.2.1', 32],
    ['10.0.0.0/8', 'ipv4', '10.0.0.0', 8],
    ['10.1.2.3/8', 'ipv4', '10.1.2.3', 8],
    ['0.0.0.0/0', 'ipv4', '0.0.0.0', 0],
    ['::1', 'ipv6', '::1', 128],
    ['2001:DB8::/32', 'ipv6', '2001:db8::', 32],
    ['::ffff:192.0.2.1', 'ipv4', '192.0.2.1', 32],
    ['::ffff:10.0.0.0/104', 'ipv4', '10.0.0.0', 8],
  ] as const)('reads %s', (text, family, address, prefixBits) => {
    expect(parseAddressRange(text)).toEqual({ family, address, prefixBits });
  });

  it.each([
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '10.0.0/8',
    '010.0.0.0/8',
    '2001:db8::/129',
    '::ffff:10.0.0.0/95',
    'fe80::1%eth0',
    'localhost',
    '*',
  ])('refuses %j', (text) => {
    expect(parseAddressRange(text)).toBeUndefined();
  });
});
