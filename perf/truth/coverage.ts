import type { TopicName } from '../../src/ring/topic-directory.ts';
import { type GivenFilter, naivelyMatches } from './naive-matcher.ts';

/** Filters in force, or everything: a firehose that has never sent a filter. */
export type InForce = readonly GivenFilter[] | 'everything';

/**
 * The seq of the last publication that was still owed, as far as a client can tell: a reply to `unsubscribe` carries none.
 * `most` is lowered when a later reply on the connection tells where the gateway was then.
 */
export interface Until {
  least: number;
  most: number;
  /** It was the same for all topics that it ended; where a connection was lost, each topic had come as far as it had. */
  readonly isCommon: boolean;
}

/** A change of what a client is owed, in the order of its stream. `inForce` is what holds from here on. */
export interface CoverageStep {
  /** `lost`: the connection is gone. */
  readonly kind: 'connected' | 'subscribed' | 'unsubscribed' | 'lost';
  readonly inForce: InForce;
  /** What is newer than this is owed, of the topics that this step brings. */
  readonly since: number;
  /** The gateway has granted to go on from `since`, where the client was when it lost its connection. */
  readonly resumed: boolean;
  /** Of the topics that this step ends. */
  readonly until: Until;
}

/** Publications of one topic with since < seq ≤ until are owed; without `until`, all that follow. */
export interface Interval {
  since: number;
  until: Until | undefined;
}

export type CoverageChange = 'none' | 'began' | 'continued' | 'ended';

/** When one client is owed one topic. Steps are to be applied in order, also those from before the topic was known. */
export class TopicCoverage {
  readonly intervals: Interval[] = [];
  readonly #name: TopicName;
  #covered = false;
  /** Where the client was when it lost a connection that covered the topic; -1: it did not. */
  #lostAt = -1;

  constructor(name: TopicName) {
    this.#name = name;
  }

  get covered(): boolean {
    return this.#covered;
  }

  apply(step: CoverageStep): CoverageChange {
    const before = this.#covered;
    this.#covered = isInForce(step.inForce, this.#name);
    if (this.#covered === before) return 'none';
    return this.#covered ? this.#begin(step) : this.#end(step);
  }

  #begin({ since, resumed }: CoverageStep): CoverageChange {
    const last = this.intervals.at(-1);
    const continues = resumed && last !== undefined && since <= this.#lostAt;
    this.#lostAt = -1;
    if (!continues) {
      this.intervals.push({ since, until: undefined });
      return 'began';
    }
    last.until = undefined;
    last.since = Math.min(last.since, since);
    return 'continued';
  }

  #end({ kind, until }: CoverageStep): CoverageChange {
    const last = this.intervals.at(-1) as Interval;
    last.until = until;
    this.#lostAt = kind === 'lost' ? until.least : -1;
    return 'ended';
  }
}

export function isInForce(inForce: InForce, topic: TopicName): boolean {
  return inForce === 'everything' || inForce.some((filter) => naivelyMatches(filter, topic));
}
