/** Where the time goes: CPU time of each thread by what it is spent on, system calls, at four loads; and where memory goes. */
import { join } from 'node:path';
import { errorMessage } from '../../src/util/errors.ts';
import { describeMachine, gitCommit } from '../lib/machine.ts';
import { markdownTable, writeSections } from '../lib/page-tables.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { formatTable, type Row } from '../lib/table.ts';
import { numberOption } from '../load/number-option.ts';
import { connectionMemory } from './connection-memory.ts';
import { handshakeCost } from './handshake-cost.ts';
import { numbersOrExit } from './profile-options.ts';
import { statusOf } from './profile-run.ts';
import { type MeasuredLoad, measureWhere, type WhereLoad } from './where-load.ts';
import { callRows, loadRows, partRows } from './where-tables.ts';

const PAGE = join(PROJECT_DIRECTORY, 'docs/where-time-goes.md');

const LOADS: readonly WhereLoad[] = [
  { name: 'a', connections: 1_000, topics: 1, topicsEach: 1, rate: 1_000, subscribe: 'filter' },
  { name: 'b', connections: 1_000, topics: 100, topicsEach: 10, rate: 5_000, subscribe: 'filter' },
  { name: 'c', connections: 10_000, topics: 1_000, topicsEach: 2, rate: 2_000, subscribe: 'filter' },
  { name: 'd', connections: 1_000, topics: 200, topicsEach: 10, rate: 2_000, subscribe: 'random' },
];

const OPTIONS = [
  numberOption('seconds', 'seconds', 0.5, 30, 3, 'how long each look at a load lasts', false),
  numberOption('scale', 'scale', 1, 1_000, 1, 'connections and rates are divided by this: to try the script'),
  numberOption('idle', 'idle', 100, 10_000, 10_000, 'connections whose memory is measured'),
  numberOption('write', 'write', 0, 1, 0, '1: writes the tables into docs/where-time-goes.md'),
];

async function main(): Promise<number> {
  const { seconds = 3, scale = 1, idle = 10_000, write } = numbersOrExit('profile:where', OPTIONS);
  const measured: MeasuredLoad[] = [];
  for (const load of LOADS) {
    const connections = Math.max(1, Math.round(load.connections / scale));
    measured.push(await measureWhere({ ...load, connections, rate: Math.max(1, load.rate / scale) }, seconds));
  }
  const sections: Record<string, Row[]> = {
    loads: loadRows(measured),
    shard: partRows(measured, 'shard'),
    primary: partRows(measured, 'primary'),
    calls: callRows(measured),
    memory: await connectionMemory(idle),
    handshake: await handshakeCost(idle),
  };
  for (const [name, rows] of Object.entries(sections)) console.log(`\n${name}\n\n${formatTable(rows)}`);
  const countedBy = measured[0]?.countedBy ?? 'nothing';
  if (countedBy === 'nothing') console.log('\nNeither perf nor strace could count system calls.');
  if (write === 1) {
    const texts = Object.entries(sections).map(([name, rows]) => [name, markdownTable(rows)]);
    writeSections(PAGE, { ...Object.fromEntries(texts), machine: machineText(countedBy) });
  }
  return statusOf(measured.flatMap(problemsOf));
}

function machineText(countedBy: string): string {
  const { cpu, cores, kernel, node } = describeMachine();
  return `${cpu}, ${cores} cores, ${kernel}, Node ${node}; commit ${gitCommit()}. System calls counted by ${countedBy}.`;
}

function problemsOf({ load, report, plain }: MeasuredLoad): string[] {
  const problems: string[] = [];
  if (report.opened < report.asked) problems.push(`${load.name}: only ${report.opened} of ${report.asked} opened`);
  if (plain.deliveries === 0) problems.push(`${load.name}: nothing was delivered`);
  return problems;
}

process.exit(
  await main().catch((error) => {
    console.error(`FAILED ${errorMessage(error)}`);
    return 1;
  }),
);
