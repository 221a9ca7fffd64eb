import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { OPTIONS } from '../../src/config/options.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';
import { fillUntilBehind, laneOf } from '../support/slow-lane.ts';
import { type Received, TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';
import { CheckedPage, scriptOf } from './delivery-page.ts';
import { codeOf, rowsOf, sectionOf } from './markdown.ts';
import { textOf } from './repository-files.ts';

const page = textOf('docs/delivery.md');
const PATIENCE = { timeout: 15_000 };

function publication(type: string, data: object, symbol = 'SYM0'): Publication {
  return { exchange: 'binance', symbol, type, timestamp: 1_700_000_000_000, data };
}

describe('the check in twenty lines', () => {
  it('has no more than that', () => {
    expect(scriptOf('js check').trim().split('\n').length).toBeLessThanOrEqual(20);
  });

  it('counts every publication once, over connections that break', async () => {
    const { port, publish } = await startGateway();
    const checked = new CheckedPage(port);
    await expect.poll(() => checked.subscribed.length, PATIENCE).toBe(1);
    let published = 0;
    for (let round = 1; round <= 5; round++) {
      for (let n = 0; n < 50; n++) publish(trade('SYM0', n), publication('ticker', { lastPrice: n }), trade('OTHER'));
      published += 100;
      checked.socket!.terminate();
      for (let n = 0; n < 50; n++) publish(trade('SYM0', n), publication('kline', { interval: n % 2 ? '1m' : '1h' }));
      published += 100;
      await expect.poll(() => checked.total, PATIENCE).toBe(published);
    }
    expect(checked.sum).toEqual({ delivered: published, merged: 0, dropped: 0 });
    expect(checked.complaints).toEqual([]);
    expect(checked.subscribed.slice(1).map(({ resumed }) => resumed)).toEqual([true, true, true, true, true]);
  });

  it('accounts for what a client that reads slowly did not get, as the ledger does', async () => {
    const gateway = await startGateway({ limits: { pendingMessages: 20 } });
    const checked = new CheckedPage(gateway.port);
    await expect.poll(() => checked.subscribed.length, PATIENCE).toBe(1);
    checked.socket!.pause();
    let published = await fillUntilBehind(gateway, 'SYM0');
    for (let n = 0; n < 50; n++) gateway.publish(trade('SYM0', n), publication('ticker', { lastPrice: n }));
    published += 100;
    checked.socket!.resume();
    await expect.poll(() => checked.total, PATIENCE).toBe(published);
    expect(checked.sum.merged).toBeGreaterThan(0);
    expect(checked.sum.dropped).toBeGreaterThan(0);
    expect(checked.complaints).toEqual([]);
    checked.socket!.send('{"type":"getLedger"}');
    await expect.poll(() => checked.received.at(-1)!.type, PATIENCE).toBe('ledger');
    const { dropped, ...ledger } = checked.received.at(-1)!.payload;
    expect(ledger).toMatchObject({
      published,
      delivered: checked.sum.delivered,
      merged: checked.sum.merged,
      pending: 0,
    });
    expect(dropped).toEqual({ slow_consumer: checked.sum.dropped });
  });

  it('goes on where it was, also behind a message that something older was to follow', async () => {
    const gateway = await startGateway({ ring: { bytes: 32 * 1024 * 1024 } });
    const checked = new CheckedPage(gateway.port);
    await expect.poll(() => checked.subscribed.length, PATIENCE).toBe(1);
    checked.socket!.pause();
    let published = await fillUntilBehind(gateway, 'SYM0');
    for (let n = 0; n < 50; n++) gateway.publish(publication('ticker', { lastPrice: n }), trade('SYM0', n));
    published += 100;
    const first = checked.socket!;
    let isCut = false;
    checked.loses = ({ resumeSeq }) => {
      if (isCut || resumeSeq === undefined) return isCut && checked.socket === first;
      isCut = true;
      setImmediate(() => first.terminate());
      return false;
    };
    first.resume();
    await expect.poll(() => checked.total, PATIENCE).toBe(published);
    expect(checked.subscribed.map(({ resumed }) => resumed)).toEqual([undefined, true]);
    expect(checked.received.filter((message) => message.resumeSeq !== undefined).length).toBeGreaterThan(0);
    expect(checked.complaints).toEqual([]);
  });

  it('begins anew with a gateway that has been started anew', async () => {
    const server = { port: await freePort() };
    const { gateway, port, publish } = await startGateway({ server });
    const checked = new CheckedPage(port);
    await expect.poll(() => checked.subscribed.length, PATIENCE).toBe(1);
    for (let n = 0; n < 10; n++) publish(trade('SYM0', n));
    await expect.poll(() => checked.total, PATIENCE).toBe(10);
    await gateway.stop();
    const again = await startGateway({ server });
    await expect.poll(() => checked.subscribed.length, PATIENCE).toBe(2);
    expect(checked.subscribed[1]).toMatchObject({ resumed: false, reason: 'UNKNOWN_EPOCH' });
    for (let n = 0; n < 5; n++) again.publish(trade('SYM0', n));
    await expect.poll(() => checked.total, PATIENCE).toBe(15);
    expect(checked.complaints).toEqual([]);
  });

  it('finds a message that is missing', async () => {
    const { port, publish } = await startGateway();
    const checked = new CheckedPage(port);
    await expect.poll(() => checked.subscribed.length, PATIENCE).toBe(1);
    checked.loses = ({ seq }) => seq === 2;
    for (let n = 0; n < 3; n++) publish(trade('SYM0', n));
    await expect.poll(() => checked.complaints, PATIENCE).toEqual([expect.stringMatching(/between 1 and 3$/)]);
  });
});

interface Book {
  bids: Map<number, number>;
  asks: Map<number, number>;
  isWhole: boolean;
}

function levelsOf({ bids, asks }: Book): unknown {
  const sorted = (side: Map<number, number>) => [...side].sort(([a], [b]) => a - b);
  return { bids: sorted(bids), asks: sorted(asks) };
}

/** The book of the page, and what it is given. */
class PageBook {
  readonly #context = createContext({});

  constructor() {
    runInContext(scriptOf('js book'), this.#context);
  }

  get book(): Book {
    return runInContext('book', this.#context) as Book;
  }

  apply(message: unknown): void {
    runInContext(`apply(${JSON.stringify(message)})`, this.#context);
  }
}

/** Random updates of one book, and what it is after each, by the seq that the publication will have. */
class RandomBook {
  readonly states = new Map<number, unknown>();
  readonly #random: SeededRandom;
  readonly #truth = new PageBook();
  #isBegun = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(seq: number): Publication {
    const isSnapshot = !this.#isBegun;
    this.#isBegun = true;
    const update = publication('depth', { bids: this.#levels(100), asks: this.#levels(200), isSnapshot });
    this.#truth.apply({ type: 'depth', payload: update });
    this.states.set(seq, levelsOf(this.#truth.book));
    return update;
  }

  #levels(from: number): [number, number][] {
    const count = this.#random.between(0, 8);
    return Array.from({ length: count }, () => [from + this.#random.below(60), this.#random.below(3)]);
  }
}

describe('the book of the page', () => {
  it('is the book of the source whenever it is whole, for a client that reads by fits and starts', async () => {
    const random = new SeededRandom(seedOfRun('the book of the page'));
    const gateway = await startGateway({ limits: { pendingMessages: 1 } });
    const client = await TestClient.open(gateway.port, '/ws?subscription=none');
    await client.ask({ type: 'subscribe', payload: { symbols: 'SYM0' } });
    const source = new RandomBook(random);
    let seq = 0;
    const publishDepths = (count: number) => {
      for (let n = 0; n < count; n++) gateway.publish(source.next(++seq));
    };
    publishDepths(20);
    for (let round = 0; round < 6; round++) {
      client.socket.pause();
      seq += await fillUntilBehind(gateway, 'SYM0');
      publishDepths(random.between(1, 100));
      if (round % 2 === 0) {
        gateway.publish(publication('ticker', { lastPrice: round }));
        seq++;
      }
      client.socket.resume();
      await expect.poll(() => laneOf(gateway.port), PATIENCE).toBe('live');
      publishDepths(10);
      await client.until(() => client.data.some((message) => message.seq === seq), 'the newest');
    }
    const told = client.received.filter(isOfBook);
    const follower = new PageBook();
    for (const message of told) {
      follower.apply(message);
      if (follower.book.isWhole)
        expect([message.seq, levelsOf(follower.book)]).toEqual([message.seq, source.states.get(message.seq!)]);
    }
    expect(follower.book.isWhole).toBe(true);
    expect(told.filter(({ merged }) => merged !== undefined).length).toBeGreaterThan(0);
    expect(told.filter(({ type }) => type === 'gap').length).toBeGreaterThan(0);
    expect(told.filter(({ snapshot }) => snapshot).length).toBeGreaterThan(0);
  });
});

function isOfBook({ type, payload }: Received): boolean {
  return type === 'depth' || payload.dataType === 'depth';
}

describe('the tables of docs/delivery.md', () => {
  it('name the types that each policy has by default', () => {
    const rows = rowsOf(sectionOf(page, 'Policies'));
    expect(rows.map(([policy]) => codeOf(policy!))).toEqual(['every', 'latest', 'book']);
    for (const [, types] of rows.slice(1)) {
      const [option, named] = types!.split(':') as [string, string];
      const { default: byDefault } = OPTIONS.find(({ name }) => name === codeOf(option))!;
      expect(named.split(',').map((type) => codeOf(type.trim()))).toEqual(byDefault);
    }
  });

  it('reckon how far the ring reaches back as the formula does', () => {
    const table = page.slice(page.indexOf('<!-- history:'), page.indexOf('<!-- end of history'));
    const [frameBytes] = /frames of (\d+) bytes/.exec(page)!.slice(1).map(Number) as [number];
    const rings = [64, 256, 1_024].map((mib) => mib * 1024 * 1024);
    expect(rowsOf(table).length).toBeGreaterThan(3);
    for (const [rate, ...cells] of rowsOf(table)) {
      const perSecond = Number(rate!.replaceAll(',', ''));
      expect(cells).toEqual(rings.map((bytes) => inSeconds(bytes / (perSecond * (frameBytes + 72)))));
    }
  });
});

function inSeconds(seconds: number): string {
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds).toLocaleString('en')} s`;
}
