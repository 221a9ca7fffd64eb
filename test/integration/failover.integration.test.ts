import { describe, expect, it } from 'vitest';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { readAdmin } from '../support/admin-api.ts';
import { NumberedFeed } from '../support/numbered-feed.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, type TestGateway, trade } from '../support/test-gateway.ts';
import { LoggedPublisher } from '../support/told-truth.ts';

/*
 * Two gateways that read one feed whose lines are numbered. Where a client goes on with the other one, it gets what it has
 * missed, or is told that it cannot.
 */
const PATIENT = { timeout: 15_000, interval: 10 };

async function gatewayOn(feed: NumberedFeed, options: ConfigOverrides = {}): Promise<TestGateway> {
  const before = feed.connected;
  const ndjson = { connect: feed.address, ...options.source?.ndjson };
  const gateway = await startGateway({
    ...options,
    source: { kind: 'ndjson', ndjson, restartDelayMs: 10, restartDelayMaxMs: 10 },
  });
  await expect.poll(() => feed.connected, PATIENT).toBe(before + 1);
  return gateway;
}

function ringOf({ port }: TestGateway) {
  type Ring = { publications: number; numbering: { epoch: string; kind: string; holes: number } };
  return readAdmin<{ ring: Ring }>(port, 'stats').then(({ ring }) => ring);
}

/** The gateway has published so many. */
async function hasPublished(gateway: TestGateway, publications: number): Promise<void> {
  await expect.poll(async () => (await ringOf(gateway)).publications, PATIENT).toBe(publications);
}

function open({ port }: TestGateway): Promise<TestClient> {
  return TestClient.open(port, '/ws?subscription=none');
}

function epochOf({ received }: TestClient): string {
  const naming = received.filter(({ type }) => type === 'welcome' || type === 'epoch');
  return String(naming.at(-1)!.payload.epoch);
}

async function resume(gateway: TestGateway, epoch: string, seq: number) {
  const client = await open(gateway);
  const { payload } = await client.ask({ type: 'subscribe', payload: { resume: { epoch, seq } } });
  return { client, payload };
}

describe('two gateways on one numbered feed', () => {
  it('give the same publication the same seq, under the same epoch', async () => {
    const feed = await NumberedFeed.open(1_000);
    const gateways = [await gatewayOn(feed), await gatewayOn(feed, { shards: 2 })];
    for (let n = 0; n < 50; n++) feed.publish(trade(`S${n % 7}`, n));
    for (const gateway of gateways) await hasPublished(gateway, 50);
    const told = [];
    for (const gateway of gateways) {
      const client = await open(gateway);
      const { payload } = await client.ask({
        type: 'subscribe',
        payload: { resume: { epoch: epochOf(client), seq: 1_000 } },
      });
      expect(payload).toMatchObject({ resumed: true, replayed: 50, seq: 1_050 });
      await client.until(() => client.data.length === 50, 'all that was published');
      told.push({
        epoch: epochOf(client),
        frames: client.data.map(({ seq, prevSeq, payload: { data, symbol } }) => ({ seq, prevSeq, symbol, data })),
      });
    }
    expect(told[0]).toEqual(told[1]);
    expect(told[0]!.frames[0]).toMatchObject({ seq: 1_001, prevSeq: 0, symbol: 'S0' });
  });

  it('leave nothing out, and tell nothing wrong, for clients that go from one to the other while data flows', async () => {
    const feed = await NumberedFeed.open();
    const gateways = [await gatewayOn(feed), await gatewayOn(feed)];
    const source = new LoggedPublisher(feed.publish);
    const random = new SeededRandom(7);
    const types = ['trade', 'ticker', 'depth'];
    source.publish('trade', 'A');
    for (const gateway of gateways) await hasPublished(gateway, 1);
    const publishing = setInterval(() => {
      for (let n = 0; n < 10; n++) {
        const type = types[random.below(3)]!;
        const book = { bids: [[10 + random.below(3), 1]], asks: [[20, random.below(2)]] };
        source.publish(type, 'ABCD'[random.below(4)]!, type === 'depth' ? book : {});
      }
    }, 5);
    const clients: TestClient[][] = [];
    for (let n = 0; n < 12; n++) {
      const symbols = n % 3 === 0 ? {} : { symbols: ['A', 'ABCD'[n % 4]!] };
      const client = await open(gateways[n % 2]!);
      await client.ask({ type: 'subscribe', payload: symbols });
      clients.push([client]);
    }
    for (let move = 0; move < 5; move++) {
      await Promise.all(
        clients.map(async (connections, n) => {
          const last = connections.at(-1)!;
          await last.until(() => last.data.length > 20 * (move + 1), 'some data');
          last.socket.terminate();
          await last.untilClosed();
          const { resumeSeq, seq } = last.data.at(-1)!;
          const next = await open(gateways[(n + move + 1) % 2]!);
          connections.push(next);
          const symbols = n % 3 === 0 ? {} : { symbols: ['A', 'ABCD'[n % 4]!] };
          const request = { epoch: epochOf(last), seq: resumeSeq ?? seq };
          const { payload } = await next.ask({ type: 'subscribe', payload: { ...symbols, resume: request } });
          expect(payload).toMatchObject({ resumed: true });
        }),
      );
    }
    clearInterval(publishing);
    for (const symbol of 'ABCD') for (const type of types) source.publish(type, symbol, { bids: [], asks: [] });
    for (const connections of clients) {
      const last = connections.at(-1)!;
      const ledger = async () => (await last.ask({ type: 'getLedger' })).payload;
      await expect.poll(ledger, PATIENT).toMatchObject({ seq: source.seq, pending: 0, state: 'live' });
      expect(source.problemsOf(...connections)).toEqual([]);
    }
  });

  it('resume with one that came later only what it has had from the first on', async () => {
    const feed = await NumberedFeed.open();
    const early = await gatewayOn(feed);
    for (let n = 1; n <= 100; n++) feed.publish(trade(`S${n % 5}`, n));
    await hasPublished(early, 100);
    const late = await gatewayOn(feed);
    for (let n = 101; n <= 120; n++) feed.publish(trade(`S${n % 5}`, n));
    await hasPublished(late, 20);
    const epoch = epochOf(await open(early));
    const { client, payload } = await resume(late, epoch, 100);
    expect(payload).toMatchObject({ resumed: true, replayed: 20 });
    await client.until(() => client.data.length === 20, 'what came since');
    expect(client.data.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, n) => 101 + n));
    // It knows of nothing before the first of a topic, and says so.
    expect(client.data.slice(0, 6).map(({ prevSeq }) => prevSeq)).toEqual([0, 0, 0, 0, 0, 101]);
    expect((await resume(late, epoch, 99)).payload).toMatchObject({ resumed: false, reason: 'HISTORY_TOO_SHORT' });
    expect((await resume(early, epoch, 99)).payload).toMatchObject({ resumed: true, replayed: 21 });
  });

  it('do not resume across what one of them has missed, and say how often that was', async () => {
    const feed = await NumberedFeed.open();
    const [whole, broken] = [await gatewayOn(feed), await gatewayOn(feed)];
    for (let n = 1; n <= 10; n++) feed.publish(trade('A', n));
    for (const gateway of [whole, broken]) await hasPublished(gateway, 10);
    feed.cut(1);
    await expect.poll(() => feed.connected, PATIENT).toBe(1);
    feed.publish(trade('A', 11));
    await expect.poll(() => feed.connected, PATIENT).toBe(2);
    for (let n = 12; n <= 15; n++) feed.publish(trade('A', n));
    await hasPublished(whole, 15);
    await hasPublished(broken, 14);
    const epoch = epochOf(await open(whole));
    expect((await resume(broken, epoch, 10)).payload).toMatchObject({ resumed: false, reason: 'HISTORY_TOO_SHORT' });
    expect((await resume(broken, epoch, 11)).payload).toMatchObject({ resumed: true, replayed: 4 });
    expect((await resume(whole, epoch, 10)).payload).toMatchObject({ resumed: true, replayed: 5 });
    expect((await ringOf(broken)).numbering).toEqual({ epoch, kind: 'source', holes: 1 });
    expect((await ringOf(whole)).numbering).toEqual({ epoch, kind: 'source', holes: 0 });
  });

  it('wait for what the other one had already, and only for a while', async () => {
    const feed = await NumberedFeed.open();
    const [ahead, behind] = [await gatewayOn(feed), await gatewayOn(feed)];
    feed.publish(trade('A', 1));
    for (const gateway of [ahead, behind]) await hasPublished(gateway, 1);
    feed.hold(1);
    for (let n = 2; n <= 10; n++) feed.publish(trade('A', n));
    await hasPublished(ahead, 10);
    const epoch = epochOf(await open(ahead));
    const client = await open(behind);
    const asked = client.ask({ type: 'subscribe', payload: { resume: { epoch, seq: 8 } } });
    await client.settle();
    expect(client.received.filter(({ type }) => type === 'subscribed')).toEqual([]);
    feed.release(1);
    expect((await asked).payload).toMatchObject({ resumed: true });
    await client.until(() => client.data.length === 2, 'the last two');
    expect(client.data.map(({ seq }) => seq)).toEqual([9, 10]);
    expect((await resume(behind, epoch, 11)).payload).toMatchObject({ resumed: false, reason: 'SEQ_IN_FUTURE' });
  });

  it('number by themselves when the feed begins anew, tell their clients, and no longer resume one another', async () => {
    const feed = await NumberedFeed.open();
    const [one, other] = [await gatewayOn(feed), await gatewayOn(feed)];
    feed.publish(trade('A', 1));
    for (const gateway of [one, other]) await hasPublished(gateway, 1);
    const client = await TestClient.open(one.port);
    const shared = epochOf(client);
    for (let n = 2; n <= 3; n++) feed.publish(trade('A', n));
    await client.until(() => client.data.length === 2, 'the last of the old numbers');
    feed.seq = 0;
    for (let n = 1; n <= 5; n++) feed.publish(trade('A', n));
    for (const gateway of [one, other]) await hasPublished(gateway, 8);
    await client.until(() => client.data.length === 7 && epochOf(client) !== shared, 'another epoch');
    const seqs = client.data.map(({ seq }) => seq!);
    expect(seqs).toEqual([2, 3, ...[4, 5, 6, 7, 8].map((n) => 2 ** 40 + n)]);
    expect(client.data.map(({ prevSeq }) => prevSeq)).toEqual([1, ...seqs.slice(0, -1)]);
    const own = epochOf(client);
    expect((await resume(one, own, seqs[4]!)).payload).toMatchObject({ resumed: true, replayed: 2 });
    expect((await resume(other, own, seqs[4]!)).payload).toMatchObject({ reason: 'UNKNOWN_EPOCH' });
    // A client that has not been told takes its numbers for those of the feed: nobody does.
    expect((await resume(one, shared, seqs[4]!)).payload).toMatchObject({ reason: 'UNKNOWN_EPOCH' });
    expect(one.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'Numbering has another epoch' }),
    );
  });

  it.each([
    ['is refused', { dataflow: { strict: true } }, undefined],
    ['is not routed to clients', {}, 'trade'],
  ])('do not resume across what one has missed where the first behind it %s', async (_, options, onlyType) => {
    const feed = await NumberedFeed.open();
    const gateways = [await gatewayOn(feed, options), await gatewayOn(feed, options)];
    for (const { gateway } of gateways) {
      if (onlyType === undefined) continue;
      const condition = ({ type }: Publication) => type === onlyType;
      gateway.dataFlow.addRoutingRule({
        name: 'some',
        condition,
        targetChannels: ['proxy-websocket'],
        enabled: true,
        priority: 1,
      });
    }
    const [whole, broken] = gateways as [TestGateway, TestGateway];
    for (let n = 1; n <= 10; n++) feed.publish(trade('A', n));
    for (const gateway of gateways) await hasPublished(gateway, 10);
    feed.cut(1);
    await expect.poll(() => feed.connected, PATIENT).toBe(1);
    for (let n = 11; n <= 15; n++) feed.publish(trade('A', n));
    await expect.poll(() => feed.connected, PATIENT).toBe(2);
    feed.publish({ ...trade('A', 16), type: onlyType === undefined ? 'trade' : 'ticker', data: { price: 'none' } });
    for (let n = 17; n <= 20; n++) feed.publish(trade('A', n));
    await hasPublished(whole, 19);
    await hasPublished(broken, 14);
    const epoch = epochOf(await open(whole));
    expect((await resume(broken, epoch, 10)).payload).toMatchObject({ resumed: false, reason: 'HISTORY_TOO_SHORT' });
    expect((await resume(broken, epoch, 15)).payload).toMatchObject({ resumed: true, replayed: 4 });
    expect((await resume(whole, epoch, 10)).payload).toMatchObject({ resumed: true, replayed: 9 });
  });

  it('do not resume across a break, in front of which others may have got more', async () => {
    const feed = await NumberedFeed.open();
    feed.epoch = 'one';
    const [whole, broken] = [await gatewayOn(feed), await gatewayOn(feed)];
    const early = await open(broken);
    const own = epochOf(early);
    for (let n = 1; n <= 10; n++) feed.publish(trade('A', n));
    for (const gateway of [whole, broken]) await hasPublished(gateway, 10);
    const shared = epochOf(await open(whole));
    // The feed dies before it has written these to the other one.
    feed.hold(1);
    for (let n = 11; n <= 15; n++) feed.publish(trade('A', n));
    await hasPublished(whole, 15);
    feed.stop();
    await expect.poll(() => feed.connected, PATIENT).toBe(0);
    feed.epoch = 'two';
    feed.seq = 0;
    await feed.listen();
    await expect.poll(() => feed.connected, PATIENT).toBe(2);
    for (let n = 1; n <= 3; n++) feed.publish(trade('A', 100 + n));
    await hasPublished(broken, 13);
    expect((await resume(broken, shared, 10)).payload).toMatchObject({ resumed: false, reason: 'HISTORY_TOO_SHORT' });
    // Whoever has the name that this gateway alone ever had was with this one.
    expect(own).not.toBe(shared);
    expect((await resume(broken, own, 10)).payload).toMatchObject({ resumed: true, replayed: 3 });
  });

  it('tell their clients what they have not got from the feed, so that these can ask elsewhere', async () => {
    const feed = await NumberedFeed.open();
    const [whole, broken] = [await gatewayOn(feed), await gatewayOn(feed)];
    for (let n = 1; n <= 3; n++) feed.publish(trade('A', n));
    for (const gateway of [whole, broken]) await hasPublished(gateway, 3);
    const client = await TestClient.open(broken.port);
    feed.cut(1);
    await expect.poll(() => feed.connected, PATIENT).toBe(1);
    for (let n = 4; n <= 6; n++) feed.publish(trade('A', n));
    await expect.poll(() => feed.connected, PATIENT).toBe(2);
    feed.publish(trade('A', 7));
    const { payload } = await client.next('hole');
    expect(payload).toEqual({ fromSeq: 4, toSeq: 6 });
    const elsewhere = await resume(whole, epochOf(client), 3);
    expect(elsewhere.payload).toMatchObject({ resumed: true });
    await elsewhere.client.until(() => elsewhere.client.data.length === 4, 'what was missed');
  });

  it('keep feeds apart whose numberings have other names', async () => {
    const [x, y] = [await NumberedFeed.open(), await NumberedFeed.open()];
    const named = (numbering: string) => ({ source: { ndjson: { numbering } } });
    const gateways = [await gatewayOn(x, named('x')), await gatewayOn(y, named('y'))] as const;
    x.publish(trade('A', 1));
    y.publish(trade('B', 1));
    for (const gateway of gateways) await hasPublished(gateway, 1);
    const epoch = epochOf(await open(gateways[0]));
    expect((await resume(gateways[1], epoch, 0)).payload).toMatchObject({ reason: 'UNKNOWN_EPOCH' });
  });

  it('do not resume across topics for which one of them had no room', async () => {
    const feed = await NumberedFeed.open();
    const options = { ring: { bytes: 4 * 1024 * 1024, topics: 3 } };
    const old = await gatewayOn(feed, options);
    for (let n = 1; n <= 3; n++) feed.publish(trade(`OLD${n}`, n));
    await hasPublished(old, 3);
    const fresh = await gatewayOn(feed, options);
    for (let n = 4; n <= 6; n++) feed.publish(trade('NEW', n));
    feed.publish(trade('OLD1', 7));
    await hasPublished(fresh, 4);
    await hasPublished(old, 4);
    const epoch = epochOf(await open(fresh));
    expect((await resume(old, epoch, 4)).payload).toMatchObject({ resumed: false, reason: 'HISTORY_TOO_SHORT' });
    expect((await resume(fresh, epoch, 4)).payload).toMatchObject({ resumed: true, replayed: 3 });
  });

  it('serve on when the feed dies, say so, and are well again when it is back', async () => {
    const feed = await NumberedFeed.open();
    const gateway = await gatewayOn(feed);
    feed.publish(trade('A', 1));
    await hasPublished(gateway, 1);
    feed.stop();
    const health = () =>
      readAdmin<{ status: string; reasons: { check: string; level: string }[] }>(gateway.port, 'health');
    await expect
      .poll(health, PATIENT)
      .toMatchObject({ status: 'degraded', reasons: [{ check: 'sources', level: 'degraded' }] });
    expect(gateway.lines).toContainEqual(expect.objectContaining({ level: 'error', message: 'Source failed' }));
    const client = await open(gateway);
    await client.ask({ type: 'subscribe', payload: { symbols: 'A', snapshot: true } });
    await client.until(() => client.data.length === 1, 'the latest value');
    await feed.listen();
    await expect.poll(() => feed.connected, PATIENT).toBe(1);
    feed.publish(trade('A', 2));
    await client.until(() => client.data.length === 2, 'what is published again');
    expect(client.data[1]).toMatchObject({ seq: 2, prevSeq: 1 });
    expect(await health()).toMatchObject({ status: 'healthy' });
    // Nothing was published meanwhile, and the numbers say so.
    expect((await ringOf(gateway)).numbering).toMatchObject({ kind: 'source', holes: 0 });
  });
});
