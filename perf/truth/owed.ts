import { type CoverageStep, type Interval, TopicCoverage, type Until } from './coverage.ts';
import type { LoggedTopic } from './publication-log.ts';

/** Some publications, of which only the first is named. */
export interface Some {
  count: number;
  first: number;
}

export interface Owed {
  /** How many the client was owed; of those around an uncertain end, as many as it was told of. */
  published: number;
  missing: Some;
  unasked: Some;
}

/** Where ends of subscriptions must have been, as what was told and what was not has shown so far. */
export type Ends = Map<Until, { least: number; most: number }>;

/**
 * Compares what a client was told of a topic with when it was subscribed to it. Where it can't know to the publication when a
 * subscription ended, everything up to some point must have been told, and nothing behind it.
 *
 * @param isTold whether the client was told what became of the publication with this seq
 * @param ends narrowed here; topics whose subscriptions one reply has ended share an end
 */
export function owedWhile(
  topic: LoggedTopic,
  steps: readonly CoverageStep[],
  isTold: (seq: number) => boolean,
  ends: Ends,
): Owed {
  const intervals = intervalsOf(topic, steps);
  const owed: Owed = { published: 0, missing: { count: 0, first: 0 }, unasked: { count: 0, first: 0 } };
  let next = 0;
  for (let n = 0; n < topic.seqs.length; n++) {
    const seq = topic.seqs.at(n);
    // A later interval takes over from those before.
    while (next < intervals.length && seq > (intervals[next] as Interval).since) next++;
    const interval = intervals[next - 1];
    const wasTold = isTold(seq);
    const place = interval === undefined ? 'outside' : placeOf(seq, interval.until);
    if (place === 'within' || (wasTold && place === 'around')) owed.published++;
    if (place === 'within' && !wasTold) add(owed.missing, seq);
    else if (place === 'outside' && wasTold) add(owed.unasked, seq);
    else if (place === 'around') narrow(interval?.until as Until, seq, wasTold, ends);
  }
  return owed;
}

function intervalsOf(topic: LoggedTopic, steps: readonly CoverageStep[]): readonly Interval[] {
  const coverage = new TopicCoverage(topic.name);
  for (const step of steps) coverage.apply(step);
  return coverage.intervals;
}

function placeOf(seq: number, until: Until | undefined): 'within' | 'around' | 'outside' {
  if (until === undefined || seq <= until.least) return 'within';
  return seq <= until.most ? 'around' : 'outside';
}

function narrow(until: Until, seq: number, isTold: boolean, ends: Ends): void {
  let end = ends.get(until);
  if (end === undefined) {
    end = { least: until.least, most: until.most };
    ends.set(until, end);
  }
  if (isTold) end.least = Math.max(end.least, seq);
  else end.most = Math.min(end.most, seq - 1);
}

function add(some: Some, seq: number): void {
  if (some.count === 0) some.first = seq;
  some.count++;
}
