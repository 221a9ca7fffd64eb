import { ChainChecker } from '../../perf/truth/chain-checker.ts';
import { isDataFrame, type WireMessage } from '../../perf/truth/wire-message.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import { GatedSocket } from './gated-socket.ts';
import { textsOf } from './received-frames.ts';
import { connectionOn } from './test-connection.ts';

/** A client of a TestShard, and what it makes of everything that comes; on one connection at a time. */
export class ShardClient {
  socket = new GatedSocket();
  connection: PooledConnection;
  /** Holds what comes, over all connections, against the rules of the wire. */
  readonly checker: ChainChecker;
  readonly #handle: (connection: PooledConnection, text: string) => void;
  #received: WireMessage[] = [];
  #piecesRead = 0;
  #nextId = 1;

  /** @param handle what the gateway does with a message of this client */
  constructor(serial: number, handle: (connection: PooledConnection, text: string) => void) {
    this.connection = connectionOn(this.socket, { serial });
    this.checker = new ChainChecker({ client: `client ${serial}`, isNumbered: true });
    this.#handle = handle;
  }

  /** Everything that has come out at the socket, oldest first. */
  get received(): readonly WireMessage[] {
    const { pieces } = this.socket;
    for (; this.#piecesRead < pieces.length; this.#piecesRead++) {
      for (const text of textsOf(pieces[this.#piecesRead]!)) this.#take(JSON.parse(text) as WireMessage);
    }
    return this.#received;
  }

  /** Data frames, those of a symbol alone where one is named. */
  data(symbol?: string): WireMessage[] {
    return this.received.filter((each) => isDataFrame(each) && (symbol ?? each.payload.symbol) === each.payload.symbol);
  }

  gaps(): Record<string, unknown>[] {
    return this.received.filter(({ type }) => type === 'gap').map(({ payload }) => payload);
  }

  seqs(symbol?: string): number[] {
    return this.data(symbol).map(({ seq }) => seq!);
  }

  /** Writes that carried data, so far. */
  get writes(): number {
    return this.socket.pieces.filter((piece) => textsOf(piece).some((text) => isDataFrame(JSON.parse(text)))).length;
  }

  /** Sends a request. Returns its id; the reply need not have come. */
  send(type: string, payload: Record<string, unknown> = {}): string {
    const id = `request ${this.#nextId++}`;
    this.checker.asked({ type, id, payload });
    this.#handle(this.connection, JSON.stringify({ type, payload, id }));
    return id;
  }

  /** Sends a request and returns what the reply says. */
  ask(type: string, payload: Record<string, unknown> = {}): Record<string, unknown> {
    const reply = this.replyTo(this.send(type, payload));
    if (reply === undefined) throw new Error(`no reply to ${type}`);
    return reply.payload;
  }

  /** The reply to a request, if it has come. */
  replyTo(id: string): WireMessage | undefined {
    return this.received.find((each) => each.id === id);
  }

  /** What the rules of the wire say against all that has come. */
  get problems(): string[] {
    void this.received;
    return this.checker.problems.list();
  }

  /** The connection is gone, and what has not come yet with it. The client goes on with another. */
  reconnect(): void {
    void this.received;
    this.checker.lost();
    this.socket = new GatedSocket();
    this.connection = connectionOn(this.socket, { serial: this.connection.serial });
    this.#received = [];
    this.#piecesRead = 0;
  }

  #take(message: WireMessage): void {
    this.#received.push(message);
    this.checker.take(message);
  }
}
