import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { Cohort } from '../subscription/cohort.ts';
import type { FilterTerms } from '../subscription/filter.ts';
import type { SubscriptionManager } from '../subscription/subscription-manager.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import type { Backlog } from './backlog.ts';
import { EVERY } from './delivery-policy.ts';
import type { OutgoingParts } from './outgoing.ts';
import { Replay } from './replay.ts';
import { planResume, type ResumeParts, type ResumePlan, type ResumeRefusal, type ResumeRequest } from './resume.ts';
import { SnapshotQueue } from './snapshot-queue.ts';

export interface BeginningsParts extends ResumeParts, OutgoingParts {
  statistics: StatisticsBlock;
  subscriptions: SubscriptionManager;
}

/** What a subscription begins with, as asked. */
export interface Beginning {
  readonly snapshot: boolean;
  readonly resume: ResumeRequest | undefined;
}

/** A beginning that has been thought over, and what the reply says of it. */
export interface PlannedBeginning {
  readonly plan: ResumePlan | undefined;
  /** Topics whose latest values come first. */
  readonly snapshotTopics: readonly number[];
  readonly reply: Record<string, unknown>;
}

const NO_BEGINNING = { plan: undefined, snapshotTopics: [] } as const;

/**
 * How subscriptions begin: with what the client missed, with the latest values, or with the next publication. Runs on the
 * shard's thread, for each subscription.
 */
export class Beginnings {
  readonly #parts: BeginningsParts;

  constructor(parts: BeginningsParts) {
    this.#parts = parts;
  }

  /** Thinks over how a subscription is to begin. Call before the filter is added, `begin` behind its reply. */
  plan(connection: PooledConnection, terms: FilterTerms, { snapshot, resume }: Beginning): PlannedBeginning {
    const { table, statistics } = this.#parts;
    if (!snapshot && resume === undefined) return { ...NO_BEGINNING, reply: { seq: table.seq } };
    const matching = this.#parts.catalog.matching(terms);
    const outcome = resume === undefined ? undefined : this.#planResume(connection, resume, matching);
    if (typeof outcome === 'object') {
      statistics.add('resumesAccepted');
      const reply = { seq: table.seq, resumed: true, replayed: outcome.count };
      return { ...NO_BEGINNING, plan: outcome, reply };
    }
    if (outcome !== undefined) statistics.add('resumesRefused');
    const topics = snapshot ? matching : matching.filter((topic) => table.policy(topic) !== EVERY);
    return this.#planSnapshots(connection, topics, outcome);
  }

  /** The filter has been added and replied to: sends what comes first. */
  begin(connection: PooledConnection, { plan, snapshotTopics }: PlannedBeginning, leaveFastPath: () => Backlog): void {
    const { table } = this.#parts;
    if (plan !== undefined) {
      for (const [topic, count] of plan.countByTopic) connection.account.owe(topic, count);
      if (plan.count > 0) leaveFastPath().replay = this.#replay(connection, plan);
    } else if (snapshotTopics.length > 0) {
      const queue = new SnapshotQueue(snapshotTopics, table, this.#parts.values);
      leaveFastPath().addSnapshots(queue);
    }
  }

  #planResume(
    connection: PooledConnection,
    resume: ResumeRequest,
    matching: readonly number[],
  ): ResumePlan | ResumeRefusal {
    return planResume(resume, matching, connection.account, this.#parts);
  }

  #planSnapshots(
    connection: PooledConnection,
    topics: readonly number[],
    reason: ResumeRefusal | undefined,
  ): PlannedBeginning {
    const { table } = this.#parts;
    const known = topics.filter((topic) => table.lastSeq(topic) > 0);
    const kept = known.filter((topic) => this.#parts.values.isKept(topic));
    const snapshot = { topics: kept.length, missing: known.length - kept.length };
    const refused = reason === undefined ? {} : { resumed: false, reason };
    // What waits for a slow client brings the topic up to date by itself.
    const waiting = connection.backlog?.waitingTopics();
    const snapshotTopics = waiting === undefined ? kept : kept.filter((topic) => !waiting.has(topic));
    return { plan: undefined, snapshotTopics, reply: { seq: table.seq, ...refused, snapshot } };
  }

  #replay(connection: PooledConnection, { afterSeq, topics }: ResumePlan): Replay {
    const { subscriptions, catalog } = this.#parts;
    // Its filters stay as they are until it has caught up.
    const known = catalog.size;
    const filters = Array.from(connection.filters.values(), ({ terms }) => ({ terms, value: 0 }));
    const wanted = catalog.earliest(filters);
    const wants = (topic: number) =>
      topic < known ? wanted.has(topic) : subscriptions.match(topic).includes(connection.cohort as Cohort);
    return new Replay(this.#parts, afterSeq, topics, wants);
  }
}
