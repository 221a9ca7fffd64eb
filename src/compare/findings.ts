import type { ComparedTopic, TopicCounts } from './compared-topic.ts';
import { type Difference, type DifferenceKind, differencesOf, type SentPublication } from './differences.ts';
import type { Entry } from './entry.ts';
import { FieldTable } from './field-table.ts';
import type { Excuse, MatchSink, Pair } from './matcher.ts';
import { otherSide, SIDES, type Side } from './side.ts';
import { SignedHistogram } from './signed-histogram.ts';
import { topicText } from './topic-form.ts';
import { valueText } from './value-text.ts';

/** What the two servers can differ in, publication by publication. */
export const FINDINGS = ['missing', 'extra', 'reordered', 'differing', 'types'] as const;
export type Finding = (typeof FINDINGS)[number];

/** A publication that only one server has sent. */
export interface UnmatchedExample {
  readonly topic: string;
  /** When it came, ISO 8601. */
  readonly at: string;
  readonly publication: string;
}

/** What may be said of a publication that one server did not send. */
export type Reason = Excuse | 'disconnected';

/** Tells whether a server was, or may have been, away when the other one sent something. */
export type AwayTeller = (side: Side, atMs: number) => boolean;

const UNMATCHED_FINDING = { old: 'missing', new: 'extra' } as const;

/** Counts what is found of the publications that first came while the comparison was measuring. */
export class Findings implements MatchSink {
  readonly found: Record<Finding, number> = { missing: 0, extra: 0, reordered: 0, differing: 0, types: 0 };
  /** What one server did not send and the other one did, with a reason; by the side that sent it. */
  readonly explained = { old: noReasons(), new: noReasons() };
  readonly examples: Record<'missing' | 'extra', UnmatchedExample[]> = { missing: [], extra: [] };
  readonly first = { old: 0, new: 0, both: 0 };
  readonly newAfterOld = new SignedHistogram();
  readonly fields: FieldTable;
  pairs = 0;
  /** Pairs that say the same, but for spelling and what is said once more. */
  identical = 0;
  /** Publications of which nobody knows, since too much waited. */
  unjudged = 0;
  /** Publications of one server that came after all that the other one has sent too, because that is too far behind. */
  readonly late = { old: 0, new: 0 };
  readonly #examplesMax: number;
  readonly #isAway: AwayTeller;
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = Number.POSITIVE_INFINITY;
  /** How long after the other server each one sent the newest pair. */
  #lagMs = { old: 0, new: 0 };
  /** When the other server had sent the newest of what each server has sent as well. */
  readonly #reachedMs = { old: Number.NEGATIVE_INFINITY, new: Number.NEGATIVE_INFINITY };
  readonly #lateFromMs = { old: Number.POSITIVE_INFINITY, new: Number.POSITIVE_INFINITY };

  constructor(examplesMax: number, isAway: AwayTeller) {
    this.#examplesMax = examplesMax;
    this.#isAway = isAway;
    this.fields = new FieldTable(examplesMax);
  }

  /** From when on publications count; what came before is only brought together. */
  beginAt(ms: number): void {
    this.#fromMs = ms;
  }

  endAt(ms: number): void {
    this.#toMs = ms;
  }

  /**
   * To be called before what is left is decided on. A server that sent its newest publication longer than `lateMs` after
   * the other one has not lost what that sent since: it is behind.
   */
  finishAt(lateMs: number): void {
    for (const side of SIDES) if (this.#lagMs[side] > lateMs) this.#lateFromMs[otherSide(side)] = this.#reachedMs[side];
  }

  /** Publications that count. */
  get judged(): number {
    const { missing, extra } = this.found;
    return this.pairs + missing + extra + sumOf(this.explained.old) + sumOf(this.explained.new);
  }

  paired({ old, new: now, oldSent, newSent }: Pair): void {
    this.#follow(old.arrivedMs, now.arrivedMs);
    if (!this.#counts(old.firstMs)) return;
    this.pairs++;
    this.#count(old.topic.counts, 'pairs');
    this.#time(old, now);
    const isMergedBook = old.merged + now.merged > 0 && old.topic.name.dataType === 'depth';
    this.#note(old.topic, differencesOf(oldSent, newSent, { isMergedBook }));
  }

  reordered(entry: Entry): void {
    if (this.#counts(entry.firstMs)) this.#find('reordered', entry.topic);
  }

  unmatched(entry: Entry, sent: SentPublication, excuse: Excuse | undefined): void {
    if (!this.#counts(entry.firstMs)) return;
    const reason = excuse ?? (this.#isAway(otherSide(entry.side), entry.arrivedMs) ? 'disconnected' : undefined);
    if (reason !== undefined) {
      this.explained[entry.side][reason]++;
      return;
    }
    if (entry.arrivedMs > this.#lateFromMs[entry.side]) {
      this.late[entry.side]++;
      return;
    }
    const finding = UNMATCHED_FINDING[entry.side];
    this.#find(finding, entry.topic);
    if (this.examples[finding].length < this.#examplesMax) this.examples[finding].push(exampleOf(entry, sent));
  }

  givenUp(entry: Entry): void {
    if (this.#counts(entry.firstMs)) this.unjudged++;
  }

  #counts(firstMs: number): boolean {
    return firstMs >= this.#fromMs && firstMs < this.#toMs;
  }

  #follow(oldMs: number, newMs: number): void {
    this.#lagMs = { old: Math.max(0, oldMs - newMs), new: Math.max(0, newMs - oldMs) };
    this.#reachedMs.old = Math.max(this.#reachedMs.old, newMs);
    this.#reachedMs.new = Math.max(this.#reachedMs.new, oldMs);
  }

  #time(old: Entry, now: Entry): void {
    const afterMs = now.arrivedMs - old.arrivedMs;
    this.newAfterOld.add(afterMs);
    this.first[afterMs < 0 ? 'new' : afterMs > 0 ? 'old' : 'both']++;
  }

  #note(topic: ComparedTopic, differences: readonly Difference[]): void {
    for (const difference of differences) this.fields.add(difference, topic.name);
    const has = (kind: DifferenceKind) => differences.some((difference) => difference.kind === kind);
    if (has('value')) this.#find('differing', topic);
    if (has('type')) this.#find('types', topic);
    if (!has('value') && !has('type')) this.identical++;
  }

  #find(finding: Finding, topic: ComparedTopic): void {
    this.found[finding]++;
    this.#count(topic.counts, finding);
  }

  #count(counts: TopicCounts, what: keyof TopicCounts): void {
    counts[what]++;
  }
}

function noReasons(): Record<Reason, number> {
  return { merged: 0, dropped: 0, disconnected: 0 };
}

function sumOf(reasons: Record<Reason, number>): number {
  return reasons.merged + reasons.dropped + reasons.disconnected;
}

function exampleOf({ topic, arrivedMs }: Entry, { payload }: SentPublication): UnmatchedExample {
  const at = new Date(performance.timeOrigin + arrivedMs).toISOString();
  return { topic: topicText(topic.name), at, publication: valueText(payload) };
}
