/**
 * What the servers that Tickcast is compared with have in common: a market that publishes what the gateway's simulator
 * does (the same envelope, rate and size, and in `data.ts` the µs at which each publication was due), filters, and a
 * file that tells what they have published so far. How they deliver is their own.
 *
 * options of each: --port 9000 --rate 1000 --symbols 1 --payload-bytes 200 [--published FILE]
 */
import { openSync, writeSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { nowUs } from '../../src/util/clock.ts';

const EXCHANGE = 'binance';
const TICK_MS = 1;
/** After a stall at most this much is made up for, as in the gateway's simulator. */
const CATCH_UP_US = 1_000_000;
/** These servers queue without bound for clients that cannot be served; the machine is shared. */
const RESIDENT_MIB_MAX = 4_096;
const SAMPLE_US = 20_000;

export interface Filter {
  exchange?: string[];
  symbols?: string[];
  dataTypes?: string[];
}

/** One publication, as all of these servers send it. */
export interface MarketMessage {
  type: string;
  payload: Record<string, unknown>;
  timestamp: number;
  seq: number;
  prevSeq: number;
}

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9000' },
    rate: { type: 'string', default: '1000' },
    symbols: { type: 'string', default: '1' },
    'payload-bytes': { type: 'string', default: '200' },
    published: { type: 'string', default: '/dev/null' },
    deflate: { type: 'boolean', default: false },
  },
});
const rate = Number(values.rate);
const symbolCount = Number(values.symbols);
const payloadBytes = Number(values['payload-bytes']);

/** Whether permessage-deflate was asked for. */
export const isDeflating = values.deflate;

/** Whether a client with these filters gets a trade of this symbol. @param filters undefined: it never sent one */
export function wants(filters: readonly Filter[] | undefined, symbol: string): boolean {
  if (filters === undefined) return true;
  return filters.some(
    (filter) =>
      (!filter.exchange?.length || filter.exchange.includes(EXCHANGE)) &&
      (!filter.symbols?.length || filter.symbols.includes(symbol)) &&
      (!filter.dataTypes?.length || filter.dataTypes.includes('trade')),
  );
}

export function welcome(): { type: string; payload: object; timestamp: number } {
  return { type: 'welcome', payload: {}, timestamp: Date.now() };
}

export function subscribed(filter: Filter): { type: string; payload: { filter: Filter }; timestamp: number } {
  return { type: 'subscribed', payload: { filter }, timestamp: Date.now() };
}

const previousSequence = new Map<string, number>();
let sequence = 0;
/**
 * A line for each look: µs since the epoch, how many had been published. Not asked for over the network, since a server
 * that cannot keep up would not answer for half a minute.
 */
const publishedFile = openSync(values.published, 'w');

function messageOf(symbol: string, index: number, dueUs: number): MarketMessage {
  const timestamp = Math.floor(dueUs / 1000);
  const price = 100 + (index % 1000) / 100;
  const side = index % 2 ? 'sell' : 'buy';
  const data = { ts: dueUs, id: String(index), price, quantity: 1.5, side, timestamp, pad: '' };
  const publication = { type: 'trade', exchange: EXCHANGE, symbol, timestamp, data };
  data.pad = 'x'.repeat(Math.max(0, payloadBytes - JSON.stringify(publication).length));
  const payload = { ...publication, price: String(price), volume: String(data.quantity), side };
  const prevSeq = previousSequence.get(symbol) ?? 0;
  previousSequence.set(symbol, ++sequence);
  return { type: 'trade', payload, timestamp: Date.now(), seq: sequence, prevSeq };
}

/** Answers what is no WebSocket. */
export function answer(request: IncomingMessage, response: ServerResponse): void {
  response.statusCode = request.url === '/api/websocket/health' ? 200 : 404;
  response.end('{"status":"healthy"}');
}

/** Listens, and calls `publish` for each publication when it is due, until the process is told to end. */
export function run(server: Server, publish: (message: MarketMessage, symbol: string) => void): void {
  const stepUs = 1_000_000 / rate;
  let nextIndex = 0;
  let nextDueUs = nowUs();
  let nextSampleUs = 0;
  const publishDue = () => {
    const now = nowUs();
    nextDueUs = Math.max(nextDueUs, now - CATCH_UP_US);
    for (; nextDueUs <= now; nextDueUs += stepUs) {
      const symbol = `SYM${nextIndex % symbolCount}`;
      publish(messageOf(symbol, nextIndex++, Math.round(nextDueUs)), symbol);
      if (nextDueUs < nextSampleUs) continue;
      nextSampleUs = nextDueUs + SAMPLE_US;
      writeSync(publishedFile, `${nowUs()} ${sequence}\n`);
    }
  };
  if (rate > 0) setInterval(publishDue, TICK_MS);
  setInterval(() => {
    if (process.memoryUsage.rss() < RESIDENT_MIB_MAX * 1024 ** 2) return;
    console.error(`more than ${RESIDENT_MIB_MAX} MiB resident`);
    process.exit(1);
  }, 250).unref();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
  server.listen({ port: Number(values.port), host: '127.0.0.1', backlog: 4_096 });
}
