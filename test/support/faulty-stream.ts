import { FINDINGS, type Finding } from '../../src/compare/findings.ts';
import { SIDES, type Side } from '../../src/compare/side.ts';
import { frame } from './compared-streams.ts';
import type { SeededRandom } from './seeded-random.ts';

type Publication = Record<string, unknown>;

/** What two servers are made to send, in the order in which it comes, and what a comparison has to find in it. */
export interface FaultyStreams {
  readonly messages: readonly { readonly side: Side; readonly text: string; readonly atMs: number }[];
  readonly expected: Record<Finding, number>;
  readonly explained: { old: { merged: number; dropped: number }; new: { merged: number; dropped: number } };
  readonly identical: number;
  readonly published: number;
}

/** Publications of one topic that one fault happens to, or none; the first and the last are always left as they are. */
const BLOCK = 6;
const FAULTS = ['none', 'drop', 'repeat', 'swap', 'change', 'retype', 'merge', 'gap'] as const;
/** Less than a comparison waits for what comes late. */
const LATENCY_MS_MAX = 400;

/** Publications of one topic, and how they may look; `n` grows from one to the next. */
interface Kind {
  readonly dataType: string;
  readonly make: (n: number) => Publication;
  readonly changed: string;
  readonly retyped: string;
  readonly canMerge: boolean;
}

const KINDS: readonly Kind[] = [
  {
    dataType: 'trade',
    make: (n) => ({ type: 'trade', timestamp: 1, data: { id: n, price: n * 1.5, quantity: 1, side: 'buy' } }),
    changed: 'side',
    retyped: 'price',
    canMerge: false,
  },
  {
    dataType: 'ticker',
    make: (n) => ({ type: 'ticker', timestamp: 1_000 + n, data: { lastPrice: n, volume24h: 7 } }),
    changed: 'volume24h',
    retyped: 'lastPrice',
    canMerge: true,
  },
  {
    dataType: 'kline_1m',
    make: (n) => ({
      type: 'kline',
      timestamp: 1_000 + n,
      data: { openTime: n - (n % 50), close: n, volume: 3, interval: '1m' },
    }),
    changed: 'volume',
    retyped: 'close',
    canMerge: true,
  },
  {
    dataType: 'depth',
    make: (n) => ({ type: 'depth', timestamp: 5, data: { updateTime: 1_000 + n, bids: [[n, 1]], asks: [], depth: 5 } }),
    changed: 'depth',
    retyped: 'updateTime',
    canMerge: true,
  },
  {
    dataType: 'quote',
    make: (n) => ({ type: 'quote', timestamp: 1_000 + n, data: { bid: n, ask: { of: [n] } } }),
    changed: 'ask',
    retyped: 'bid',
    canMerge: false,
  },
];

/** Streams of all kinds of topics on two servers; now the one, now the other is at fault. */
export function faultyStreams(random: SeededRandom, blocks: number): FaultyStreams {
  return new StreamMaker(random).make(blocks);
}

class StreamMaker {
  readonly #random: SeededRandom;
  readonly #messages: { side: Side; text: string; atMs: number }[] = [];
  readonly #expected = Object.fromEntries(FINDINGS.map((finding) => [finding, 0])) as Record<Finding, number>;
  readonly #explained = { old: { merged: 0, dropped: 0 }, new: { merged: 0, dropped: 0 } };
  readonly #lastMs = { old: new Map<string, number>(), new: new Map<string, number>() };
  #n = 0;
  #nowMs = 0;
  #published = 0;
  #identical = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  make(blocks: number): FaultyStreams {
    for (let block = 0; block < blocks; block++) this.#block();
    this.#messages.sort((a, b) => a.atMs - b.atMs);
    return {
      messages: this.#messages,
      expected: this.#expected,
      explained: this.#explained,
      identical: this.#identical,
      published: this.#published,
    };
  }

  #block(): void {
    const kind = this.#one(KINDS);
    const symbol = `S${this.#random.below(3)}`;
    const fault = this.#one(FAULTS);
    const publications = Array.from({ length: BLOCK }, () => ({
      exchange: 'binance',
      symbol,
      ...kind.make(this.#n++),
    }));
    this.#published += BLOCK;
    this.#identical += BLOCK;
    const faulty = this.#one(SIDES);
    const sent = publications.map((publication) => [publication, 0] as [Publication, number]);
    const gapAt = this.#apply(fault, kind, sent, faulty);
    for (const side of SIDES) {
      this.#send(
        side,
        symbol,
        kind,
        side === faulty ? sent : publications.map((each) => [each, 0]),
        side === faulty ? gapAt : undefined,
      );
    }
    this.#nowMs += this.#random.below(50);
  }

  /** Makes the fault, and notes what has to be found. @returns where a gap is told: before which message, and of how many */
  #apply(
    fault: (typeof FAULTS)[number],
    kind: Kind,
    sent: [Publication, number][],
    faulty: Side,
  ): [number, number] | undefined {
    const lacking = faulty === 'new' ? 'missing' : 'extra';
    const at = this.#random.between(1, BLOCK - 3);
    const count = this.#random.between(1, BLOCK - 2 - at);
    const [publication] = sent[at]!;
    if (fault === 'drop') {
      sent.splice(at, 1);
      this.#find(lacking, 1);
    } else if (fault === 'repeat') {
      sent.splice(at, 0, [publication, 0]);
      this.#expected[faulty === 'new' ? 'extra' : 'missing']++;
      this.#published++;
    } else if (fault === 'swap') {
      sent.splice(at, 2, sent[at + 1]!, sent[at]!);
      this.#expected.reordered++;
    } else if (fault === 'change') {
      sent[at] = [withData(publication, kind.changed, () => 'other'), 0];
      this.#find('differing', 1);
    } else if (fault === 'retype') {
      sent[at] = [withData(publication, kind.retyped, String), 0];
      this.#find('types', 1);
    } else if (fault === 'merge' && kind.canMerge) {
      sent.splice(at, count);
      sent[at] = [kind.dataType === 'depth' ? withData(sent[at]![0], 'bids', () => [[1, 1]]) : sent[at]![0], count];
      this.#explain(faulty, 'merged', count);
    } else if (fault === 'gap') {
      sent.splice(at, count);
      this.#explain(faulty, 'dropped', count);
      return [at, count];
    }
    return undefined;
  }

  #find(finding: Finding, count: number): void {
    this.#expected[finding] += count;
    this.#identical -= count;
  }

  #explain(faulty: Side, reason: 'merged' | 'dropped', count: number): void {
    this.#explained[faulty === 'new' ? 'old' : 'new'][reason] += count;
    this.#identical -= count;
  }

  #send(side: Side, symbol: string, kind: Kind, sent: readonly [Publication, number][], gap?: [number, number]): void {
    for (const [at, [publication, merged]] of sent.entries()) {
      if (at === gap?.[0]) this.#push(side, symbol, kind, gapText(symbol, kind.dataType, gap[1]));
      this.#push(side, symbol, kind, merged > 0 ? frame(publication, { merged }) : this.#text(side, publication));
    }
  }

  /** In order within a topic, as a connection keeps it. */
  #push(side: Side, symbol: string, { dataType }: Kind, text: string): void {
    const topic = `${symbol} ${dataType}`;
    const atMs = Math.max(this.#nowMs + this.#random.below(LATENCY_MS_MAX), this.#lastMs[side].get(topic) ?? 0);
    this.#lastMs[side].set(topic, atMs);
    this.#messages.push({ side, text, atMs });
  }

  /** In one of the shapes that a server may give it: none of them is a difference. */
  #text(side: Side, publication: Publication): string {
    const shape = this.#random.below(4);
    const spelled = {
      ...publication,
      symbol: shape === 1 ? String(publication.symbol).toLowerCase() : publication.symbol,
    };
    if (side === 'old' && shape < 2) return JSON.stringify({ ...spelled, receivedAt: this.#random.below(99) });
    if (shape === 2) return JSON.stringify({ timestamp: 9, payload: reversed(spelled), type: publication.type });
    return frame({ ...spelled, latency: 5 });
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)]!;
  }
}

function withData(publication: Publication, key: string, change: (value: unknown) => unknown): Publication {
  const data = publication.data as Publication;
  return { ...publication, data: { ...data, [key]: change(data[key]) } };
}

function reversed(fields: Publication): Publication {
  return Object.fromEntries(Object.entries(fields).toReversed());
}

function gapText(symbol: string, dataType: string, count: number): string {
  const payload = { exchange: 'binance', symbol, dataType, fromSeq: 1, toSeq: 2, count, reason: 'slow_consumer' };
  return JSON.stringify({ type: 'gap', payload, timestamp: 1 });
}
