import { withoutSecrets } from './address.ts';
import type { Allowance } from './allowance.ts';
import { allowanceText, isAllowed } from './allowance.ts';
import type { CompareOptions } from './compare-options.ts';
import type { ComparedTopic, TopicCounts } from './compared-topic.ts';
import type { FieldRow } from './field-table.ts';
import { FINDINGS, type Finding, type Reason, type UnmatchedExample } from './findings.ts';
import { pathText } from './ignored-paths.ts';
import { EXIT_STATUS, type Outcome } from './outcome.ts';
import type { ServerTally } from './server-tally.ts';
import { otherSide, SIDES, type Side } from './side.ts';
import type { SignedSummary } from './signed-histogram.ts';
import type { StreamComparer } from './stream-comparer.ts';
import { topicText } from './topic-form.ts';

/** How much was found of something, and whether that is accepted. */
export interface FindingReport {
  readonly count: number;
  /** Of all publications that were judged. */
  readonly percent: number;
  readonly allowed: string;
  readonly isAllowed: boolean;
}

export interface ServerReport {
  readonly address: string;
  readonly messages: number;
  readonly bytes: number;
  readonly publications: number;
  readonly filtered: number;
  readonly unusable: number;
  readonly merged: number;
  readonly dropped: number;
  /** Messages that are not compared, by type. */
  readonly others: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
  readonly disconnects: number;
  readonly outages: readonly OutageReport[];
  /** By the publications' own timestamps, ms. */
  readonly ageMs: SignedSummary;
}

export interface OutageReport {
  readonly from: string;
  /** null where it lasted to the end. */
  readonly seconds: number | null;
  readonly code: number;
  readonly reason: string;
}

/** The report, as `--json` and `--report` have it. `format` changes when something in it stops meaning what it did. */
export interface Report {
  readonly format: 1;
  readonly outcome: Outcome;
  readonly exitStatus: number;
  /** Why they do not agree, or there is nothing to tell. */
  readonly reasons: readonly string[];
  readonly interrupted: boolean;
  readonly startedAt: string;
  readonly measuredSeconds: number;
  /** How much of the time the comparison itself was at work: near 100, it may be the one that is late. */
  readonly busyPercent: number;
  readonly filter: Readonly<Record<string, unknown>> | null;
  readonly ignored: readonly string[];
  readonly servers: Readonly<Record<Side, ServerReport>>;
  readonly topics: number;
  readonly publications: number;
  readonly pairs: number;
  readonly identical: number;
  readonly findings: Readonly<Record<Finding, FindingReport>>;
  /** What one server did not send, and why that is all right: of the missing and of the extra. */
  readonly explained: Readonly<Record<'missing' | 'extra', Readonly<Record<Reason, number>>>>;
  /** Publications of which nobody can tell: too much waited; the other server was too far behind at the end. */
  readonly unjudged: { readonly givenUp: number; readonly late: Readonly<Record<Side, number>> };
  readonly fields: readonly FieldRow[];
  /** Differences in more paths than `fields` holds. */
  readonly fieldsBeyond: number;
  readonly examples: Readonly<Record<'missing' | 'extra', readonly UnmatchedExample[]>>;
  readonly worstTopics: readonly ({ readonly topic: string } & Readonly<TopicCounts>)[];
  readonly latency: {
    /** When the new server's publication came, after the old server's; negative: before it. */
    readonly newAfterOldMs: SignedSummary;
    readonly first: Readonly<Record<Side | 'both', number>>;
  };
}

/** How the run went. */
export interface RunFacts {
  /** Why there is no comparison. */
  readonly unreachable: readonly string[];
  readonly interrupted: boolean;
  readonly startedAtMs: number;
  readonly measuredMs: number;
  /** How much of the time the comparison itself was at work. */
  readonly busyPercent: number;
}

const WORST_TOPICS = 20;
const MS_PER_S = 1_000;

export function buildReport(comparer: StreamComparer, options: CompareOptions, facts: RunFacts): Report {
  const { findings, tallies, topics } = comparer;
  const found = findingReports(comparer, options);
  const reasons = facts.unreachable.length > 0 ? facts.unreachable : reasonsOf(comparer, options, found);
  const outcome = outcomeOf(facts, findings.judged, reasons);
  return {
    format: 1,
    outcome,
    exitStatus: EXIT_STATUS[outcome],
    reasons: outcome === 'nothing' ? [NOTHING, ...reasons] : reasons,
    interrupted: facts.interrupted,
    startedAt: new Date(facts.startedAtMs).toISOString(),
    measuredSeconds: Math.round(facts.measuredMs) / MS_PER_S,
    busyPercent: facts.busyPercent,
    filter: options.filter?.payload ?? null,
    ignored: (options.ignore ?? []).map(pathText),
    servers: { old: serverReport(options.old, tallies.old), new: serverReport(options.new, tallies.new) },
    topics: topics.length,
    publications: findings.judged,
    pairs: findings.pairs,
    identical: findings.identical,
    findings: found,
    explained: { missing: findings.explained.old, extra: findings.explained.new },
    unjudged: { givenUp: findings.unjudged, late: findings.late },
    fields: findings.fields.rows(),
    fieldsBeyond: findings.fields.beyond,
    examples: findings.examples,
    worstTopics: worstOf(topics),
    latency: { newAfterOldMs: findings.newAfterOld.summary(), first: findings.first },
  };
}

const NOTHING = 'nothing came that could be compared';

function outcomeOf({ unreachable }: RunFacts, judged: number, reasons: readonly string[]): Outcome {
  if (unreachable.length > 0) return 'unreachable';
  if (judged === 0) return 'nothing';
  return reasons.length > 0 ? 'differ' : 'agree';
}

function findingReports({ findings }: StreamComparer, options: CompareOptions): Record<Finding, FindingReport> {
  const reports = FINDINGS.map((finding) => [
    finding,
    findingReport(findings.found[finding], options[`allow-${finding}`], findings.judged),
  ]);
  return Object.fromEntries(reports) as Record<Finding, FindingReport>;
}

function findingReport(count: number, allowance: Allowance, total: number): FindingReport {
  return {
    count,
    percent: total === 0 ? 0 : Number(((count / total) * 100).toPrecision(3)),
    allowed: allowanceText(allowance),
    isAllowed: isAllowed(allowance, count, total),
  };
}

function reasonsOf(
  { findings, tallies }: StreamComparer,
  options: CompareOptions,
  found: Record<Finding, FindingReport>,
): string[] {
  const reasons = FINDINGS.filter((finding) => !found[finding].isAllowed).map(
    (finding) => `${finding}: ${found[finding].count}, allowed ${found[finding].allowed}`,
  );
  if (findings.unjudged > 0)
    reasons.push(`unjudged: ${findings.unjudged}, more waited than --pending-messages and --pending-bytes allow`);
  for (const side of SIDES) {
    const { unusable, disconnects, beyondTopics } = tallies[side];
    if (unusable > options['allow-unusable'])
      reasons.push(`unusable messages of the ${side} server: ${unusable}, allowed ${options['allow-unusable']}`);
    if (disconnects > options['allow-disconnects'])
      reasons.push(`lost connections to the ${side} server: ${disconnects}, allowed ${options['allow-disconnects']}`);
    const late = findings.late[otherSide(side)];
    if (late > 0)
      reasons.push(`unjudged: ${late}, the ${side} server was further behind at the end than --settle waits for`);
    if (beyondTopics > 0)
      reasons.push(
        `publications of the ${side} server that were not compared: ${beyondTopics}, of more topics than --topics allows`,
      );
  }
  return reasons;
}

function serverReport(address: string, tally: ServerTally): ServerReport {
  const { messages, bytes, publications, filtered, unusable, merged, dropped, others, errors, disconnects } = tally;
  const outages = tally.outages.map(({ fromMs, toMs, code, reason }) => ({
    from: new Date(performance.timeOrigin + fromMs).toISOString(),
    seconds: toMs === undefined ? null : Math.round(toMs - fromMs) / MS_PER_S,
    code,
    reason,
  }));
  return {
    address: withoutSecrets(address),
    ...{ messages, bytes, publications, filtered, unusable, merged, dropped, others, errors, disconnects, outages },
    ageMs: tally.age.summary(),
  };
}

function worstOf(topics: readonly ComparedTopic[]): ({ topic: string } & TopicCounts)[] {
  return topics
    .map(({ name, counts }) => ({ topic: topicText(name), ...counts }))
    .filter((topic) => badness(topic) > 0)
    .toSorted((a, b) => badness(b) - badness(a))
    .slice(0, WORST_TOPICS);
}

function badness({ missing, extra, reordered, differing, types }: TopicCounts): number {
  return missing + extra + reordered + differing + types;
}
