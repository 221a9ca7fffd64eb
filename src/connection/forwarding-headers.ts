import { isIP } from 'node:net';
import { canonicalAddress } from '../util/ip-address.ts';

/** The addresses that a forwarding header names, client first; undefined stands for a hop without an address. */
export type Hops = readonly (string | undefined)[];

/** An address in brackets or without colons, and perhaps a port, which may be hidden too: RFC 7239 §6. */
const NODE = /^(?:\[([^\]]+)\]|([^[\]:]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** A pair of RFC 7239 §4. What needs quotes there, such as a port, is also taken without. */
const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))/y;
const BLANK = /[ \t]*/y;

/** Of `X-Forwarded-For`: addresses between commas, IPv6 with or without brackets, with or without a port. */
export function hopsOfXForwardedFor(text: string): Hops {
  return text
    .split(',')
    .map((term) => term.trim())
    .filter((term) => term !== '') // RFC 9110 §5.6.1: an empty element of a list is none
    .map(addressOf);
}

/**
 * Of `Forwarded` (RFC 7239): the `for` of each element. `unknown` and hidden identifiers are hops without an address.
 * @returns undefined where the header is not in the format, as when a client has sent half of one to be completed
 */
export function hopsOfForwarded(text: string): Hops | undefined {
  const elements: Map<string, string>[] = [new Map()];
  for (let at = 0; ; at++) {
    PAIR.lastIndex = at;
    const pair = PAIR.exec(text);
    const [, name = '', quoted, plain = ''] = pair ?? [];
    const element = elements.at(-1)!;
    if (pair !== null) {
      if (element.has(name.toLowerCase())) return undefined;
      element.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain);
      at = PAIR.lastIndex;
    }
    BLANK.lastIndex = at;
    at += BLANK.exec(text)![0].length;
    if (at >= text.length) break;
    if (text[at] === ',') elements.push(new Map());
    else if (text[at] !== ';') return undefined;
  }
  return elements.filter((element) => element.size > 0).map((element) => addressOf(element.get('for') ?? ''));
}

function addressOf(node: string): string | undefined {
  if (isIP(node) !== 0) return canonicalAddress(node);
  const [, inBrackets, plain] = NODE.exec(node) ?? [];
  if (inBrackets !== undefined) return isIP(inBrackets) === 6 ? canonicalAddress(inBrackets) : undefined;
  return plain === undefined ? undefined : canonicalAddress(plain);
}
