import { mkdirSync, writeFileSync } from 'node:fs';
import { medianOf, round } from '../lib/figures.ts';
import { describeMachine, gitCommit } from '../lib/machine.ts';
import { createProfileDirectory } from '../lib/profile-directory.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import type { Row } from '../lib/table.ts';
import { plots } from './plots.ts';
import type { Sample } from './sampler.ts';
import type { SoakRun } from './soak-run.ts';
import { sumOf } from './soak-totals.ts';
import { failures, growths, rateText } from './verdicts.ts';

const KEPT_DIRECTORY = `${PROJECT_DIRECTORY}perf/results/soak`;

export interface SoakSection {
  title: string;
  rows: Row[];
}

/** What a soak has shown, as tables. */
export function soakSections(run: SoakRun): SoakSection[] {
  return [
    { title: 'The run', rows: [runRow(run)] },
    { title: 'What became of everything, over all clients', rows: [accountRow(run)] },
    { title: 'Clients', rows: [clientRow(run)] },
    { title: 'Growth, without the beginnings of lives', rows: growthRows(run) },
    { title: 'Event loop delay, 99th percentile of each look, ms', rows: delayRows(run) },
    { title: 'Descriptors without connections', rows: descriptorRows(run) },
  ];
}

/** Writes report.md, report.json, samples.ndjson and the pictures. @returns the directory */
export function writeSoakReport(run: SoakRun): string {
  const directory = run.options.isKept ? KEPT_DIRECTORY : createProfileDirectory('soak');
  mkdirSync(directory, { recursive: true });
  const about = { date: new Date().toISOString(), commit: gitCommit(), machine: describeMachine() };
  const { samples, totals, ...others } = run;
  const document = {
    ...about,
    ...others,
    totals: { ...totals, problems: totals.problems.list() },
    growths: growths(run),
    failures: failures(run),
  };
  const lines = samples.map((sample) => `${JSON.stringify(sample, shortened)}\n`);
  writeFileSync(`${directory}/report.json`, `${JSON.stringify(document, shortened, 2)}\n`);
  writeFileSync(`${directory}/samples.ndjson`, lines.join(''));
  writeFileSync(`${directory}/report.md`, markdown(run, about));
  for (const [name, text] of Object.entries(plots(run))) writeFileSync(`${directory}/${name}`, text);
  return directory;
}

function runRow({ options, seconds, publications, disturbances, isCutShort }: SoakRun): Row {
  const count = (kind: string) => disturbances.filter((each) => each.kind === kind).length;
  return {
    minutes: round(seconds / 60, 1),
    'cut short': isCutShort,
    instances: options.instances,
    'shards each': options.shards,
    'clients at a time': options.clients,
    publications,
    'publications/s': Math.round(publications / seconds),
    reloads: count('reload'),
    'shard crashes': count('crash of a shard'),
    seed: options.seed,
  };
}

function accountRow({ totals }: SoakRun): Row {
  const { published, delivered, merged, dropped, gaps, snapshots } = totals.account;
  return {
    owed: published,
    delivered,
    merged,
    dropped: sumOf(dropped),
    ...Object.fromEntries(Object.entries(dropped).map(([reason, count]) => [`of them ${reason}`, count])),
    'unaccounted for': totals.unaccounted,
    gaps,
    snapshots,
  };
}

function clientRow({ totals }: SoakRun): Row {
  const { account, clients, connections, tooEarly, ledgers, refusals, closes, problems } = totals;
  return {
    clients,
    connections,
    'ledgers compared': ledgers,
    'chains broken': problems.count,
    resumptions: account.resumptions,
    replayed: account.replayed,
    ...Object.fromEntries(Object.entries(refusals).map(([reason, count]) => [`refused ${reason}`, count])),
    ...Object.fromEntries(Object.entries(closes).map(([code, count]) => [`closed ${code}`, count])),
    'left at once': tooEarly,
  };
}

function growthRows(run: SoakRun): Row[] {
  return growths(run).map(({ what, unit, trend, allowed, hasGrown }) => ({
    what,
    level: trend === undefined ? '' : `${round(trend.level, 1)} ${unit}`.trim(),
    slope: trend === undefined ? 'too short to say' : rateText(trend, unit),
    'longest life, s': Math.round(trend?.secondsMax ?? 0),
    'grows in it by':
      trend === undefined ? '' : `${round((trend.perHour * trend.secondsMax) / 3_600, 1)} ${unit}`.trim(),
    allowed: trend === undefined ? '' : `${round(allowed, 1)} ${unit}`.trim(),
    lives: trend?.stretches ?? 0,
    'has grown': hasGrown,
  }));
}

function delayRows({ samples, options }: SoakRun): Row[] {
  const row = (thread: string, of: (sample: Sample) => number | undefined) => {
    const values = samples.map(of).filter((value) => value !== undefined);
    return { thread, median: round(medianOf(values), 1), most: round(Math.max(0, ...values), 1) };
  };
  const shards = Array.from({ length: options.shards }, (_, shard) => shard);
  return [
    row('primary', ({ delayP99Ms }) => delayP99Ms),
    ...shards.map((shard) => row(`shard ${shard}`, (sample) => sample.shards[shard]?.delayP99Ms)),
  ];
}

function descriptorRows({ idle }: SoakRun): Row[] {
  return idle.after.map(({ slot, pid, otherDescriptors }) => {
    const before = idle.before.find((sample) => sample.slot === slot);
    const process = before?.pid === pid ? 'the same' : 'another';
    return {
      instance: slot,
      'before the first client': before?.otherDescriptors ?? 0,
      'behind the last': otherDescriptors,
      process,
    };
  });
}

function markdown(run: SoakRun, { date, commit, machine }: { date: string; commit: string; machine: object }): string {
  const found = failures(run);
  return [
    '# Soak',
    '',
    `${date}, commit ${commit}, ${Object.values(machine).join(', ')}.`,
    '',
    found.length === 0 ? '**Passed.**' : ['**Failed:**', '', ...found.map((text) => `- ${text}`)].join('\n'),
    ...soakSections(run).flatMap(({ title, rows }) => ['', `## ${title}`, '', ...tableLines(rows)]),
    '',
    ...Object.keys(plots(run)).map((name) => `![](${name})`),
    '',
  ].join('\n');
}

/** A table of one row stands better on its side. */
function tableLines(rows: readonly Row[]): string[] {
  const [first] = rows;
  if (first === undefined) return ['nothing'];
  const line = (cells: readonly unknown[]) => `| ${cells.map(shown).join(' | ')} |`;
  if (rows.length === 1) return ['| | |', '|---|---|', ...Object.entries(first).map(line)];
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return [
    line(columns),
    `|${'---|'.repeat(columns.length)}`,
    ...rows.map((row) => line(columns.map((column) => row[column]))),
  ];
}

function shown(cell: unknown): string {
  return typeof cell === 'number' ? cell.toLocaleString('en') : String(cell ?? '');
}

/** Two places are all that anybody reads. */
function shortened(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? round(value) : value;
}
