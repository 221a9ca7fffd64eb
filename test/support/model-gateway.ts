import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Pace } from '../../perf/truth/gateway-messages.ts';
import type { ServerUnderTest } from '../../perf/truth/gateway-under-test.ts';
import { Market, type MarketOptions } from '../../perf/truth/market.ts';
import { isBookData, NaiveBook } from '../../perf/truth/naive-book.ts';
import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import { PacedPublisher } from '../../perf/truth/paced-publisher.ts';
import { topicKey, type WireMessage } from '../../perf/truth/wire-message.ts';
import { type Fault, ModelConnection, type ModelRecord } from './model-connection.ts';

const EPOCH = 'model';
const HISTORY_MAX = 3_000;
const FLUSH_EVERY_MS = 7;
/** Of a connection that the model takes for congested; it does not look at what the client really reads. */
const CONGESTED_ODDS = 3;

/**
 * A gateway that keeps the promises of the protocol in the simplest way there is, or breaks one of them: what the harness is tested
 * with. Its clients and its source are in one thread with it.
 */
export class ModelGateway implements ServerUnderTest {
  readonly #http = createServer();
  readonly #server = new WebSocketServer({ server: this.#http, path: '/ws' });
  readonly #market: Market;
  readonly #publisher = new PacedPublisher(() => this.#publish());
  readonly #connections = new Map<WebSocket, ModelConnection>();
  readonly #history: ModelRecord[] = [];
  readonly #latest = new Map<string, ModelRecord>();
  readonly #books = new Map<string, NaiveBook>();
  readonly #fault: Fault | undefined;
  #filterIds = 0;
  #flushing: NodeJS.Timeout | undefined;

  constructor(market: MarketOptions, fault: Fault | undefined) {
    this.#market = new Market(market);
    this.#fault = fault;
    this.#server.on('connection', (socket, request) => this.#connected(socket, request.url !== '/ws'));
  }

  static async start(market: MarketOptions, fault?: Fault): Promise<ModelGateway> {
    const gateway = new ModelGateway(market, fault);
    gateway.#http.listen(0, '127.0.0.1');
    await once(gateway.#http, 'listening');
    gateway.#flushing = setInterval(() => gateway.#flush(), FLUSH_EVERY_MS);
    return gateway;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  publish(pace: Pace): void {
    this.#publisher.start(pace);
  }

  async pause(): Promise<number> {
    this.#publisher.pause();
    return this.#history.length;
  }

  /** A crash costs some of the connections. */
  fail(): void {
    for (const socket of this.#connections.keys()) if (Math.random() < 0.5) socket.terminate();
  }

  async stop(): Promise<void> {
    clearInterval(this.#flushing);
    this.#publisher.pause();
    for (const socket of this.#connections.keys()) socket.terminate();
    this.#http.close();
    await once(this.#http, 'close');
  }

  output(): string {
    return '';
  }

  #publish(): void {
    const { topic, publication } = this.#market.next();
    const key = topicKey(topic.name);
    const prevSeq = this.#latest.get(key)?.seq ?? 0;
    const record = { key, name: topic.name, seq: this.#history.length + 1, prevSeq, payload: publication };
    this.#history.push(record);
    this.#latest.set(key, record);
    if (isBookData(publication.data)) {
      if (!this.#books.has(key)) this.#books.set(key, new NaiveBook());
      this.#books.get(key)?.apply(publication.data);
    }
    for (const connection of this.#connections.values()) connection.take(record);
  }

  #flush(): void {
    for (const connection of this.#connections.values()) {
      if (!connection.isCongested) connection.flush(Number.POSITIVE_INFINITY);
      else if (Math.random() < 0.2) connection.flush(3);
      connection.isCongested = Math.random() * CONGESTED_ODDS < (connection.isCongested ? 2 : 0.1);
    }
  }

  #connected(socket: WebSocket, isEmpty: boolean): void {
    const connection = new ModelConnection(socket, !isEmpty, this.#fault);
    this.#connections.set(socket, connection);
    socket.on('error', () => {});
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('message', (data) => this.#asked(socket, connection, JSON.parse(String(data)) as WireMessage));
    this.#reply(socket, 'welcome', { epoch: EPOCH, seq: this.#history.length });
  }

  #asked(socket: WebSocket, connection: ModelConnection, { type, id, payload = {} }: WireMessage): void {
    if (type === 'subscribe') return this.#subscribe(socket, connection, payload, id);
    if (type === 'getLedger') return this.#reply(socket, 'ledger', connection.ledger(EPOCH, this.#history.length), id);
    if (type !== 'unsubscribe') return;
    if (payload.filterId === undefined) connection.filters.clear();
    else connection.filters.delete(payload.filterId as string);
    connection.isFirehose = false;
    connection.withdraw();
    this.#reply(socket, 'unsubscribed', payload, id);
  }

  #subscribe(
    socket: WebSocket,
    connection: ModelConnection,
    { resume, snapshot, ...filter }: Record<string, unknown>,
    id: WireMessage['id'],
  ): void {
    const had = (record: ModelRecord) => connection.wants(record.name);
    const newTopics = [...this.#latest.values()].filter((record) => !had(record));
    const isShared = [...this.#latest.values()].some(had);
    const filterId = `f${++this.#filterIds}`;
    connection.filters.set(filterId, filter as GivenFilter);
    connection.isFirehose = false;
    connection.withdraw();
    const brought = newTopics.filter((record) => connection.wants(record.name));
    const seq = this.#history.length;
    const replayed = this.#replayOf(resume as { seq: number } | undefined, brought, isShared && brought.length > 0);
    const outcome =
      replayed === undefined
        ? {}
        : typeof replayed === 'string'
          ? { resumed: false, reason: replayed }
          : { resumed: true, replayed: replayed.length };
    this.#reply(socket, 'subscribed', { filterId, filter, seq, ...outcome }, id);
    if (Array.isArray(replayed)) connection.replay(replayed);
    else if (snapshot === true || replayed !== undefined)
      for (const record of brought) this.#snapshot(connection, record);
  }

  /** @returns what is to be replayed, why nothing is, or undefined where nothing was asked for */
  #replayOf(resume: { seq: number } | undefined, brought: readonly ModelRecord[], isShared: boolean) {
    if (resume === undefined) return undefined;
    if (isShared) return 'ALREADY_SUBSCRIBED';
    if (this.#history.length - resume.seq > HISTORY_MAX) return 'HISTORY_TOO_SHORT';
    const keys = new Set(brought.map(({ key }) => key));
    return this.#history.slice(resume.seq).filter(({ key }) => keys.has(key));
  }

  #snapshot(connection: ModelConnection, record: ModelRecord): void {
    const type = record.name.dataType ?? '';
    const book = this.#books.get(record.key);
    if (book !== undefined) {
      const data = { ...book.levels(), isSnapshot: true };
      connection.snapshot({ ...record, payload: { ...record.payload, data } });
    } else if (type === 'ticker' || type.startsWith('kline')) connection.snapshot(record);
  }

  #reply(socket: WebSocket, type: string, payload: object, id?: WireMessage['id']): void {
    socket.send(JSON.stringify({ type, payload, timestamp: 1, ...(id === undefined ? {} : { id }) }));
  }
}
