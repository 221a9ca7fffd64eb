import { type BarChartOptions, barChart } from '../lib/bar-chart.ts';
import type { ResultDocument } from '../lib/benchmark.ts';
import { msOf, round } from '../lib/figures.ts';
import { markdownTable } from '../lib/page-tables.ts';
import { provenance, type ResultPage } from '../lib/result-page.ts';
import type { Row } from '../lib/table.ts';
import type { Compared, CompareLoad, IdleMemory } from './measure.ts';

/** What the result of the comparison holds. */
export interface CompareDetails {
  loads: { load: CompareLoad; rows: Compared[] }[];
  idle: IdleMemory[];
}

/** Behind the name of a server whose row the generator limited. */
const SATURATED_MARK = ' *';

/** What was delivered, how late, and at what cost. */
export function deliveryTable(rows: readonly Compared[]): Row[] {
  return rows.map((row) => ({
    server: row.server + (row.saturated ? SATURATED_MARK : ''),
    opened: row.opened,
    'deliveries/s': Math.round(row.delivered / row.seconds),
    'of asked, %': percent(row.delivered, askedOf(row)),
    'p50 ms': msOf(row.latencyUs.p50),
    'p95 ms': msOf(row.latencyUs.p95),
    'p99 ms': msOf(row.latencyUs.p99),
    'CPU µs/delivery': cpuUs(row),
    'server cores': round(row.cpuS / row.seconds),
    'bytes/delivery': round(row.bytesPerDelivery, 1),
    'RSS MiB': round(row.loadedMib, 0),
    'KiB/connection': kibEach(row.startMib, row.loadedMib, row.opened),
  }));
}

/** What became of what was due, and whether the generator kept up. */
export function accountRows(rows: readonly Compared[]): Row[] {
  return rows.map((row) => ({
    server: row.server + (row.saturated ? SATURATED_MARK : ''),
    'published, % of due': percent(row.published, row.due),
    owed: Math.round(row.owed),
    delivered: row.delivered,
    merged: row.merged,
    dropped: row.dropped,
    'queued before': Math.round(row.queuedBefore),
    'queued after': Math.round(row.queuedAfter),
    'unaccounted, % of owed': percent(unaccounted(row), row.owed),
    'generator cores': row.generatorCores,
    'its loop, %': round(100 * row.generatorLoop, 0),
    'its longest stall, ms': row.generatorDelayMaxMs,
  }));
}

export function idleRows(idle: readonly IdleMemory[]): Row[] {
  return idle.map(({ server, opened, startMib, openMib }) => ({
    server,
    opened,
    'RSS before, MiB': round(startMib, 1),
    'RSS, MiB': round(openMib, 1),
    'KiB/connection': kibEach(startMib, openMib, opened),
  }));
}

/** Tables and charts of docs/comparison.md. */
export function comparePage(result: ResultDocument): ResultPage {
  const { loads, idle } = result.details as CompareDetails;
  const rounds = loads[0]?.rows[0]?.rounds ?? 0;
  const seconds = loads[0]?.load.seconds ?? 0;
  const tables = loads.flatMap(({ load, rows }) => [
    `### ${load.name}`,
    markdownTable(deliveryTable(rows)),
    'What became of it:',
    markdownTable(accountRows(rows)),
  ]);
  return {
    sections: {
      origin: `${provenance(result)} Each row: ${seconds} s, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`,
      loads: tables.join('\n\n'),
      idle: markdownTable(idleRows(idle)),
    },
    images: {
      'compare-deliveries.svg': loadChart(loads, {
        title: 'Deliveries that were asked for and made',
        yLabel: '% of connections × messages',
        of: (row) => percent(row.delivered, askedOf(row)),
      }),
      'compare-latency.svg': loadChart(loads, {
        title: 'Latency, from when a publication was due to when a client has it',
        yLabel: '99th percentile, ms',
        yScale: 'log',
        of: (row) => msOf(row.latencyUs.p99),
      }),
      'compare-cpu.svg': loadChart(loads, {
        title: 'CPU of the whole server for a delivery',
        yLabel: 'µs',
        of: cpuUs,
      }),
      'compare-bytes.svg': loadChart(loads, {
        title: 'Bytes on the wire for a delivery, header included',
        yLabel: 'bytes',
        of: (row) => round(row.bytesPerDelivery, 1),
      }),
      'compare-memory.svg': barChart({
        title: 'Resident memory of an idle connection',
        xLabel: '',
        yLabel: 'KiB',
        groups: [`${idle[0]?.opened ?? 0} connections`],
        series: idle.map(({ server, startMib, openMib, opened }) => ({
          name: server,
          values: [kibEach(startMib, openMib, opened)],
        })),
      }),
    },
  };
}

interface LoadChart extends Pick<BarChartOptions, 'title' | 'yLabel' | 'yScale'> {
  of(row: Compared): number;
}

function loadChart(loads: CompareDetails['loads'], { of, ...options }: LoadChart): string {
  const servers = loads[0]?.rows.map(({ server }) => server) ?? [];
  return barChart({
    ...options,
    xLabel: 'load',
    groups: loads.map(({ load }) => load.name.replace(' connections', '')),
    series: servers.map((name, n) => ({ name, values: loads.map(({ rows }) => rows[n] && of(rows[n])) })),
  });
}

/** What does not add up; the server and the generator begin to count at moments that are some ms apart. */
function unaccounted({ owed, queuedBefore, delivered, merged, dropped, queuedAfter }: Compared): number {
  return owed + queuedBefore - delivered - merged - dropped - queuedAfter;
}

/** What all connections that were asked for should have got, whoever came in. */
function askedOf({ owed, published, opened, asked, due }: Compared): number {
  return published > 0 && opened > 0 ? (owed / published) * due * (asked / opened) : 0;
}

function cpuUs({ cpuS, delivered }: Compared): number {
  return delivered > 0 ? round((cpuS * 1e6) / delivered, 2) : 0;
}

function kibEach(startMib: number, mib: number, connections: number): number {
  return connections > 0 ? round(((mib - startMib) * 1024) / connections, 1) : 0;
}

function percent(part: number, of: number): number {
  // No -0 in a table.
  return of > 0 ? round((100 * part) / of, 1) + 0 : 0;
}
