import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { catchUp } from '../../perf/truth/catch-up.ts';
import { CheckedClient } from '../../perf/truth/checked-client.ts';
import { MarketLog, topicOfPublication } from '../../perf/truth/market-log.ts';
import { truthReport } from '../../perf/truth/truth-report.ts';
import { createConfig } from '../../src/config/load-config.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { RecordingSource } from '../../src/source/recording.ts';
import { HeldSource } from '../support/held-source.ts';
import { inventedRecording, realRecording } from '../support/recordings.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';
import { startGateway } from '../support/test-gateway.ts';

const NAMES = ['coinbase', 'bybit', 'kraken'] as const;
const READERS = 3;
const MIB = 1024 * 1024;
/** Bytes of books to play: of real ones, several times what a paused reader's socket can hold on both its sides. */
const BYTES = { invented: 1 * MIB, real: 32 * MIB };
const PAUSE_MS_MAX = 1_500;
const READ_MS_MAX = 60;

/** Logs everything that the gateway publishes, in the same order. */
class LogChannel {
  readonly id = 'log';
  readonly name = 'log';
  readonly type = 'custom';
  readonly enabled = true;
  readonly log = new MarketLog();
  bytes = 0;

  output(publication: Publication): void {
    this.log.add(topicOfPublication(publication), publication);
    this.bytes += JSON.stringify(publication.data).length;
  }

  close(): void {}

  getStatus() {
    const { id, name, type, enabled } = this;
    return {
      id,
      name,
      type,
      enabled,
      connected: true,
      messagesSent: 0,
      errors: 0,
      lastActivity: 0,
      health: 'healthy',
    } as const;
  }
}

/** Plays a recording over and over, to readers that pause at random, and reports what they made of it. */
async function play(file: string, bytes: number, random: SeededRandom) {
  const { recording } = createConfig({ source: { recording: { file, speed: 'max', loop: true } } }).source;
  const source = new HeldSource(new RecordingSource(recording));
  const channel = new LogChannel();
  const { gateway, port } = await startGateway(
    { limits: { pendingBytes: 0, pendingMessages: 0 }, ring: { bytes: 64 * MIB }, slow: { maxLagMs: 600_000 } },
    { source },
  );
  gateway.dataFlow.registerChannel(channel);
  const clients = Array.from({ length: READERS }, (_, n) => new CheckedClient({ port, client: `reader ${n}` }));
  for (const client of clients) {
    await client.open();
    await client.subscribe({ dataTypes: ['depth'] });
  }
  await source.letGo();
  const ending = new AbortController();
  const reading = clients.map((client) => readAtRandom(client, random, ending.signal));
  while (channel.bytes < bytes) await sleep(20);
  await source.stop();
  ending.abort();
  await Promise.all(reading);
  const late = await Promise.all(clients.map((client) => catchUp(client, channel.log.log.total)));
  for (const client of clients) client.reset();
  return truthReport(
    channel.log,
    clients,
    late.filter((problem) => problem !== undefined),
  );
}

async function readAtRandom(client: CheckedClient, random: SeededRandom, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    client.pause();
    await sleep(random.below(PAUSE_MS_MAX));
    client.resume();
    await sleep(random.below(READ_MS_MAX));
  }
}

describe('a book, read by fits and starts', () => {
  const files = NAMES.flatMap((name) => [
    { name, kind: 'invented' as const, file: inventedRecording(name) },
    { name, kind: 'real' as const, file: realRecording(name) },
  ]);

  for (const { name, kind, file } of files) {
    it.skipIf(file === undefined)(
      `equals the book made of all updates, at every frame: ${name}, ${kind}`,
      async () => {
        const random = new SeededRandom(seedOfRun('merged book'));
        const report = await play(file as string, BYTES[kind], random);
        expect(report.problems).toEqual([]);
        expect(report.account.delivered).toBeGreaterThan(0);
        expect(report.account.dropped).toEqual({});
        expect(report.booksCompared).toBeGreaterThan(0);
        if (kind === 'real') expect(report.account.merged).toBeGreaterThan(0);
      },
      60_000,
    );
  }
});
