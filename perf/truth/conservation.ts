import type { ClientRecord, RecordedEvent } from './client-record.ts';
import { isInForce, type Until } from './coverage.ts';
import { type ConflatedTypes, policyOf, USUAL_CONFLATION } from './delivery-policies.ts';
import { type Ends, owedWhile } from './owed.ts';
import { Problems } from './problems.ts';
import type { LoggedTopic, PublicationLog } from './publication-log.ts';
import { topicText } from './wire-message.ts';

/** Of one client or several. published = delivered + merged + dropped, or there are problems. */
export interface Account {
  published: number;
  delivered: number;
  merged: number;
  dropped: Record<string, number>;
  gaps: number;
  snapshots: number;
  resumptions: number;
  replayed: number;
}

const NOT_TOLD = 0;
const DELIVERED = 1;
const MERGED = 2;
const DROPPED = 3;

/**
 * Judges a client's record with the log of what was really published: marks, publication by publication, what became of each, and
 * then looks whether that is what the client was owed. Knows nothing of the chains that led to the record.
 */
export class ConservationJudge {
  readonly account: Account = noAccount();
  readonly problems = new Problems();
  readonly #log: PublicationLog;
  readonly #conflation: ConflatedTypes;
  readonly #isOneOfSeveral: boolean;
  /** What became of each publication, by seq - base of the log. */
  readonly #fates: Uint8Array;
  #client = '';

  /** @param isOneOfSeveral see `ChainCheckerOptions` */
  constructor(log: PublicationLog, conflation: ConflatedTypes = USUAL_CONFLATION, isOneOfSeveral = false) {
    this.#log = log;
    this.#conflation = conflation;
    this.#isOneOfSeveral = isOneOfSeveral;
    this.#fates = new Uint8Array(log.total - log.base + 1);
  }

  /** Adds a client to the account. It has to have caught up with all that was published, or to have lost its connection. */
  judge(record: ClientRecord): void {
    this.#client = record.client;
    this.#fates.fill(NOT_TOLD);
    const topics = record.topics.map((name) => this.#log.topic(name));
    for (const event of record.events()) {
      const topic = topics[event.topic];
      if (topic === undefined)
        this.#report(`was told of ${topicText(record.topics[event.topic]!)}, which was never published`);
      else this.#mark(topic, event);
    }
    this.#count();
    this.#judgeOwed(record);
    this.#judgeResumptions(record);
  }

  #mark(topic: LoggedTopic, event: RecordedEvent): void {
    const { kind, seq, from } = event;
    const to = this.#log.ordinalOf(topic, seq);
    if (to === 0) return this.#complain(topic, event, 'seq is no publication of this topic');
    if (kind === 'snapshot') {
      this.account.snapshots++;
      return;
    }
    // One that came later does not know the topic's publications before.
    const beginning = this.#isOneOfSeveral ? to - 1 - event.count : 0;
    const first = from === 0 ? beginning : this.#log.ordinalOf(topic, from);
    if (from !== 0 && first === 0) return this.#complain(topic, event, 'begins with no publication of this topic');
    if (kind === 'repeated') this.#markRepeated(topic, first, to);
    else if (kind === 'gap') this.#markGap(topic, event, first, to);
    else this.#markDelivery(topic, event, first, to);
  }

  #markDelivery(topic: LoggedTopic, event: RecordedEvent, before: number, ordinal: number): void {
    const merged = ordinal - before - 1;
    if (!event.overlaps && merged !== event.count) this.#complain(topic, event, `stands for ${merged} more`);
    if (merged > 0 && policyOf(topic.name, this.#conflation) === 'every')
      this.#complain(topic, event, 'merges what must not be');
    for (let n = before + 1; n < ordinal; n++) {
      const seq = this.#log.seqAt(topic, n);
      if (topic.unmergeable.has(seq)) this.#complain(topic, event, `merges ${seq}, which must not be`);
      this.#setFate(topic, seq, MERGED);
    }
    this.#setFate(topic, event.seq, DELIVERED);
  }

  /** What a snapshot has stood for may come again behind a resumption that began before it: it has come, that is all. */
  #markRepeated(topic: LoggedTopic, before: number, ordinal: number): void {
    for (let n = before + 1; n <= ordinal; n++) {
      const at = this.#log.seqAt(topic, n) - this.#log.base;
      if (this.#fates[at] === NOT_TOLD) this.#fates[at] = n === ordinal ? DELIVERED : MERGED;
    }
  }

  /** Of an overlapping gap `from` is what the client had last, else the first that is missing. */
  #markGap(topic: LoggedTopic, event: RecordedEvent, from: number, to: number): void {
    const first = event.overlaps ? from + 1 : from;
    const count = to - first + 1;
    if (!event.overlaps && count !== event.count) this.#complain(topic, event, `leaves out ${count}`);
    for (let n = first; n <= to; n++) this.#setFate(topic, this.#log.seqAt(topic, n), DROPPED);
    this.account.gaps++;
    const { dropped } = this.account;
    dropped[event.reason] = (dropped[event.reason] ?? 0) + count;
  }

  #setFate(topic: LoggedTopic, seq: number, fate: number): void {
    const at = seq - this.#log.base;
    const before = this.#fates[at];
    if (before !== NOT_TOLD) this.#report(`${topicText(topic.name)} ${seq} is ${told(before)} and then ${told(fate)}`);
    this.#fates[at] = fate;
  }

  #count(): void {
    for (const fate of this.#fates) {
      if (fate === DELIVERED) this.account.delivered++;
      else if (fate === MERGED) this.account.merged++;
    }
  }

  #judgeOwed(record: ClientRecord): void {
    const common: Ends = new Map();
    for (const topic of this.#log.topics) {
      const ends: Ends = new Map();
      const owed = owedWhile(topic, record.steps, (seq) => this.#fates[seq - this.#log.base] !== NOT_TOLD, ends);
      for (const [until, end] of ends) this.#judgeEnd(topic, until, end, common);
      this.account.published += owed.published;
      const what = topicText(topic.name);
      if (owed.missing.count > 0) this.#report(`${what}: ${owed.missing.count} missing, from ${owed.missing.first}`);
      if (owed.unasked.count > 0)
        this.#report(`${what}: ${owed.unasked.count} not asked for, from ${owed.unasked.first}`);
    }
    for (const { least, most } of common.values()) {
      if (least > most) this.#report(`topics have ended at different points for one request: ${least} and ${most}`);
    }
  }

  #judgeEnd(topic: LoggedTopic, until: Until, { least, most }: { least: number; most: number }, common: Ends): void {
    if (least > most) this.#report(`${topicText(topic.name)}: ${most + 1} is missing, though ${least} was told`);
    if (!until.isCommon) return;
    const all = common.get(until);
    if (all === undefined) common.set(until, { least, most });
    else {
      all.least = Math.max(all.least, least);
      all.most = Math.min(all.most, most);
    }
  }

  /** What a resumption says that it replays is what was published meanwhile, where no other filter wants it too. */
  #judgeResumptions({ resumptions }: ClientRecord): void {
    for (const { step, before, toSeq, replayed } of resumptions) {
      this.account.resumptions++;
      this.account.replayed += replayed;
      const brought = this.#log.topics.filter(({ name }) => isInForce(step.inForce, name) && !isInForce(before, name));
      const count = brought.reduce((sum, topic) => sum + this.#log.countBetween(topic, step.since, toSeq), 0);
      if (count !== replayed) this.#report(`resuming from ${step.since} at ${toSeq} replays ${replayed}, not ${count}`);
    }
  }

  #complain(topic: LoggedTopic, event: RecordedEvent, problem: string): void {
    this.problems.add(`${this.#client}: ${topicText(topic.name)}: ${problem}`, event);
  }

  #report(problem: string): void {
    this.problems.add(`${this.#client}: ${problem}`);
  }
}

export function noAccount(): Account {
  return { published: 0, delivered: 0, merged: 0, dropped: {}, gaps: 0, snapshots: 0, resumptions: 0, replayed: 0 };
}

function told(fate: number | undefined): string {
  return ['not told', 'delivered', 'merged', 'dropped'][fate as number] as string;
}
