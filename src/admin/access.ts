import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { errorBody } from './api-error.ts';
import type { ForwardedReply } from './forwarded-request.ts';

/** Who asks. */
export interface Caller {
  /** Of the peer, undefined where there is none. */
  remoteAddress: string | undefined;
  headers: IncomingHttpHeaders;
}

/** Why a caller is not let in. 401: a token would open it; 403: there is none. */
export interface Refusal {
  status: 401 | 403;
  reason: 'notLoopback' | 'forwarded' | 'hostName' | 'crossOrigin' | 'invalidToken';
}

/**
 * The rule of the admin API, for reads and writes alike: a bearer token (RFC 6750) where one is configured, or the
 * machine itself. The machine itself is a loopback peer whose request did not come through a proxy and was not made by
 * somebody else's web page: a page of any site in the operator's browser can reach 127.0.0.1, and by pointing a name of
 * its own there (DNS rebinding) even read what it gets.
 * @param token empty where none is configured
 * @returns undefined where the caller is let in
 */
export function refusal({ remoteAddress, headers }: Caller, token: string): Refusal | undefined {
  const given = bearerToken(headers.authorization);
  if (token !== '' && given !== undefined && isSame(given, token)) return undefined;
  const reason = localProblem(remoteAddress, headers);
  if (reason === undefined) return undefined;
  if (token === '') return { status: 403, reason };
  return { status: 401, reason: given === undefined ? reason : 'invalidToken' };
}

/** What a caller that is not let in gets: the same from a shard as from the primary. */
export function refusalAnswer({ status, reason }: Refusal): ForwardedReply {
  const problem = reason === 'invalidToken' ? ', error="invalid_token"' : '';
  return {
    status,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      ...(status === 401 ? { 'www-authenticate': `Bearer realm="tickcast"${problem}` } : {}),
    },
    body: JSON.stringify(errorBody('UNAUTHORIZED', undefined, { reason })),
  };
}

/** 127.0.0.0/8, ::1, and the former as an IPv4-mapped IPv6 address. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  if (address === '::1') return true;
  const ipv4 = address.toLowerCase().startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return isIP(ipv4) === 4 && ipv4.startsWith('127.');
}

const FORWARDING_HEADERS = new Set([
  'cf-connecting-ip',
  'client-ip',
  'fastly-client-ip',
  'forwarded',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'x-original-host',
  'x-original-url',
  'x-real-ip',
]);

function localProblem(remoteAddress: string | undefined, headers: IncomingHttpHeaders): Refusal['reason'] | undefined {
  if (!isLoopback(remoteAddress)) return 'notLoopback';
  if (Object.keys(headers).some(isForwardingHeader)) return 'forwarded';
  if (!isLocalHost(headers.host)) return 'hostName';
  return isCrossOrigin(headers) ? 'crossOrigin' : undefined;
}

function isForwardingHeader(name: string): boolean {
  return name.startsWith('x-forwarded') || FORWARDING_HEADERS.has(name);
}

/** A literal address or a name that resolvers keep on this machine (RFC 6761 §6.3). HTTP/1.0 may leave it out. */
function isLocalHost(host: string | undefined): boolean {
  if (host === undefined || host === '') return true;
  const name = hostName(host);
  if (name === undefined) return false;
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
}

/** The host without its port and brackets, in lower case; undefined when it is none. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** What browsers say of a request that another site's page has caused: Fetch Metadata, and Origin (RFC 6454). */
function isCrossOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return origin.toLowerCase().replace(/^https?:\/\//, '') !== (host ?? '').toLowerCase();
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([!-~]+) *$/i.exec(authorization ?? '')?.[1];
}

/** In a time that tells nothing about where the two differ, nor how long the right one is. */
function isSame(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
