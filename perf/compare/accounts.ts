import { readFileSync } from 'node:fs';
import { nowUs } from '../../src/util/clock.ts';
import { readApi, slowFigures } from '../lib/gateway-metrics.ts';

/** What a server says of the measured time. */
export interface Account {
  published: number;
  /** Since it started, when the measured time begins; this and the next publication's `seq` are one apart. */
  publishedBefore: number;
  merged: number;
  dropped: number;
}

/** Notes when the measured time begins and ends, and asks the server what it did in between. */
export interface AccountKeeper {
  begin(): void;
  end(): void;
  /** After both. */
  account(): Promise<Account>;
}

/** Of a gateway: what its metrics gained. @param port where the primary answers, so that no shard is asked */
export function gatewayAccount(port: number): AccountKeeper {
  const noteNow = () => readApi(port, 'metrics').then(accountOf);
  const notes: Promise<Omit<Account, 'publishedBefore'>>[] = [];
  return {
    begin: () => void notes.push(noteNow()),
    end: () => void notes.push(noteNow()),
    account: async () => {
      const [before, after] = await Promise.all(notes);
      if (before === undefined || after === undefined) throw new Error('the measured time has not begun and ended');
      return {
        published: after.published - before.published,
        publishedBefore: before.published,
        merged: after.merged - before.merged,
        dropped: after.dropped - before.dropped,
      };
    },
  };
}

function accountOf(text: string): Omit<Account, 'publishedBefore'> {
  const { merged, dropped } = slowFigures(text);
  return { published: publishedOf(text), merged, dropped };
}

function publishedOf(text: string): number {
  return Number(/^tickcast_publications_total(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1] ?? 0);
}

/** Of a baseline, which merges and drops nothing. @param file that it writes down in what it has published */
export function baselineAccount(file: string): AccountKeeper {
  let [beginUs, endUs] = [0, 0];
  return {
    begin: () => {
      beginUs = nowUs();
    },
    end: () => {
      endUs = nowUs();
    },
    account: async () => {
      const samples = samplesOf(readFileSync(file, 'utf8'));
      const publishedBefore = publishedAt(samples, beginUs);
      return { published: publishedAt(samples, endUs) - publishedBefore, publishedBefore, merged: 0, dropped: 0 };
    },
  };
}

/** How many had been published at which µs since the epoch, oldest first. */
export type PublishedSamples = (readonly [atUs: number, published: number])[];

/** A last line that is cut off does not count. */
function samplesOf(text: string): PublishedSamples {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter(Boolean).map((line) => {
    const [atUs, published] = line.split(' ');
    return [Number(atUs), Number(published)] as const;
  });
}

/** How many had been published at a moment, between two samples by the straight line. @param samples oldest first */
export function publishedAt(samples: PublishedSamples, atUs: number): number {
  const after = samples.findIndex(([sampleUs]) => sampleUs >= atUs);
  if (after < 0) return samples.at(-1)?.[1] ?? 0;
  const [afterUs, afterCount] = samples[after] as readonly [number, number];
  const [beforeUs, beforeCount] = samples[after - 1] ?? [afterUs, afterCount];
  if (afterUs === beforeUs) return afterCount;
  return beforeCount + ((afterCount - beforeCount) * (atUs - beforeUs)) / (afterUs - beforeUs);
}
