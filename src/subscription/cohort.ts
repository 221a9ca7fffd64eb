import type { Batch } from '../batch/batch.ts';
import type { PooledConnection } from '../connection/pooled-connection.ts';
import { assert } from '../util/assert.ts';

/**
 * The connections that want the same set of filters: the unit of fan-out. A frame is matched, copied and batched once a
 * cohort, not once a connection. A connection is in one cohort at a time, or in none.
 */
export class Cohort {
  /** The same for cohorts that want the same. A cohort of one changes it when its member's filters do. */
  key: string;
  /** In no order; a member knows its place by `cohortIndex`. */
  readonly members: PooledConnection[] = [];
  /** What has been gathered for the members since the last flush; undefined when there is nothing. */
  batch: Batch | undefined;

  constructor(key: string) {
    this.key = key;
  }

  add(member: PooledConnection): void {
    assert(member.cohort === undefined, 'a connection is in one cohort at a time');
    member.cohort = this;
    member.cohortIndex = this.members.length;
    this.members.push(member);
  }

  /** Takes a member out by putting the last one in its place. */
  remove(member: PooledConnection): void {
    assert(this.members[member.cohortIndex] === member, 'a member knows its place');
    const last = this.members.pop()!;
    if (last !== member) {
      this.members[member.cohortIndex] = last;
      last.cohortIndex = member.cohortIndex;
    }
    member.cohort = undefined;
    member.cohortIndex = -1;
  }
}
