import { isIP, SocketAddress } from 'node:net';

/** Addresses whose first `prefixBits` bits are those of `address`. */
export interface AddressRange {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly prefixBits: number;
}

const IPV4_BITS = 32;
const IPV6_BITS = 128;
/** Bits before the IPv4 address in an IPv4-mapped IPv6 address: RFC 4291 §2.5.5.2. */
const MAPPED_BITS = IPV6_BITS - IPV4_BITS;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * The one spelling of an address, so that the same client is the same text: IPv4 that is mapped into IPv6 is IPv4, IPv6 is
 * short and in lower case (RFC 5952), without the zone of a link.
 * @returns undefined for what is no address
 */
export function canonicalAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version !== 6) return version === 4 ? text : undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return MAPPED.exec(address)?.[1] ?? address;
}

/** The family of a canonical address. */
export function familyOf(address: string): AddressRange['family'] {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone. Bits behind the prefix mean nothing.
 * @returns undefined for what is none of them
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, given = '', prefix] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const address = canonicalAddress(given);
  if (address === undefined) return undefined;
  const family = familyOf(address);
  const isMapped = family === 'ipv4' && given.includes(':');
  const bitsMax = family === 'ipv4' ? IPV4_BITS : IPV6_BITS;
  const prefixBits = prefix === undefined ? bitsMax : Number(prefix) - (isMapped ? MAPPED_BITS : 0);
  return prefixBits < 0 || prefixBits > bitsMax ? undefined : { family, address, prefixBits };
}
