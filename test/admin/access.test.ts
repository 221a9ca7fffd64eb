import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isLoopback, refusal } from '../../src/admin/access.ts';

const TOKEN = 's3cret-t0ken';

function local(headers: IncomingHttpHeaders = {}, token = '') {
  return refusal({ remoteAddress: '127.0.0.1', headers: { host: '127.0.0.1:8080', ...headers } }, token);
}

function remote(headers: IncomingHttpHeaders = {}, token = '') {
  return refusal({ remoteAddress: '192.0.2.7', headers: { host: '192.0.2.1:8080', ...headers } }, token);
}

describe('loopback', () => {
  it.each(['127.0.0.1', '127.1.2.3', '127.255.255.255', '::1', '::ffff:127.0.0.1', '::FFFF:127.9.9.9'])(
    'is %s',
    (address) => {
      expect(isLoopback(address)).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    'unknown',
    '128.0.0.1',
    '12.7.0.1',
    '127.evil.example',
    '127.0.0.1.evil.example',
    '::2',
    '::ffff:10.0.0.1',
    '2001:db8::127.0.0.1',
    'fe80::1',
    'localhost',
  ])('is not %s', (address) => {
    expect(isLoopback(address)).toBe(false);
  });
});

describe('a caller without a token', () => {
  it('is let in from loopback', () => {
    expect(local()).toBeUndefined();
    expect(local({}, TOKEN)).toBeUndefined();
  });

  it('is refused from elsewhere, and told whether a token would help', () => {
    expect(remote()).toEqual({ status: 403, reason: 'notLoopback' });
    expect(remote({}, TOKEN)).toEqual({ status: 401, reason: 'notLoopback' });
  });

  it.each([
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded',
    'x-real-ip',
    'via',
    'cf-connecting-ip',
    'true-client-ip',
  ])('is refused when a proxy has added %s, whatever it says', (header) => {
    expect(local({ [header]: '127.0.0.1' })).toEqual({ status: 403, reason: 'forwarded' });
    expect(local({ [header]: '' })).toEqual({ status: 403, reason: 'forwarded' });
  });
});

describe('the host of a loopback request', () => {
  it.each([
    undefined,
    '',
    'localhost',
    'LocalHost:8080',
    'gateway.localhost:8080',
    '127.0.0.1',
    '[::1]:8080',
    '[::1]',
    '192.0.2.1:8080',
  ])('may be %s', (host) => {
    expect(refusal({ remoteAddress: '::1', headers: host === undefined ? {} : { host } }, '')).toBeUndefined();
  });

  it.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    '[::1].evil.example',
    'localhost:8080:1',
    'localhost:',
    ' ',
  ])('may not be the name "%s": it could have been pointed here', (host) => {
    expect(local({ host })).toEqual({ status: 403, reason: 'hostName' });
  });
});

describe('a page in the operator’s browser', () => {
  it.each(['cross-site', 'same-site', 'anything'])('is refused as %s', (site) => {
    expect(local({ 'sec-fetch-site': site })).toEqual({ status: 403, reason: 'crossOrigin' });
  });

  it.each(['same-origin', 'none'])('is let in as %s', (site) => {
    expect(local({ 'sec-fetch-site': site })).toBeUndefined();
  });

  it.each(['https://evil.example', 'null', 'http://127.0.0.1:3000', 'http://localhost:8080', 'file://', ''])(
    'is refused with the origin "%s"',
    (origin) => {
      expect(local({ origin })).toEqual({ status: 403, reason: 'crossOrigin' });
    },
  );

  it('is let in with the gateway’s own origin', () => {
    expect(local({ origin: 'http://127.0.0.1:8080' })).toBeUndefined();
    expect(local({ origin: 'https://127.0.0.1:8080' })).toBeUndefined();
  });
});

describe('a bearer token', () => {
  it.each([
    remote,
    (headers: IncomingHttpHeaders, token: string) => local({ ...headers, via: 'proxy', host: 'evil.example' }, token),
    (headers: IncomingHttpHeaders, token: string) => local({ ...headers, origin: 'https://ops.example' }, token),
  ])('opens the API from anywhere', (ask) => {
    expect(ask({ authorization: `Bearer ${TOKEN}` }, TOKEN)).toBeUndefined();
  });

  it.each([`bearer ${TOKEN}`, `BEARER  ${TOKEN} `])('may be written as "%s"', (authorization) => {
    expect(remote({ authorization }, TOKEN)).toBeUndefined();
  });

  it.each(['Bearer wrong', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, `Bearer ${TOKEN.toUpperCase()}`])(
    'does not open it when it is wrong: %s',
    (authorization) => {
      expect(remote({ authorization }, TOKEN)).toEqual({ status: 401, reason: 'invalidToken' });
    },
  );

  it.each([`Basic ${TOKEN}`, TOKEN, 'Bearer', 'Bearer ', '', `Bearer ${TOKEN} ${TOKEN}`])(
    'is not seen in "%s"',
    (authorization) => {
      expect(remote({ authorization }, TOKEN)).toEqual({ status: 401, reason: 'notLoopback' });
    },
  );

  it.each(['Bearer ', 'Bearer', 'Bearer x', ''])('opens nothing where none is configured: "%s"', (authorization) => {
    expect(remote({ authorization }, '')).toEqual({ status: 403, reason: 'notLoopback' });
  });
});
