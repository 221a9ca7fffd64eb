/**
 * Idle connections: what one costs in memory, how fast they come in, and whether the memory comes back after two waves
 * of them have come and gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { runLoad } from '../lib/load-process.ts';
import { processUsage } from '../lib/process-usage.ts';
import { type ServerProcess, startBaseline, startGateway } from '../lib/server-process.ts';
import type { Row } from '../lib/table.ts';
import type { LoadReport } from '../load/load-report.ts';

const WAVES = 2;
const LOOK_MS = 500;
/** Memory has settled when it has not fallen by this much between two looks, that many times. */
const SETTLED_MIB = 0.5;
const SETTLED_LOOKS = 8;

interface Sizes {
  connections: number;
  holdS: number;
  settleS: number;
}

interface Waves {
  server: string;
  startMib: number;
  waves: { report: LoadReport; afterMib: number }[];
}

export async function connections(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sizes: Sizes = settings.smoke
    ? { connections: 200, holdS: 0.4, settleS: 0.2 }
    : { connections: 10_000, holdS: 5, settleS: 60 };
  const gateway = () => startGateway({ 'source.kind': 'none', shards: 1, 'limits.connections': 0 });
  const baseline = () => startBaseline({ rate: 0, symbols: 1, payloadBytes: 0 });
  const details = [await measure('tickcast', gateway, sizes), await measure('plain ws', baseline, sizes)];
  return {
    sections: [{ title: `${sizes.connections} idle connections, ${WAVES} waves`, rows: details.flatMap(rowsOf) }],
    details,
    problems: details.flatMap(problemsOf),
  };
}

async function measure(server: string, start: () => Promise<ServerProcess>, sizes: Sizes): Promise<Waves> {
  const { pid, port, stop } = await start();
  try {
    const startMib = await settledMib(pid, sizes.settleS);
    const waves: Waves['waves'] = [];
    for (let wave = 0; wave < WAVES; wave++) {
      const { connections, holdS } = sizes;
      const load = { port, pids: [pid], connections, subscribe: 'none', warmupS: holdS / 2, seconds: holdS / 2 };
      const report = await runLoad(load);
      waves.push({ report, afterMib: await settledMib(pid, sizes.settleS) });
    }
    return { server, startMib, waves };
  } finally {
    await stop();
  }
}

/** Resident memory once it has stopped to fall, or after `timeoutS`: collectors give memory back in their own time. */
async function settledMib(pid: number, timeoutS: number): Promise<number> {
  const deadlineMs = performance.now() + timeoutS * 1000;
  let leastMib = processUsage([pid]).residentMib;
  let looks = 0;
  while (looks < SETTLED_LOOKS && performance.now() < deadlineMs) {
    await sleep(Math.min(LOOK_MS, timeoutS * 1000));
    const mib = processUsage([pid]).residentMib;
    looks = mib < leastMib - SETTLED_MIB ? 0 : looks + 1;
    leastMib = Math.min(leastMib, mib);
  }
  return processUsage([pid]).residentMib;
}

/** `× start` of the memory left after each wave; `× wave 1` shows a leak, which a first wave's warm-up would hide. */
function rowsOf({ server, startMib, waves }: Waves): Row[] {
  return waves.map(({ report, afterMib }, index) => {
    const openMib = report.server?.residentMib ?? 0;
    const beforeMib = index === 0 ? startMib : (waves[index - 1]?.afterMib ?? startMib);
    const ms = (us: number) => Number((us / 1000).toFixed(2));
    return {
      server,
      wave: index + 1,
      opened: report.opened,
      'all open in ms': report.connectMs,
      'connect p50 ms': ms(report.connectUs.p50),
      'connect p99 ms': ms(report.connectUs.p99),
      'before MiB': round(beforeMib),
      'open MiB': round(openMib),
      'after MiB': round(afterMib),
      'KiB/connection': round(((openMib - startMib) * 1024) / report.opened),
      '× start': round(afterMib / startMib),
      '× wave 1': round(afterMib / (waves[0]?.afterMib ?? afterMib)),
    };
  });
}

function problemsOf({ server, waves }: Waves): string[] {
  return waves.flatMap(({ report }, index) => {
    const where = `${server}, wave ${index + 1}`;
    const problems: string[] = [];
    if (report.opened !== report.asked) problems.push(`${where}: opened ${report.opened} of ${report.asked}`);
    if (report.closed > 0) problems.push(`${where}: ${report.closed} closed early`);
    if (report.protocolErrors > 0) problems.push(`${where}: ${report.protocolErrors} broke the protocol`);
    return problems;
  });
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
