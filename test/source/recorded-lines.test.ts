import { expect, it } from 'vitest';
import { recordedPublications } from '../../perf/lib/recorded-publications.ts';
import { asRead, outcomeOf } from '../support/line-outcome.ts';
import { inventedRecording } from '../support/recordings.ts';

it.each(['binance-futures', 'bybit', 'coinbase', 'kraken'])(
  'gives clients recorded traffic of %s alike, parsed or as it came',
  async (exchange) => {
    const publications = await recordedPublications(inventedRecording(exchange));
    const lines = publications.map((publication) => JSON.stringify(publication));
    // Twice, since a topic that is new is parsed.
    const all = [...lines, ...lines];
    const [parsed, passed] = [await outcomeOf(all, [], false, 1e6), await outcomeOf(all, [], true, 1e6)];
    expect(asRead(passed.told)).toEqual(asRead(parsed.told));
    expect(parsed.told.frames.length).toBe(all.length);
    expect(passed.texts).toBeGreaterThan(0);
  },
);
