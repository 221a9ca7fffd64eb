import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientAddresses } from '../../src/connection/client-addresses.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { seedOfRun } from '../support/seeded-random.ts';

const PROXY = '10.0.0.1';
const CLIENT = '203.0.113.7';

function reader(trustProxy: readonly string[] = ['10.0.0.0/8', '2001:db8:ffff::/48']) {
  const statistics = new StatisticsBlock(StatisticsBlock.allocate());
  const log = collectingLogger();
  const addresses = new ClientAddresses({ trustProxy, statistics, log });
  return {
    log,
    unusable: () => statistics.get('forwardingHeadersUnusable'),
    of: (remoteAddress: string | undefined, headers: IncomingHttpHeaders = {}) =>
      addresses.of({ socket: { remoteAddress } as Socket, headers } as IncomingMessage),
  };
}

/** What a header says, and whether it was of use. */
function told(headers: IncomingHttpHeaders, peer = PROXY) {
  const { of, unusable } = reader();
  return [of(peer, headers), unusable()];
}

const xff = (text: string) => ({ 'x-forwarded-for': text });

describe('the address of a client', () => {
  it.each([CLIENT, '::ffff:203.0.113.7', '::FFFF:CB00:7107'])('is that of its peer: %s', (peer) => {
    expect(told({}, peer)).toEqual([CLIENT, 0]);
  });

  it('is empty where the peer has gone', () => {
    expect(told(xff(CLIENT), '')).toEqual(['', 0]);
    expect(reader().of(undefined, xff(CLIENT))).toBe('');
  });

  it.each([xff('9.9.9.9'), { forwarded: 'for=9.9.9.9' }, xff('?')])(
    'is not what a peer says that is not trusted: %j',
    (headers) => {
      expect(told(headers, CLIENT)).toEqual([CLIENT, 0]);
      expect(reader([]).of(PROXY, headers)).toBe(PROXY);
    },
  );

  it.each(['10.0.0.1', '10.255.255.255', '::ffff:10.0.0.1', '2001:db8:ffff::1'])('is what %s says', (peer) => {
    expect(told(xff(CLIENT), peer)).toEqual([CLIENT, 0]);
    expect(told({ forwarded: `for=${CLIENT}` }, peer)).toEqual([CLIENT, 0]);
  });

  it.each([
    ['9.9.9.9, 203.0.113.7'],
    ['9.9.9.9, 10.0.0.9, 203.0.113.7'],
    ['203.0.113.7, 10.0.0.9'],
    ['9.9.9.9, 203.0.113.7, 10.0.0.9, 10.0.0.8'],
    ['9.9.9.9, 203.0.113.7, ::ffff:10.0.0.9'],
    ['nonsense, 203.0.113.7'],
  ])('is the first from the right that is not trusted: %s', (text) => {
    expect(told(xff(text))).toEqual([CLIENT, 0]);
  });

  it('is the farthest where all are trusted', () => {
    expect(told(xff('10.0.0.3, 10.0.0.2'))).toEqual(['10.0.0.3', 0]);
  });

  it('is the same in every spelling', () => {
    expect(told(xff('2001:DB8:0:0::7'))).toEqual(['2001:db8::7', 0]);
    expect(told(xff('[2001:db8::7]:4711'))).toEqual(['2001:db8::7', 0]);
  });

  it.each([
    xff('unknown'),
    xff('203.0.113.7, unknown'),
    xff(''),
    { forwarded: 'for=unknown' },
    { forwarded: 'for=203.0.113.7, for=_hidden' },
    { forwarded: 'for="' },
    { forwarded: 'proto=https' },
  ])('is that of the proxy where its header names none, which is counted and logged: %j', (headers) => {
    const { of, unusable, log } = reader();
    expect([of(PROXY, headers), unusable()]).toEqual([PROXY, 1]);
    expect(log.lines).toMatchObject([{ level: 'debug', message: 'WebSocket forwarding header names no client' }]);
  });

  it('is what both headers say, where both are there; not what one of them says that a client may have sent', () => {
    expect(told({ ...xff(CLIENT), forwarded: `for="${CLIENT}:4711"` })).toEqual([CLIENT, 0]);
    expect(told({ ...xff(CLIENT), forwarded: 'for=9.9.9.9' })).toEqual([PROXY, 1]);
    expect(told({ ...xff('9.9.9.9'), forwarded: `for=${CLIENT}` })).toEqual([PROXY, 1]);
    expect(told({ ...xff(CLIENT), forwarded: '"' })).toEqual([PROXY, 1]);
  });
});

describe('whatever a client sends ahead', () => {
  const seed = seedOfRun('forwarding headers');
  const bounds = { seed, numRuns: 2_000, interruptAfterTimeLimit: 3_000 };
  const junk = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
    fc
      .array(fc.constantFrom('for=', '"', ',', ';', '\\', '9.9.9.9', '10.0.0.9', '[::1]', '_x', ' ', 'by='), {
        maxLength: 12,
      })
      .map((parts) => parts.join('')),
  );

  it('stands left of what the proxy adds to X-Forwarded-For', () => {
    fc.assert(
      fc.property(junk, (text) => {
        expect(told(xff(`${text}, ${CLIENT}`))).toEqual([CLIENT, 0]);
      }),
      bounds,
    );
  });

  it.each([`for=${CLIENT}`, `for="${CLIENT}:80";by="_x"`, `by=10.0.0.1;for=${CLIENT};proto=http`])(
    'gets nothing but its own address or the proxy out of Forwarded: %s',
    (added) => {
      fc.assert(
        fc.property(junk, (text) => {
          expect([CLIENT, PROXY]).toContain(told({ forwarded: `${text}, ${added}` })[0]);
        }),
        bounds,
      );
    },
  );
});
