import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';

/** A collector that several gateways connect to: each of them gets the same lines, and every line its number. */
export class NumberedFeed {
  /** Number of the newest line. */
  seq: number;
  epoch: string | undefined;
  #server: Server | undefined;
  #port = 0;
  readonly #readers: { socket: Socket; held: string[] | undefined }[] = [];

  private constructor(seq: number) {
    this.seq = seq;
  }

  /** @param seq number that the first line follows */
  static async open(seq = 0): Promise<NumberedFeed> {
    const feed = new NumberedFeed(seq);
    await feed.listen();
    onTestFinished(() => feed.stop());
    return feed;
  }

  /** Listens, again on the port it had. */
  async listen(): Promise<void> {
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      this.#readers.push({ socket, held: undefined });
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** For `source.ndjson.connect`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Gateways that are connected now. */
  get connected(): number {
    return this.#readers.filter(({ socket }) => !socket.destroyed).length;
  }

  readonly publish = (publication: Publication): void => {
    const { epoch } = this;
    this.write({ ...publication, seq: ++this.seq, ...(epoch === undefined ? {} : { epoch }) });
  };

  /** Writes any line. */
  write(line: object): void {
    const text = `${JSON.stringify(line)}\n`;
    for (const { socket, held } of this.#readers) {
      if (held === undefined) socket.write(text);
      else held.push(text);
    }
  }

  /** What the gateway that connected as the n-th is to get waits, until `release`. */
  hold(n: number): void {
    this.#readers[n]!.held = [];
  }

  release(n: number): void {
    const reader = this.#readers[n]!;
    reader.socket.write((reader.held ?? []).join(''));
    reader.held = undefined;
  }

  /** Ends the connection of the gateway that connected as the n-th. */
  cut(n: number): void {
    this.#readers[n]!.socket.destroy();
  }

  /** As a feed that dies. */
  stop(): void {
    this.#server?.close();
    for (const { socket } of this.#readers) socket.destroy();
  }
}
