import { close as closeInspector, open as openInspector } from 'node:inspector';
import { beforeEach, describe, expect, it } from 'vitest';
import { PrimaryPulse } from '../../src/control/primary-pulse.ts';
import { PrimaryWatch, type PrimaryWatchParts } from '../../src/shard/primary-watch.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { collectingLogger } from '../support/collected-lines.ts';

const INTERVAL_MS = 1_000;
const LIMIT_MS = 8_000;
const LOOKS = LIMIT_MS / INTERVAL_MS;

let memory: SharedArrayBuffer;
let primary: PrimaryPulse;
let log: ReturnType<typeof collectingLogger>;
/** What happened, in order. */
let events: string[];

beforeEach(() => {
  memory = PrimaryPulse.allocate();
  primary = new PrimaryPulse(memory);
  primary.beat();
  log = collectingLogger();
  events = [];
});

function watchOf(name: string, parts: Partial<PrimaryWatchParts> = {}) {
  const statistics = new StatisticsBlock(StatisticsBlock.allocate());
  const watch = new PrimaryWatch({
    pulse: new PrimaryPulse(memory),
    intervalMs: INTERVAL_MS,
    limitMs: LIMIT_MS,
    ownsProcess: true,
    statistics,
    log,
    abandon: () => void events.push(`${name} abandons`),
    stack: async () => ['spin'],
    lastWords: async ({ silentMs, stack }, message) => {
      events.push(`${name} says: ${message}, ${silentMs} ms, ${JSON.stringify(stack)}`);
    },
    kill: () => void events.push(`${name} kills`),
    ...parts,
  });
  return { watch, statistics };
}

function look(times: number, ...watches: PrimaryWatch[]): void {
  for (let time = 0; time < times; time++) for (const watch of watches) watch.look();
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

describe('the watch over the primary', () => {
  it('says nothing while the primary beats', async () => {
    const { watch } = watchOf('a');
    for (let time = 0; time < 100; time++) {
      primary.beat();
      look(3, watch);
    }
    await turns();
    expect([watch.silentMs, events]).toEqual([0, []]);
  });

  it('takes the primary for silent at half the limit, and gives up what waits for it, once', () => {
    const { watch, statistics } = watchOf('a');
    look(LOOKS / 2, watch);
    expect(watch.silentMs).toBe(0);
    look(2, watch);
    expect(watch.silentMs).toBe(5_000);
    expect([events, statistics.get('primarySilences')]).toEqual([['a abandons'], 1]);
    primary.beat();
    look(1, watch);
    expect(watch.silentMs).toBe(0);
    look(5, watch);
    expect([events, statistics.get('primarySilences')]).toEqual([['a abandons', 'a abandons'], 2]);
  });

  it('lets the first shard that notices it act: last words, then the end', async () => {
    const { watch: a } = watchOf('a');
    const { watch: b } = watchOf('b');
    look(LOOKS + 1, a, b);
    await turns();
    expect(events.filter((event) => !event.endsWith('abandons'))).toEqual([
      'a says: WebSocket primary hung, 8000 ms, ["spin"]',
      'a kills',
    ]);
  });

  it('lets another one end the process where the first has come to grief', async () => {
    const { watch: a } = watchOf('a', { stack: () => new Promise(() => {}) });
    const { watch: b } = watchOf('b');
    look(LOOKS + 1, a, b);
    look(4, b);
    expect(events).not.toContain('b kills');
    look(1, b);
    expect(events).toContain('b kills');
  });

  it('spares a primary that comes round while its stack is read, and acts on its next silence', async () => {
    const { watch } = watchOf('a');
    look(LOOKS + 1, watch);
    primary.beat();
    await turns();
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'WebSocket primary hung, and turns again' }]);
    look(LOOKS + 1, watch);
    await turns();
    expect(events.at(-1)).toBe('a kills');
  });

  it('only tells the log in a process that is not its own', async () => {
    const { watch } = watchOf('a', { ownsProcess: false });
    look(10 * LOOKS, watch);
    await turns();
    expect(log.lines).toEqual([
      { level: 'error', fields: { silentMs: 8_000, stack: ['spin'] }, message: 'WebSocket primary hung' },
    ]);
    expect(events).toEqual(['a abandons']);
  });

  it('leaves a primary alone that a debugger may have stopped', () => {
    const { watch } = watchOf('a');
    look(1, watch);
    openInspector(0, '127.0.0.1');
    try {
      primary.beat();
    } finally {
      closeInspector();
    }
    look(10 * LOOKS, watch);
    expect([watch.silentMs, events]).toEqual([0, []]);
    primary.beat();
    look(LOOKS, watch);
    expect(events).toEqual(['a abandons']);
  });

  it('never ends anything where the limit is 0, but knows a silence', async () => {
    const { watch } = watchOf('a', { limitMs: 0 });
    look(1_000, watch);
    await turns();
    expect([watch.silentMs, events]).toEqual([999_000, ['a abandons']]);
  });
});
