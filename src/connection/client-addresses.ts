import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import type { Logger } from '../telemetry/logger.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { canonicalAddress, familyOf, parseAddressRange } from '../util/ip-address.ts';
import { type Hops, hopsOfForwarded, hopsOfXForwardedFor } from './forwarding-headers.ts';

export interface ClientAddressesParts {
  /** `server.trustProxy`: ranges that the schema has let through. */
  trustProxy: readonly string[];
  statistics: StatisticsBlock;
  log: Logger;
}

/** How much of a header that cannot be used is logged, characters. */
const LOGGED_MAX = 200;

/**
 * Where a client is: its peer's address, unless the peer is a proxy that is trusted to say whom it speaks for. What others
 * put into the header stands left of what the proxy has added, so it is read from the right, past proxies that are trusted
 * too, and the first address that is not is the client's.
 */
export class ClientAddresses {
  readonly #trusted = new BlockList();
  readonly #trustsNobody: boolean;
  readonly #statistics: StatisticsBlock;
  readonly #log: Logger;

  constructor({ trustProxy, statistics, log }: ClientAddressesParts) {
    for (const { address, prefixBits, family } of trustProxy.map((range) => parseAddressRange(range)!)) {
      this.#trusted.addSubnet(address, prefixBits, family);
    }
    this.#trustsNobody = trustProxy.length === 0;
    this.#statistics = statistics;
    this.#log = log;
  }

  /** Canonical; empty where the peer is gone already. A header that names no client leaves it at the peer's. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const peer = canonicalAddress(socket.remoteAddress ?? '') ?? '';
    if (this.#trustsNobody || !this.#isTrusted(peer) || !isForwarded(headers)) return peer;
    const client = this.#forwardedClient(headers);
    if (client === undefined) this.#unusable(peer, headers);
    return client ?? peer;
  }

  /**
   * A proxy sets one of the two headers and may pass on the other as the client sent it. Which one is not known here, so
   * where both are there, they have to agree.
   */
  #forwardedClient(headers: IncomingHttpHeaders): string | undefined {
    const { forwarded, 'x-forwarded-for': xForwardedFor } = headers;
    const clients = new Set<string | undefined>();
    if (xForwardedFor !== undefined) clients.add(this.#clientOf(hopsOfXForwardedFor(String(xForwardedFor))));
    if (forwarded !== undefined) clients.add(this.#clientOf(hopsOfForwarded(forwarded)));
    return clients.size === 1 ? [...clients][0] : undefined;
  }

  /** Where all of them are trusted, the farthest one is the client: a machine of our own. */
  #clientOf(hops: Hops = []): string | undefined {
    for (const hop of hops.toReversed()) {
      if (hop === undefined || !this.#isTrusted(hop)) return hop;
    }
    return hops[0];
  }

  #isTrusted(address: string): boolean {
    return address !== '' && this.#trusted.check(address, familyOf(address));
  }

  #unusable(peer: string, { forwarded, 'x-forwarded-for': xForwardedFor }: IncomingHttpHeaders): void {
    this.#statistics.add('forwardingHeadersUnusable');
    const shown = { xForwardedFor: cut(xForwardedFor), forwarded: cut(forwarded) };
    this.#log.debug({ peer, ...shown }, 'WebSocket forwarding header names no client');
  }
}

function isForwarded(headers: IncomingHttpHeaders): boolean {
  return headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
}

function cut(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).slice(0, LOGGED_MAX);
}
