import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Pace } from '../truth/gateway-messages.ts';
import { Market, type MarketOptions } from '../truth/market.ts';
import { isBookData } from '../truth/naive-book.ts';
import { PacedPublisher } from '../truth/paced-publisher.ts';
import { PublicationLog } from '../truth/publication-log.ts';

/** A reader that has so much still to take has stopped. */
const UNSENT_BYTES_MAX = 64 * 1024 ** 2;

/**
 * A collector that several gateways connect to: a made-up market as lines of JSON, each with its number. Every one of them
 * gets every line from when it has connected.
 */
export class Feed {
  /** What was published: the judge's knowledge. */
  readonly log = new PublicationLog();
  /** Connections that were given up since they did not read. */
  cut = 0;
  readonly #market: Market;
  readonly #server: Server;
  readonly #readers = new Set<Socket>();
  readonly #publisher = new PacedPublisher(() => this.#publish());
  #unsent = '';

  static async open(market: MarketOptions): Promise<Feed> {
    const feed = new Feed(market);
    feed.#server.listen(0, '127.0.0.1');
    await once(feed.#server, 'listening');
    return feed;
  }

  private constructor(market: MarketOptions) {
    this.#market = new Market(market);
    this.#server = createServer((socket) => {
      this.#readers.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#readers.delete(socket));
    });
  }

  /** For `source.ndjson.connect`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get readers(): number {
    return this.#readers.size;
  }

  start(pace: Pace): void {
    this.#publisher.start(pace);
  }

  /** @returns number of the last line */
  pause(): number {
    this.#publisher.pause();
    return this.log.total;
  }

  close(): void {
    this.#publisher.pause();
    this.#server.close();
    for (const socket of this.#readers) socket.destroy();
  }

  #publish(): void {
    const { topic, publication } = this.#market.next();
    const { name } = topic;
    const seq = this.log.add(name, name.dataType !== 'depth' || isBookData(publication.data));
    // What is published in one turn goes out in one piece.
    if (this.#unsent === '') queueMicrotask(() => this.#send());
    this.#unsent += `${JSON.stringify({ seq, ...publication })}\n`;
  }

  #send(): void {
    for (const socket of this.#readers) {
      socket.write(this.#unsent);
      if (socket.writableLength <= UNSENT_BYTES_MAX) continue;
      this.cut++;
      socket.destroy();
    }
    this.#unsent = '';
  }
}
