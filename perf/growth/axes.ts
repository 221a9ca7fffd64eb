import { readFileSync } from 'node:fs';

/** One point of a curve: a gateway and the load on it. */
export interface GrowthPoint {
  axis: string;
  x: number;
  connections: number;
  shards: number;
  symbols: number;
  /** Of the simulator; as many topics for each symbol. */
  types: string;
  /** Publications per second. */
  rate: number;
  payloadBytes: number;
  /** Symbols that each connection wants; 0: everything. */
  symbolsEach: number;
  /** Symbols that each connection asks for beside those, and that nobody publishes. */
  symbolsIdle: number;
  /** They are drawn by chance: of many symbols, those with low numbers would else have all the readers. */
  isRandom: boolean;
  warmupS: number;
}

export interface GrowthAxis {
  name: string;
  title: string;
  /** Of the axis, with its unit. */
  label: string;
  /** What stays as it is and what has to go along, in a sentence or two. */
  about: string;
  points: GrowthPoint[];
}

/** 20,000 deliveries a second, 20 to each connection. */
const BASE: Omit<GrowthPoint, 'axis' | 'x'> = {
  connections: 1_000,
  shards: 1,
  symbols: 100,
  types: 'trade',
  rate: 400,
  payloadBytes: 200,
  symbolsEach: 5,
  symbolsIdle: 0,
  isRandom: false,
  warmupS: 1,
};

/** Deliveries per second that the connections' axis stays below. */
const DELIVERIES_MAX = 50_000;
/** Descriptors that a server needs beside its connections. */
const FILES_SPARE = 200;

/** In the order of the page. */
export function growthAxes(): GrowthAxis[] {
  return [connectionsAxis(), topicsAxis(), filtersAxis(), payloadAxis(), rateAxis(), shardsAxis()];
}

/** Some of the same, and small. */
export function smokeAxes(): GrowthAxis[] {
  const small = { warmupS: 0.2, symbols: 10, rate: 200, symbolsEach: 2 };
  const axis = (one: GrowthAxis, points: [number, Partial<GrowthPoint>][]) => ({
    ...one,
    points: points.map(([x, changes]) => pointAt(one.name, x, { connections: 20, ...small, ...changes })),
  });
  return [
    axis(connectionsAxis(), [
      [10, { connections: 10 }],
      [40, { connections: 40 }],
    ]),
    axis(payloadAxis(), [[64_000, { payloadBytes: 64_000, rate: 50 }]]),
    axis(rateAxis(), [[5_000, { rate: 5_000 }]]),
  ];
}

function connectionsAxis(): GrowthAxis {
  const name = 'connections';
  const sizes = [10, 100, 1_000, 5_000, 10_000, 20_000].map((n) => Math.min(n, openFilesMax() - FILES_SPARE));
  const rateAt = (n: number) => Math.min(BASE.rate, (DELIVERIES_MAX * BASE.symbols) / (n * BASE.symbolsEach));
  return {
    name,
    title: 'Connections',
    label: 'connections',
    about: `5 of 100 topics each; 400 publications/s, fewer from 5,000 connections on, so that there are never more than ${DELIVERIES_MAX.toLocaleString('en')} deliveries/s.`,
    points: sizes.map((n) => pointAt(name, n, { connections: n, rate: rateAt(n), warmupS: n > 1_000 ? 2 : 1 })),
  };
}

function topicsAxis(): GrowthAxis {
  const name = 'topics';
  const points: [topics: number, changes: Partial<GrowthPoint>][] = [
    [10, { symbols: 10, symbolsEach: 1, rate: 200 }],
    [100, {}],
    [1_000, { symbols: 1_000, rate: 4_000, isRandom: true }],
    [10_000, { symbols: 10_000, symbolsEach: 10, rate: 20_000, isRandom: true }],
    // Two data types: a simulator has at most 65,536 symbols. Long enough for every topic to be published.
    [100_000, { symbols: 50_000, types: 'trade,ticker', symbolsEach: 50, rate: 20_000, warmupS: 6, isRandom: true }],
  ];
  return {
    name,
    title: 'Topics',
    label: 'topics',
    about:
      'Always 20,000 deliveries/s to 1,000 connections. With more topics each publication is for fewer, so more are published: up to 20,000 a second.',
    points: points.map(([topics, changes]) => pointAt(name, topics, changes)),
  };
}

function filtersAxis(): GrowthAxis {
  const name = 'filters';
  return {
    name,
    title: 'Filters of a client',
    label: 'topics that each client asks for',
    about:
      'Each client wants one of 100 topics, 2,000 publications/s, and beside it asks for more and more that nobody publishes: what is delivered stays the same.',
    points: [1, 10, 100, 1_000].map((n) => pointAt(name, n, { symbolsEach: 1, symbolsIdle: n - 1, rate: 2_000 })),
  };
}

function payloadAxis(): GrowthAxis {
  const name = 'payload';
  return {
    name,
    title: 'Payload',
    label: 'bytes of a publication',
    about: '80 publications/s, 4,000 deliveries/s: at 64 KB that is a quarter of a gigabyte a second.',
    points: [100, 1_000, 4_000, 16_000, 64_000].map((bytes) => pointAt(name, bytes, { payloadBytes: bytes, rate: 80 })),
  };
}

function rateAxis(): GrowthAxis {
  const name = 'rate';
  return {
    name,
    title: 'Rate',
    label: 'messages/s to each connection',
    about: '100 connections that get everything: the more there is, the more goes into one write.',
    points: [10, 100, 1_000, 5_000].map((rate) => pointAt(name, rate, { connections: 100, symbolsEach: 0, rate })),
  };
}

function shardsAxis(): GrowthAxis {
  const name = 'shards';
  return {
    name,
    title: 'Shards',
    label: 'shards',
    about: '2,000 publications/s, 100,000 deliveries/s to 1,000 connections.',
    points: [1, 2, 3, 4].map((shards) => pointAt(name, shards, { shards, rate: 2_000 })),
  };
}

function pointAt(axis: string, x: number, changes: Partial<GrowthPoint>): GrowthPoint {
  return { axis, x, ...BASE, ...changes };
}

/** Descriptors that a process may have; generous where the system does not say. */
function openFilesMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 1_048_576);
  } catch {
    return 1_048_576;
  }
}
