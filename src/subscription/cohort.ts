import type { Batch } from '../batch/batch.ts';
import type { CohortStream } from '../compression/cohort-stream.ts';
import type { PooledConnection } from '../connection/pooled-connection.ts';
import { assert } from '../util/assert.ts';

/**
 * The connections that want the same set of filters: the unit of fan-out. A frame is matched, copied and batched once a
 * cohort, not once a connection. A connection is in one cohort at a time, or in none.
 */
export class Cohort {
  /** The same for cohorts that want the same. A cohort of one changes it when its member's filters do. */
  key: string;
  /**
   * Those that get each batch as it is flushed, and those that are behind and have a backlog instead. In no order; a
   * connection knows its place by `cohortIndex`, and has to leave and come again when its backlog begins or ends.
   */
  readonly members: PooledConnection[] = [];
  readonly behind: PooledConnection[] = [];
  /** What has been gathered for the members and not been written to all of them; undefined when there is nothing. */
  batch: Batch | undefined;
  /** Frames that members have been gathered so far. A member that has had so many, by its `cursor`, has had them all. */
  appended = 0;
  /** Where the batch stage keeps it while it waits for its turn; undefined: nothing waits. */
  queue: Set<Cohort> | undefined;
  /** Since when, ms of `performance.now()`, and in which pass of the batch stage it came there. */
  queuedAtMs = 0;
  queuedInPass = 0;
  /** Index in `members` that its next turn begins at. */
  first = 0;
  /** Times that a member has left its place. */
  removals = 0;
  /** Compressed streams that members follow; where `compression.mode` is `off` there are none. */
  readonly streams: CohortStream[] = [];
  /** Connections of both kinds that could follow one. */
  deflating = 0;
  /** Whether some of them may be waiting for one, and before when none is let in, ms of `performance.now()`. */
  hasNewcomers = false;
  admitAtMs = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** Connections of both kinds. */
  get size(): number {
    return this.members.length + this.behind.length;
  }

  /** What has been gathered before is not for it. */
  add(member: PooledConnection): void {
    assert(member.cohort === undefined, 'a connection is in one cohort at a time');
    const list = this.#listOf(member);
    member.cohort = this;
    member.cursor = this.appended;
    member.cohortIndex = list.length;
    list.push(member);
    if (member.windowBits === 0) return;
    this.deflating++;
    this.hasNewcomers = true;
  }

  /** Takes a member out by putting the last one in its place. */
  remove(member: PooledConnection): void {
    this.removals++;
    const list = this.#listOf(member);
    assert(list[member.cohortIndex] === member, 'a member knows its place');
    const last = list.pop()!;
    if (last !== member) {
      list[member.cohortIndex] = last;
      last.cohortIndex = member.cohortIndex;
    }
    member.cohort = undefined;
    member.cohortIndex = -1;
    if (member.windowBits === 0) return;
    this.deflating--;
    member.stream?.leave(member);
  }

  #listOf({ backlog }: PooledConnection): PooledConnection[] {
    return backlog === undefined ? this.members : this.behind;
  }
}
