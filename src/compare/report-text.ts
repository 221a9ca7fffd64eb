import { showName } from '../config/reading.ts';
import type { DifferenceKind } from './differences.ts';
import type { FieldRow } from './field-table.ts';
import { FINDINGS, type Reason, type UnmatchedExample } from './findings.ts';
import type { Report, ServerReport } from './report.ts';
import { SIDES } from './side.ts';
import type { SignedSummary } from './signed-histogram.ts';

const HEADLINES: Readonly<Record<Report['outcome'], string>> = {
  agree: 'The servers agree.',
  differ: 'The servers differ.',
  nothing: 'There is nothing to compare.',
  unreachable: 'There is no comparison.',
};
const MEANINGS: Readonly<Record<(typeof FINDINGS)[number], string>> = {
  missing: 'only the old server sent them',
  extra: 'only the new server sent them',
  reordered: 'the new server sent them later than one that followed them',
  differing: 'with a value that differs',
  types: 'with a number that is a text on the other server',
};
const KINDS: Readonly<Record<DifferenceKind, string>> = {
  value: '',
  type: 'number or text',
  spelling: 'spelling, accepted',
  derived: 'said once more, accepted',
};
const ACCEPTED: ReadonlySet<DifferenceKind> = new Set(['spelling', 'derived']);
const REASONS: Readonly<Record<Reason, string>> = {
  merged: 'merged into a later message',
  dropped: 'announced as dropped',
  disconnected: 'while a connection was lost',
};
/** Above this, what is late may be so because of the comparison. */
const BUSY_PERCENT = 80;
const FIELDS_SHOWN = 20;
const TOPICS_SHOWN = 10;

/** The report for people. */
export function reportText(report: Report): string {
  const head = [HEADLINES[report.outcome], ...report.reasons.map((reason) => `  ${reason}`)];
  if (report.outcome === 'unreachable') return `${head.join('\n')}\n`;
  const servers = SIDES.map((side) => `${side}  ${serverLine(report.servers[side])}`);
  const blocks = [head, servers, counts(report), fields(report), ...examples(report), topics(report), latency(report)];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function serverLine(server: ServerReport): string {
  const others = Object.entries(server.others).map(([type, count]) => `${showName(type)} ${count}`);
  const parts = [
    `${server.address}: ${server.publications} publications in ${server.messages} messages, ${server.bytes} bytes`,
    ...told('outside the filter', server.filtered),
    ...told('unusable', server.unusable),
    ...(others.length > 0 ? [`not compared: ${others.join(', ')}`] : []),
    ...server.outages.map(outageText),
    ...server.errors.map((error) => `error ${error}`),
  ];
  return parts.join('\n     ');
}

function outageText({ from, seconds, code, reason }: ServerReport['outages'][number]): string {
  const length = seconds === null ? 'to the end' : `for ${seconds} s`;
  return `connection lost at ${from} ${length}: ${code}${reason === '' ? '' : ` ${JSON.stringify(reason)}`}`;
}

function told(what: string, count: number): string[] {
  return count > 0 ? [`${what}: ${count}`] : [];
}

function counts(report: Report): string[] {
  const { filter, ignored, interrupted, measuredSeconds } = report;
  const scope = [
    `${report.publications} publications of ${report.topics} topic${report.topics === 1 ? '' : 's'} in ${measuredSeconds} s`,
    ...(interrupted ? ['ended early'] : []),
    ...(report.busyPercent > BUSY_PERCENT ? [`the comparison itself was ${report.busyPercent} % busy`] : []),
    ...(filter === null ? [] : [`filter ${JSON.stringify(filter)}`]),
    ...(ignored.length === 0 ? [] : [`without ${ignored.join(', ')}`]),
  ];
  return [
    scope.join('; '),
    row('identical', report.identical, ''),
    ...FINDINGS.map((finding) => {
      const { count, percent, allowed } = report.findings[finding];
      return row(finding, count, `${count === 0 ? '' : `${percent} %, `}allowed ${allowed}: ${MEANINGS[finding]}`);
    }),
    ...explanations('missing', report),
    ...explanations('extra', report),
    ...unjudged(report),
  ];
}

function unjudged({ unjudged: { givenUp, late } }: Report): string[] {
  const rows = [
    row('unjudged', givenUp, 'given up, since too much waited'),
    row('unjudged', late.old, 'from the old server, while the new one was too far behind'),
    row('unjudged', late.new, 'from the new server, while the old one was too far behind'),
  ];
  return rows.filter((_, at) => [givenUp, late.old, late.new][at]! > 0);
}

function explanations(finding: 'missing' | 'extra', { explained }: Report): string[] {
  return (Object.keys(REASONS) as Reason[])
    .filter((reason) => explained[finding][reason] > 0)
    .map((reason) => row('explained', explained[finding][reason], `not counted as ${finding}: ${REASONS[reason]}`));
}

function row(name: string, count: number, meaning: string): string {
  return `  ${name.padEnd(10)}${String(count).padStart(10)}  ${meaning}`.trimEnd();
}

/** What is accepted comes last, in a line each: it is nothing to look into. */
function fields({ fields: rows, fieldsBeyond }: Report): string[] {
  if (rows.length === 0) return [];
  const judged = rows.filter(({ kind }) => !ACCEPTED.has(kind)).slice(0, FIELDS_SHOWN);
  const accepted = rows.filter(({ kind }) => ACCEPTED.has(kind)).slice(0, FIELDS_SHOWN);
  const more = rows.length - judged.length - accepted.length + fieldsBeyond;
  return [
    'Fields that differ, old → new',
    ...judged.flatMap((field) => [fieldLine(field), ...field.examples.map(fieldExample)]),
    ...accepted.map(fieldLine),
    ...(more > 0 ? [`  and ${more} more, see --report`] : []),
  ];
}

function fieldLine({ path, kind, count }: FieldRow): string {
  return `  ${showName(path)}  ${count}${KINDS[kind] === '' ? '' : `  (${KINDS[kind]})`}`;
}

function fieldExample(pair: FieldRow['examples'][number]): string {
  return `      ${showLine(pair.topic)}: ${pair.old} → ${pair.new}`;
}

function examples({ examples: found }: Report): string[][] {
  return (['missing', 'extra'] as const).map((finding) =>
    found[finding].length === 0 ? [] : [`For example ${finding}`, ...found[finding].map(exampleLine)],
  );
}

function exampleLine({ topic, at, publication }: UnmatchedExample): string {
  return `  ${at} ${showLine(topic)}: ${publication}`;
}

function topics({ worstTopics }: Report): string[] {
  if (worstTopics.length === 0) return [];
  const rows = worstTopics.slice(0, TOPICS_SHOWN).map(({ topic, pairs, ...found }) => {
    const told = FINDINGS.filter((finding) => found[finding] > 0).map((finding) => `${finding} ${found[finding]}`);
    return `  ${showLine(topic)}: ${told.join(', ')}; pairs ${pairs}`;
  });
  return ['Topics that differ most', ...rows];
}

function latency({ latency: { newAfterOldMs, first }, servers }: Report): string[] {
  if (newAfterOldMs.count === 0) return [];
  return [
    'Latency, ms',
    `  new after old   ${percentiles(newAfterOldMs)}; first: new ${first.new}, old ${first.old}, both ${first.both}`,
    ...SIDES.filter((side) => servers[side].ageMs.count > 0).map(
      (side) => `  ${side}, since the publication's timestamp   ${percentiles(servers[side].ageMs)}`,
    ),
  ];
}

function percentiles({ p50, p95, p99 }: SignedSummary): string {
  return `p50 ${p50}, p95 ${p95}, p99 ${p99}`;
}

/** What came from outside on one line, without control characters. */
function showLine(text: string): string {
  return text.split(' ').map(showName).join(' ');
}
