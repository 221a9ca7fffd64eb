import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { recordedPublications } from '../../perf/lib/recorded-publications.ts';
import type { Report } from '../../src/compare/report.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { TestProcess } from '../support/child-process.ts';
import { startCompare } from '../support/compare-run.ts';
import { type Fault, FaultyRelay } from '../support/faulty-relay.ts';
import { OldServer, until } from '../support/old-server.ts';
import { inventedRecording } from '../support/recordings.ts';
import { fillUntilBehind } from '../support/slow-lane.ts';
import type { Received } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url);
const NONE = { missing: 0, extra: 0, reordered: 0, differing: 0, types: 0 };

function foundIn({ findings }: Report): Record<string, number> {
  return Object.fromEntries(Object.entries(findings).map(([finding, { count }]) => [finding, count]));
}

/** As often as it is told, each a little different. */
function trades(count: number, from = 0): Publication[] {
  return Array.from({ length: count }, (_, n) => trade(`SYM${n % 7}`, from + n));
}

/** Two gateways, and what feeds both. */
async function startPair() {
  const [old, now] = [await startGateway(), await startGateway()];
  const publish = (...publications: Publication[]) => {
    for (const publication of publications) for (const gateway of [old, now]) gateway.publish({ ...publication });
  };
  return { old, now, publish };
}

/** Each fault is counted as what has to be found. */
function faultsOfAllKinds(counts: typeof NONE): Fault {
  let held: Received | undefined;
  const faults: Record<number, (message: Received) => readonly unknown[]> = {
    3: () => found('missing', []),
    15: (message) => found('extra', [message, message]),
    27: (message) => found('differing', [{ ...message, payload: { ...message.payload, side: 'none' } }]),
    39: (message) => found('types', [withPriceAsText(message)]),
    // 7 symbols take turns: the one that is held back is sent behind the next of its topic.
    41: (message) => {
      held = message;
      return [];
    },
    48: (message) => found('reordered', [message, held]),
  };
  const found = (finding: keyof typeof NONE, messages: readonly unknown[]) => {
    counts[finding]++;
    return messages;
  };
  return (message, nth) => faults[nth % 50]?.(message) ?? [message];
}

function withPriceAsText(message: Received): Received {
  const data = message.payload.data as Record<string, unknown>;
  return { ...message, payload: { ...message.payload, data: { ...data, price: String(data.price) } } };
}

describe('two gateways that are fed alike', () => {
  it.each(['binance-futures', 'coinbase'])('agree on recorded traffic: %s', async (name) => {
    const publications = await recordedPublications(inventedRecording(name));
    const { old, now, publish } = await startPair();
    const relays = [await FaultyRelay.start(old.port), await FaultyRelay.start(now.port)] as const;
    const run = await startCompare(relays[0].address, relays[1].address);
    for (let round = 0; round < 5; round++) publish(...publications);
    for (const relay of relays) await relay.settle(5 * publications.length);
    run.end();
    const { status, report } = await run.ended;
    expect(report).toMatchObject({ outcome: 'agree', publications: 5 * publications.length, reasons: [], fields: [] });
    expect(report.latency.newAfterOldMs.count).toBe(report.pairs);
    expect(foundIn(report)).toEqual(NONE);
    expect(status).toBe(0);
  });

  it('differ by exactly what is lost, repeated, exchanged and changed between them', async () => {
    const { old, now, publish } = await startPair();
    const counts = { ...NONE };
    const faulty = await FaultyRelay.start(now.port, faultsOfAllKinds(counts));
    const straight = await FaultyRelay.start(old.port);
    const run = await startCompare(straight.address, faulty.address);
    publish(...trades(1_000));
    await straight.settle(1_000);
    await faulty.settle(1_000);
    run.end();
    const { status, report } = await run.ended;
    expect(counts).toEqual({ missing: 20, extra: 20, reordered: 20, differing: 20, types: 20 });
    expect(foundIn(report)).toEqual(counts);
    expect(report.fields.map(({ path, kind }) => `${kind} ${path}`).toSorted()).toEqual([
      'type data.price',
      'value side',
    ]);
    expect(report).toMatchObject({ outcome: 'differ', publications: 1_000 + counts.extra, unjudged: { givenUp: 0 } });
    expect(status).toBe(1);
  });

  it('agree where what differs is allowed', async () => {
    const { old, now, publish } = await startPair();
    const faulty = await FaultyRelay.start(now.port, (message, nth) => (nth % 100 === 3 ? [] : [message]));
    const straight = await FaultyRelay.start(old.port);
    const run = await startCompare(straight.address, faulty.address, '--allow-missing', '1%');
    publish(...trades(500));
    await straight.settle(500);
    await faulty.settle(500);
    run.end();
    const { status, report } = await run.ended;
    expect(report.findings.missing).toEqual({ count: 5, percent: 1, allowed: '1%', isAllowed: true });
    expect([status, report.outcome]).toEqual([0, 'agree']);
  });

  it('agree, with an explanation, where one of them merged and dropped for a slow reader', async () => {
    const gateway = await startGateway({ limits: { pendingMessages: 20 }, ring: { bytes: 64 * 1024 * 1024 } });
    const [fast, slow] = [await FaultyRelay.start(gateway.port), await FaultyRelay.start(gateway.port)];
    const run = await startCompare(fast.address, slow.address);
    slow.pause();
    let published = await fillUntilBehind(gateway, 'SYM0');
    for (let n = 0; n < 50; n++) {
      gateway.publish(trade('SYM1', n));
      gateway.publish({ exchange: 'binance', symbol: 'X', type: 'ticker', timestamp: n, data: { lastPrice: n } });
    }
    published += 100;
    await fast.settle(published);
    slow.resume();
    await until(() => slow.lastSeq === published, 'the newest publication');
    await slow.settle(0);
    run.end();
    const { status, report } = await run.ended;
    const { merged, dropped } = report.explained.missing;
    expect([merged, dropped].every((count) => count > 0)).toBe(true);
    expect(report.servers.new).toMatchObject({ merged, dropped });
    expect(foundIn(report)).toEqual(NONE);
    expect([status, report.pairs + merged + dropped]).toEqual([0, published]);
  });
});

describe('a server of old and a gateway', () => {
  it('agree, though one is flat, acknowledges, and broadcasts what nobody asked for', async () => {
    const old = await OldServer.start();
    const gateway = await startGateway();
    const relay = await FaultyRelay.start(gateway.port);
    const run = await startCompare(old.address, relay.address, '--filter', 'symbols=sym-1|SYM2,dataTypes=trades');
    await until(() => old.received.length > 0, 'the subscription');
    const publications = trades(700);
    old.broadcast(...publications);
    gateway.publish(...publications);
    await relay.settle(200);
    await old.settle();
    run.end();
    const { status, report } = await run.ended;
    expect(JSON.parse(old.received[0]!)).toMatchObject({
      type: 'subscribe',
      payload: { symbols: ['sym-1', 'SYM2'], dataTypes: ['trades'] },
    });
    expect(report).toMatchObject({ outcome: 'agree', publications: 200, pairs: 200, identical: 200 });
    expect(report.fields.every(({ kind }) => kind === 'derived')).toBe(true);
    expect(report.servers.old).toMatchObject({
      publications: 200,
      filtered: 500,
      others: { welcome: 1, binance_status: 1, ack: expect.any(Number), ping: 1 },
    });
    expect(report.servers.new).toMatchObject({ others: { welcome: 1, subscribed: 1, ping: 1 } });
    expect(status).toBe(0);
  });

  it('differ where one of them sends garbage, which does no harm', async () => {
    const [old, now] = [await OldServer.start(), await OldServer.start()];
    const run = await startCompare(old.address, now.address);
    const garbage = ['', '{', '[]', '"x"', 'null', Buffer.from([0xff, 0x00]), `{"data":${'['.repeat(100_000)}`];
    old.broadcast(...trades(5));
    now.broadcast(...(garbage as string[]), ...trades(5));
    await Promise.all([old.settle(), now.settle()]);
    run.end();
    const { status, report } = await run.ended;
    expect(report.servers.new.unusable).toBe(garbage.length);
    expect(report.reasons).toEqual([`unusable messages of the new server: ${garbage.length}, allowed 0`]);
    expect([status, report.pairs]).toEqual([1, 5]);
  });

  it('are compared in huge messages, and no further than they may be', async () => {
    const [old, now] = [await OldServer.start(), await OldServer.start()];
    const run = await startCompare(old.address, now.address, '--message-bytes', '4000000');
    const huge = { ...trade('SYM0', 1), pad: 'p'.repeat(3_500_000) };
    old.broadcast(huge);
    now.broadcast(huge);
    await Promise.all([old.settle(), now.settle()]);
    now.broadcast({ ...trade('SYM0', 2), pad: 'p'.repeat(4_500_000) });
    await until(() => now.clients === 0, 'the end of the connection');
    await until(() => now.clients === 1, 'the next connection');
    await now.settle();
    run.end();
    const { status, report } = await run.ended;
    expect(report).toMatchObject({ pairs: 1, identical: 1 });
    expect(report.servers.new.outages).toEqual([
      expect.objectContaining({ code: 1006, reason: 'Max payload size exceeded', seconds: expect.any(Number) }),
    ]);
    expect(report.reasons).toEqual(['lost connections to the new server: 1, allowed 0']);
    expect(status).toBe(1);
  });

  it('are connected again, and what came meanwhile is not held against the one that was away', async () => {
    const [old, now] = [await OldServer.start(), await OldServer.start()];
    const run = await startCompare(old.address, now.address, '--allow-disconnects', '1');
    old.broadcast(...trades(10));
    now.broadcast(...trades(10));
    await Promise.all([old.settle(), now.settle()]);
    now.cut();
    await until(() => now.clients === 0, 'the end of the connection');
    await new Promise((resolve) => setTimeout(resolve, 50));
    old.broadcast(...trades(20, 100));
    await old.settle();
    await until(() => now.clients === 1, 'the next connection');
    await now.settle();
    old.broadcast(...trades(10, 200));
    now.broadcast(...trades(10, 200));
    await Promise.all([old.settle(), now.settle()]);
    run.end();
    const { status, report } = await run.ended;
    expect(report).toMatchObject({ pairs: 20, servers: { new: { disconnects: 1 } } });
    expect(report.explained.missing.disconnected).toBe(20);
    expect(foundIn(report)).toEqual(NONE);
    expect(status).toBe(0);
  });

  it('are nothing to compare where neither sends anything', async () => {
    const [old, now] = [await OldServer.start(), await OldServer.start()];
    const run = await startCompare(old.address, now.address);
    run.end();
    const { status, report } = await run.ended;
    expect(report).toMatchObject({
      outcome: 'nothing',
      reasons: ['nothing came that could be compared'],
      interrupted: true,
    });
    expect(status).toBe(3);
  });

  it('differ where one of them sends nothing', async () => {
    const [old, now] = [await OldServer.start(), await OldServer.start()];
    const run = await startCompare(old.address, now.address);
    old.broadcast(...trades(10));
    await old.settle();
    run.end();
    const { status, report } = await run.ended;
    expect([status, foundIn(report)]).toEqual([1, { ...NONE, missing: 10 }]);
  });
});

describe('tickcast compare, as a process', () => {
  const compare = (...argv: string[]) => new TestProcess(MAIN, ['compare', ...argv]);

  it('exits 3 where a server cannot be reached, and says which', async () => {
    const old = await OldServer.start();
    const nobody = `ws://127.0.0.1:${await freePort()}/ws`;
    const { status, stdout, stderr } = await compare('--old', old.address, '--new', `${nobody}?token=S3CRET`).ended;
    expect(stdout).toMatch(
      /^There is no comparison\.\n {2}the new server cannot be reached: ws:\/\/127\.0\.0\.1:\d+\/ws\?…: connect /,
    );
    expect(stdout).not.toContain('S3CRET');
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
  });

  it('exits 3 where a path is none, with a hint', async () => {
    const old = await OldServer.start();
    const { port } = await startGateway();
    const { status, stdout } = await compare('--old', old.address, '--new', `ws://127.0.0.1:${port}/feed`).ended;
    expect(stdout).toContain('Unexpected server response: 400; is the path right? Most often it is /ws');
    expect(status).toBe(3);
  });

  it('reports what there is when it is interrupted, as text and into a file', async () => {
    const [old, now] = [await OldServer.start(), await OldServer.start()];
    const folder = mkdtempSync(join(tmpdir(), 'tickcast-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'report.json');
    const times = ['--seconds', '600', '--warm-up', '0', '--settle', '0'];
    const child = compare('--old', old.address, '--new', now.address, '--report', file, ...times);
    await until(() => old.clients + now.clients === 2, 'both connections');
    // Whenever it begins to measure, there is something behind it.
    for (let n = 0; n < 20; n++) {
      old.broadcast(trade('SYM0', n));
      now.broadcast({ ...trade('SYM0', n), note: '\u001b[31mred' });
      await Promise.all([old.settle(), now.settle()]);
    }
    child.kill('SIGINT');
    const { status, stdout, stderr } = await child.ended;
    expect(stderr).toMatch(/^tickcast: connected to both servers; the report comes in 600 s, Ctrl-C ends earlier\n$/);
    expect(stdout).toMatch(/^The servers differ\.\n {2}differing: \d+, allowed 0\n/);
    expect(stdout).toContain('ended early');
    expect(stdout).toContain('(absent) → "\\u001b[31mred"');
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    expect(report).toMatchObject({ format: 1, outcome: 'differ', exitStatus: 1, interrupted: true });
    expect(status).toBe(1);
  });

  it('exits 2 on arguments that cannot be used and names each', async () => {
    const { status, stdout, stderr } = await compare('--old', 'http://h/', '--nwe', 'ws://h/ws', '--seconds', '0')
      .ended;
    expect(stderr.split('\n')).toEqual([
      'tickcast: --old: "http://h/" is not allowed; allowed: an address such as ws://127.0.0.1:8080/ws or wss://example.com/ws (argument 1)',
      'tickcast: --nwe: there is no such option; did you mean --new? (argument 3)',
      'tickcast: --seconds: "0" is not allowed; allowed: 0.1 to 86400 (argument 5)',
      'tickcast: --new: is needed; allowed: an address such as ws://127.0.0.1:8080/ws or wss://example.com/ws (missing)',
      'compare --help lists the options and what they allow',
      '',
    ]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it('exits 2 before it connects where the report cannot be written', async () => {
    const { status, stderr } = await compare('--old', 'ws://h/ws', '--new', 'ws://h/ws', '--report', '/none/such')
      .ended;
    expect(stderr).toMatch(/^tickcast: --report: cannot be written: ENOENT/);
    expect(status).toBe(2);
  });

  it('prints every option on --help', async () => {
    const { COMPARE_OPTIONS } = await import('../../src/compare/compare-options.ts');
    const { status, stdout } = await compare('--nonsense', '--help').ended;
    for (const name of Object.keys(COMPARE_OPTIONS)) expect(stdout).toContain(`\n  --${name} `);
    expect(status).toBe(0);
  });
});
