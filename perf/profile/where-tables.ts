import { msOf, ratioOf, round } from '../lib/figures.ts';
import type { Row } from '../lib/table.ts';
import { PARTS, type Part } from './attribution.ts';
import type { MeasuredLoad, MeasuredThread } from './where-load.ts';

/** Less than this share, in per cent, of every load is not worth a row. */
const SHOWN_MIN = 0.05;

/** What went through, and what it took, while nobody looked closely. */
export function loadRows(measured: readonly MeasuredLoad[]): Row[] {
  return measured.map(({ load, threads, plain, latency, report }) => {
    const { seconds, deliveries, publications, writes } = plain;
    const [primary, shard] = [threadOf(threads, 'primary'), threadOf(threads, 'shard')];
    return {
      load: load.name,
      'deliveries/s': Math.round(deliveries / seconds),
      'a write': ratioOf(deliveries, writes),
      'p99 ms': msOf(latency.p99),
      'shard, cores': round(shard.usage.cpuUs / seconds / 1e6),
      'µs/delivery': ratioOf(shard.usage.cpuUs, deliveries),
      'µs/write': ratioOf(shard.usage.cpuUs, writes),
      'waits for a core, %': round((100 * shard.usage.waitedUs) / seconds / 1e6, 1),
      'sleeps/s': Math.round(shard.usage.slept / seconds),
      'primary, cores': round(primary.usage.cpuUs / seconds / 1e6),
      'µs/publication': ratioOf(primary.usage.cpuUs, publications),
      'its sleeps/s': Math.round(primary.usage.slept / seconds),
      'generator saturated': report.generator.saturated,
    };
  });
}

/**
 * A row for each part of a thread's busy time, a column for each load: its share in per cent, and of the CPU time that one
 * delivery (of a shard) or publication (of the primary) took while nobody looked, that share, µs.
 */
export function partRows(measured: readonly MeasuredLoad[], name: MeasuredThread['name']): Row[] {
  const columns = measured.map((one) => {
    const { parts, usage } = threadOf(one.threads, name);
    const { deliveries, publications } = one.plain;
    const eachUs = ratioOf(usage.cpuUs, name === 'shard' ? deliveries : publications);
    return { title: one.load.name, shares: busyShares(parts), eachUs };
  });
  const shown = PARTS.filter((part) => columns.some(({ shares }) => (shares.get(part) ?? 0) >= SHOWN_MIN));
  return shown.map((part) => {
    const cells = columns.map(({ title, shares, eachUs }) => {
      const share = shares.get(part) ?? 0;
      return [title, `${share.toFixed(1)} % · ${((share / 100) * eachUs).toFixed(3)}`];
    });
    return { [`${name}, % · µs`]: part, ...Object.fromEntries(cells) };
  });
}

/** System calls a second by kind, and all of them for what they were made for. */
export function callRows(measured: readonly MeasuredLoad[]): Row[] {
  return measured.flatMap(({ load, threads, counted }) =>
    threads.map(({ name, calls }) => {
      const all = [...calls.values()].reduce((sum, perS) => sum + perS, 0);
      const per = (count: number) => ratioOf(all, count / counted.seconds);
      return {
        load: load.name,
        thread: name,
        ...Object.fromEntries([...calls].map(([kind, perS]) => [kind, Math.round(perS)])),
        'all/s': Math.round(all),
        'a delivery, or publication': per(name === 'shard' ? counted.deliveries : counted.publications),
        'a socket write': name === 'shard' ? per(counted.writes) : '',
      };
    }),
  );
}

/** Per cent of the time in which a thread was not idle. */
export function busyShares(parts: ReadonlyMap<Part, number>): Map<Part, number> {
  const busy = [...parts].filter(([part]) => part !== 'idle');
  const total = busy.reduce((sum, [, us]) => sum + us, 0);
  return new Map(busy.map(([part, us]) => [part, total > 0 ? (100 * us) / total : 0]));
}

function threadOf(threads: readonly MeasuredThread[], name: MeasuredThread['name']): MeasuredThread {
  const found = threads.find((thread) => thread.name === name);
  if (found === undefined) throw new Error(`no ${name} was measured`);
  return found;
}
