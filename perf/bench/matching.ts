/**
 * Matching: what it costs to find who wants a publication, and how that grows with the number of subscribers. Compared
 * with asking every client's filters, as a plain server does. Each client wants two symbols, and each symbol has two
 * clients, however many there are.
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { CommandBudget } from '../../src/connection/command-budget.ts';
import { PooledConnection } from '../../src/connection/pooled-connection.ts';
import { allocateTopicDirectory, TopicDirectoryReader, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import type { FilterTerms } from '../../src/subscription/filter.ts';
import { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { timeCalls } from '../lib/stopwatch.ts';
import type { Row } from '../lib/table.ts';

const EXCHANGE = 'binance';
const TOPICS_ASKED = 64;
const NO_WATCHER = { leaving() {} };

interface Clients {
  manager: SubscriptionManager;
  members: PooledConnection[];
  filters: FilterTerms[];
}

export async function matching({ smoke }: BenchmarkSettings): Promise<BenchmarkResult> {
  const sizes = smoke ? [100, 1_000] : [100, 1_000, 10_000];
  const seconds = smoke ? 0.05 : 1;
  const measured = sizes.map((size) => measure(size, seconds));
  return {
    sections: [{ title: 'Matching one publication', rows: measured.map(({ row }) => row) }],
    details: measured.map(({ row }) => row),
    problems: measured.flatMap(({ problems }) => problems),
  };
}

function measure(size: number, seconds: number): { row: Row; problems: string[] } {
  const clients = createClients(size);
  const { manager, filters } = clients;
  let found = 0;
  const known = timeCalls(seconds, (n) => {
    for (let topic = 0; topic < TOPICS_ASKED; topic++) found += manager.match((topic + n) % TOPICS_ASKED).length;
  });
  const changing = timeCalls(seconds, (n) => changeOne(clients, n));
  const changed = timeCalls(seconds, (n) => {
    if (n % TOPICS_ASKED === 0) changeOne(clients, n / TOPICS_ASKED);
    found += manager.match(n % TOPICS_ASKED).length;
  });
  const plain = timeCalls(seconds, (n) => {
    found += matchPlainly(filters, n % TOPICS_ASKED).length;
  });
  const knownNs = known.nsEach / TOPICS_ASKED;
  const changedNs = Math.max(0, changed.nsEach - changing.nsEach / TOPICS_ASKED);
  const row: Row = {
    clients: size,
    'known topic ns': round(knownNs),
    'after a change ns': round(changedNs),
    'subscribe + unsubscribe ns': round(changing.nsEach),
    'plain ns': round(plain.nsEach),
    'plain × known': round(plain.nsEach / knownNs),
    'cohorts found': round(found / (known.calls * TOPICS_ASKED + changed.calls + plain.calls)),
  };
  return { row, problems: problemsOf(clients) };
}

function createClients(size: number): Clients {
  const memory = allocateTopicDirectory(size);
  const writer = new TopicDirectoryWriter(memory);
  const manager = new SubscriptionManager(new TopicDirectoryReader(memory), NO_WATCHER);
  const clients: Clients = { manager, members: [], filters: [] };
  for (let i = 0; i < size; i++) {
    writer.add({ exchange: EXCHANGE, symbol: symbolOf(i), dataType: 'trade' });
    const terms = { exchanges: [EXCHANGE], symbols: [symbolOf(i), symbolOf((i + 7) % size)], dataTypes: [] };
    const member = createMember(i);
    manager.addFilter(member, terms, {});
    clients.members.push(member);
    clients.filters.push(terms);
  }
  return clients;
}

function symbolOf(index: number): string {
  return `SYM${index}`;
}

/** A connection that nothing is ever written to. */
function createMember(serial: number): PooledConnection {
  const socket = {} as Socket;
  return new PooledConnection(
    `c_${serial}`,
    serial,
    undefined as unknown as WebSocket,
    socket,
    '',
    new CommandBudget(0, 0),
    0,
  );
}

/**
 * Another client with another filter each time: a hash table that sees one key come and go keeps its remains in one
 * chain, which no server ever meets.
 */
function changeOne({ manager, members }: Clients, n: number): void {
  const member = members[n % members.length] as PooledConnection;
  const terms = { exchanges: [`elsewhere${n}`], symbols: [], dataTypes: [] };
  manager.removeFilter(member, manager.addFilter(member, terms, {}));
}

function matchPlainly(filters: readonly FilterTerms[], topic: number): FilterTerms[] {
  const symbol = symbolOf(topic);
  return filters.filter(
    ({ exchanges, symbols, dataTypes }) =>
      (exchanges.length === 0 || exchanges.includes(EXCHANGE)) &&
      (symbols.length === 0 || symbols.includes(symbol)) &&
      (dataTypes.length === 0 || dataTypes.includes('trade')),
  );
}

/** Both ways must find the same. */
function problemsOf({ manager, filters, members }: Clients): string[] {
  for (let topic = 0; topic < TOPICS_ASKED; topic++) {
    const serials = manager.match(topic).flatMap((cohort) => cohort.members.map((member) => member.serial));
    const wanted = matchPlainly(filters, topic).map((terms) => filters.indexOf(terms));
    if (serials.sort().join() !== wanted.sort().join()) {
      return [`topic ${topic} of ${members.length} clients goes to ${serials}, not ${wanted}`];
    }
  }
  return [];
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
