/**
 * What Tickcast is compared with: a broadcast server as one writes it with `ws` in an afternoon. One thread, one
 * `send` a client and publication, a look at every client's filters for each. It publishes what the gateway's simulator
 * does: the same envelope, rate and size, and in `data.ts` the µs at which each publication was due.
 *
 * use: node perf/baseline/ws-broadcast.ts --port 9000 --rate 1000 --symbols 1 --payload-bytes 200
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { nowUs } from '../../src/util/clock.ts';

const EXCHANGE = 'binance';
const TICK_MS = 1;
/** After a stall at most this much is made up for, as in the gateway's simulator. */
const CATCH_UP_US = 1_000_000;
/** `ws` queues without bound for clients that cannot be served; the machine is shared. */
const RESIDENT_MIB_MAX = 4_096;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9000' },
    rate: { type: 'string', default: '1000' },
    symbols: { type: 'string', default: '1' },
    'payload-bytes': { type: 'string', default: '200' },
  },
});
const rate = Number(values.rate);
const symbolCount = Number(values.symbols);
const payloadBytes = Number(values['payload-bytes']);

interface Filter {
  exchange?: string[];
  symbols?: string[];
  dataTypes?: string[];
}

/** No entry: the client has never sent a filter and gets everything. */
const filtersOf = new Map<WebSocket, Filter[]>();
const previousSequence = new Map<string, number>();
let sequence = 0;

const server = createServer(answer);
const sockets = new WebSocketServer({ server, path: '/ws', perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.send(JSON.stringify({ type: 'welcome', payload: {}, timestamp: Date.now() }));
  socket.on('message', (data) => onMessage(socket, data));
  socket.on('close', () => filtersOf.delete(socket));
  socket.on('error', () => socket.terminate());
});

function onMessage(socket: WebSocket, data: RawData): void {
  const message = JSON.parse(data.toString());
  if (message.type !== 'subscribe') return;
  filtersOf.set(socket, [...(filtersOf.get(socket) ?? []), message.payload]);
  socket.send(JSON.stringify({ type: 'subscribed', payload: { filter: message.payload }, timestamp: Date.now() }));
}

function wants(socket: WebSocket, symbol: string): boolean {
  const filters = filtersOf.get(socket);
  if (filters === undefined) return true;
  return filters.some(
    (filter) =>
      (!filter.exchange?.length || filter.exchange.includes(EXCHANGE)) &&
      (!filter.symbols?.length || filter.symbols.includes(symbol)) &&
      (!filter.dataTypes?.length || filter.dataTypes.includes('trade')),
  );
}

function publish(index: number, dueUs: number): void {
  const symbol = `SYM${index % symbolCount}`;
  const text = messageText(symbol, index, dueUs);
  for (const socket of sockets.clients) {
    if (socket.readyState === socket.OPEN && wants(socket, symbol)) socket.send(text);
  }
}

function messageText(symbol: string, index: number, dueUs: number): string {
  const timestamp = Math.floor(dueUs / 1000);
  const price = 100 + (index % 1000) / 100;
  const side = index % 2 ? 'sell' : 'buy';
  const data = { ts: dueUs, id: String(index), price, quantity: 1.5, side, timestamp, pad: '' };
  const publication = { type: 'trade', exchange: EXCHANGE, symbol, timestamp, data };
  data.pad = 'x'.repeat(Math.max(0, payloadBytes - JSON.stringify(publication).length));
  const payload = { ...publication, price: String(price), volume: String(data.quantity), side };
  const prevSeq = previousSequence.get(symbol) ?? 0;
  previousSequence.set(symbol, ++sequence);
  return JSON.stringify({ type: 'trade', payload, timestamp: Date.now(), seq: sequence, prevSeq });
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.statusCode = request.url === '/api/websocket/health' ? 200 : 404;
  response.end('{"status":"healthy"}');
}

let nextIndex = 0;
let nextDueUs = nowUs();
const stepUs = 1_000_000 / rate;

function publishDue(): void {
  const now = nowUs();
  nextDueUs = Math.max(nextDueUs, now - CATCH_UP_US);
  for (; nextDueUs <= now; nextDueUs += stepUs) publish(nextIndex++, Math.round(nextDueUs));
}

if (rate > 0) setInterval(publishDue, TICK_MS);
setInterval(() => {
  if (process.memoryUsage.rss() < RESIDENT_MIB_MAX * 1024 ** 2) return;
  console.error(`more than ${RESIDENT_MIB_MAX} MiB resident`);
  process.exit(1);
}, 250).unref();

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
server.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 4_096 });
