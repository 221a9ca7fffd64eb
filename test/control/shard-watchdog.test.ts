import { beforeEach, describe, expect, it } from 'vitest';
import { ShardWatchdog, type WatchedShard } from '../../src/control/shard-watchdog.ts';
import { PHASE } from '../../src/telemetry/shard-phases.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { collectingLogger } from '../support/collected-lines.ts';

const INTERVAL_MS = 100;
const LIMIT_MS = 400;
const PLACE = 'spin (file:///x.ts:1:2)';

let log: ReturnType<typeof collectingLogger>;
let block: StatisticsBlock;
let ended: Error[];
let shard: { state: { index: number; status: WatchedShard['state']['status'] } };
let debugged: boolean;
let stacksRead: number;
/** Resolves the stack that is being read. */
let tellStack: (stack: string[]) => void;
let watchdog: ShardWatchdog;

beforeEach(() => {
  log = collectingLogger();
  block = new StatisticsBlock(StatisticsBlock.allocate());
  block.set('heartbeatMs', 1);
  ended = [];
  debugged = false;
  stacksRead = 0;
  shard = { state: { index: 0, status: 'running' } };
  watchdog = new ShardWatchdog({
    shards: [{ ...shard, endHung: (reason) => void ended.push(reason) }],
    blocks: [block],
    limitMs: LIMIT_MS,
    intervalMs: INTERVAL_MS,
    log,
    isDebugged: () => debugged,
    stackOf: () =>
      new Promise((resolve) => {
        stacksRead++;
        tellStack = resolve;
      }),
  });
});

function look(times: number): void {
  for (let time = 0; time < times; time++) watchdog.look();
}

async function tell(stack: string[]): Promise<void> {
  tellStack(stack);
  await new Promise((resolve) => setImmediate(resolve));
}

const LOOKS = LIMIT_MS / INTERVAL_MS;

describe('the watchdog of the shards', () => {
  it('ends a shard that has been silent for the limit, with where it was', async () => {
    block.set('phase', PHASE.command);
    block.set('commandOf', 17);
    look(LOOKS);
    expect(log.lines).toEqual([]);
    look(1);
    // It goes on looking while the stack is read; that takes nobody's turn.
    look(3);
    await tell([PLACE, 'run (file:///y.ts:3:4)']);
    const fields = { shard: 0, silentMs: LIMIT_MS, phase: 'command', connection: 17 };
    expect(log.lines).toMatchObject([{ level: 'error', fields, message: 'WebSocket shard hung' }]);
    expect(ended).toHaveLength(1);
    expect(ended[0]!.message).toBe(`The event loop has not turned for 400 ms; phase command, at ${PLACE}`);
    expect(ended[0]!.stack).toMatch(/^Error: The event loop .*\n {4}at spin .*\n {4}at run .*:4\)$/);
  });

  it('tells the phase where there is no stack', async () => {
    block.set('phase', PHASE.flushing);
    look(LOOKS + 1);
    await tell([]);
    expect(log.lines).toMatchObject([{ fields: { phase: 'flushing', stack: [] } }]);
    expect(log.lines[0]!.fields).not.toHaveProperty('connection');
    expect(ended[0]!.message).toBe('The event loop has not turned for 400 ms; phase flushing');
  });

  it('spares one that turns again while its stack is read, and notices its next hang', async () => {
    look(LOOKS + 1);
    block.set('heartbeatMs', 2);
    await tell([PLACE]);
    expect([ended, log.lines]).toEqual([[], []]);
    look(LOOKS + 1);
    await tell([PLACE]);
    expect(ended).toHaveLength(1);
  });

  it('spares one that is told to stop while its stack is read', async () => {
    look(LOOKS + 1);
    shard.state.status = 'draining';
    await tell([PLACE]);
    expect(ended).toEqual([]);
  });

  it.each(['starting', 'restarting', 'draining', 'stopped'] as const)('leaves one alone that is %s', (status) => {
    shard.state.status = status;
    look(10 * LOOKS);
    shard.state.status = 'running';
    look(LOOKS);
    expect(stacksRead).toBe(0);
    look(1);
    expect(stacksRead).toBe(1);
  });

  it('leaves all alone while a debugger may have stopped them', () => {
    debugged = true;
    look(10 * LOOKS);
    debugged = false;
    look(LOOKS);
    expect(stacksRead).toBe(0);
    look(1);
    expect(stacksRead).toBe(1);
  });
});
