import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exchangeOfUrl, knownHosts } from '../../src/source/recording-exchange.ts';
import { loadTardisMappers, TardisNormaliser } from '../../src/source/tardis-normaliser.ts';

const page = readFileSync(new URL('../../docs/sources.md', import.meta.url), 'utf8');

describe('the hosts of exchanges', () => {
  it('are listed in docs/sources.md, each with its exchange, and no others', () => {
    const table = page.slice(page.indexOf('<!-- hosts'), page.indexOf('<!-- end of hosts'));
    const documented = [...table.matchAll(/^\| `(\S+)` \| `(\S+)` \|$/gm)].map(([, host, exchange]) => [
      host,
      exchange,
    ]);
    const known = knownHosts().map((host) => [host, exchangeOfUrl(`wss://${host}/`)]);
    expect(new Set(documented.map(String))).toEqual(new Set(known.map(String)));
    expect(documented).toHaveLength(known.length);
  });

  it('all name exchanges that can be normalised', async () => {
    const tardis = await loadTardisMappers();
    for (const host of knownHosts()) {
      const exchange = exchangeOfUrl(`wss://${host}/`) as string;
      expect(() => new TardisNormaliser(tardis, exchange, 1_625_130_000_000_000), host).not.toThrow();
    }
  });
});
