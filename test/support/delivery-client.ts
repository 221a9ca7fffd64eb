import { ChainChecker } from '../../perf/truth/chain-checker.ts';
import { isDataFrame, type WireMessage } from '../../perf/truth/wire-message.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import { GatedSocket } from './gated-socket.ts';
import { textsOf } from './received-frames.ts';
import { connectionOn } from './test-connection.ts';

type Json = Record<string, unknown>;

let clients = 0;

/** A client of a shard, over one connection after another; each message that reaches it is held against the rules of the wire. */
export class DeliveryClient {
  readonly checker = new ChainChecker({ client: `client ${++clients}` });
  /** All that has come on this connection, oldest first. */
  readonly received: WireMessage[] = [];
  socket = new GatedSocket();
  connection!: PooledConnection;
  readonly #handle: (connection: PooledConnection, text: string) => void;
  #piecesRead = 0;
  #requests = 0;

  /** @param handle what the shard does with a message */
  constructor(handle: (connection: PooledConnection, text: string) => void) {
    this.#handle = handle;
  }

  connecting(serial: number, isFirehose: boolean, welcome: { epoch: string; seq: number }): void {
    this.socket = new GatedSocket();
    this.connection = connectionOn(this.socket, { serial });
    this.received.length = 0;
    this.#piecesRead = 0;
    this.checker.connecting(isFirehose);
    this.checker.take({ type: 'welcome', payload: { ...welcome }, timestamp: 0 });
  }

  /** Sends a request. Returns its id; the reply need not have come. */
  send(type: string, payload: Json = {}): string {
    const id = `r${++this.#requests}`;
    this.checker.asked({ type, id, payload });
    this.#handle(this.connection, JSON.stringify({ type, id, payload }));
    this.read();
    return id;
  }

  /** As `send`; returns what the reply says. */
  ask(type: string, payload: Json = {}): Json {
    const id = this.send(type, payload);
    const reply = this.reply(id);
    if (reply === undefined) throw new Error(`there is no reply to ${type} yet`);
    return reply;
  }

  reply(id: string): Json | undefined {
    return this.read().find((each) => each.id === id)?.payload;
  }

  /** Takes what has come out at the socket. Returns all that came on this connection. */
  read(): readonly WireMessage[] {
    const { pieces } = this.socket;
    for (; this.#piecesRead < pieces.length; this.#piecesRead++) {
      for (const text of textsOf(pieces[this.#piecesRead]!)) {
        const message = JSON.parse(text) as WireMessage;
        this.received.push(message);
        this.checker.take(message);
      }
    }
    return this.received;
  }

  /** Data frames and gaps that have come on this connection, in short. */
  told(symbol?: string): string[] {
    return this.read()
      .filter(({ type, payload }) => type === 'gap' || payload.symbol !== undefined)
      .filter(({ payload }) => symbol === undefined || payload.symbol === symbol)
      .map(inShort);
  }

  get problems(): string[] {
    this.read();
    return this.checker.problems.list();
  }
}

/** `ETH 3-5 slow_consumer` for a gap, `ETH 7 <4` for a frame behind 4, with what else stands in its tail. */
export function inShort(message: WireMessage): string {
  const { payload, prevSeq, merged, snapshot, resumeSeq, seq } = message;
  const { symbol, fromSeq, toSeq, count, reason } = payload;
  if (!isDataFrame(message)) return `${symbol} ${fromSeq}-${toSeq} ${count} ${reason}`;
  const tail = [`${symbol} ${seq} <${prevSeq}`];
  if (merged !== undefined) tail.push(`+${merged}`);
  if (snapshot) tail.push('snapshot');
  if (resumeSeq !== undefined) tail.push(`resume ${resumeSeq}`);
  return tail.join(' ');
}
