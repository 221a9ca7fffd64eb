import type { WebSocket } from 'ws';
import { policyOf, USUAL_CONFLATION } from '../../perf/truth/delivery-policies.ts';
import { isBookData, type Level } from '../../perf/truth/naive-book.ts';
import { type GivenFilter, naivelyMatches } from '../../perf/truth/naive-matcher.ts';
import { noCounts, type TopicCounts } from '../../perf/truth/topic-chain.ts';
import type { Gap, WireMessage } from '../../perf/truth/wire-message.ts';
import type { TopicName } from '../../src/ring/topic-directory.ts';

/** One publication of a model gateway. */
export interface ModelRecord {
  key: string;
  name: TopicName;
  seq: number;
  prevSeq: number;
  payload: Record<string, unknown>;
}

/** What waits for a client that does not read: publications of one topic that go out as one. */
interface Pending {
  record: ModelRecord;
  prevSeq: number;
  firstSeq: number;
  merged: number;
}

/** Ways in which a model gateway can be wrong, each in a few of the places where it could be. */
export type Fault =
  | 'loses one'
  | 'hides what it loses'
  | 'sends one twice'
  | 'merges trades'
  | 'counts one merged too many'
  | 'counts one dropped too few'
  | 'keeps the publisher’s prevSeq when it merges'
  | 'leaves one out of a replay'
  | 'never tells a resumeSeq'
  | 'counts one delivered too many'
  | 'keeps only the newest update of a book'
  | 'drops without a gap'
  | 'forgets what is pending when a filter is withdrawn'
  | 'delivers what nobody asked for';

const FAULT_ODDS = 40;
const PENDING_MAX = 60;

/** One client of a model gateway: simple, slow, and right unless it has a fault. */
export class ModelConnection {
  readonly filters = new Map<string, GivenFilter>();
  isFirehose: boolean;
  isCongested = false;
  readonly #socket: WebSocket;
  readonly #fault: Fault | undefined;
  readonly #pending: Pending[] = [];
  readonly #last = new Map<string, number>();
  readonly #counts = new Map<string, { name: TopicName; counts: TopicCounts }>();

  constructor(socket: WebSocket, isFirehose: boolean, fault: Fault | undefined) {
    this.#socket = socket;
    this.isFirehose = isFirehose;
    this.#fault = fault;
  }

  wants(name: TopicName): boolean {
    return this.isFirehose || [...this.filters.values()].some((filter) => naivelyMatches(filter, name));
  }

  take(record: ModelRecord): void {
    if (!this.wants(record.name) && !this.#errs('delivers what nobody asked for')) return;
    if (this.#errs('loses one') || this.#errs('hides what it loses')) return;
    if (this.isCongested || this.#pending.length > 0) return this.#hold(record);
    this.#deliver({ record, prevSeq: this.#before(record), firstSeq: record.seq, merged: 0 }, undefined);
    if (this.#errs('sends one twice')) this.#socket.send(JSON.stringify(frameOf(record, record.prevSeq, {})));
  }

  replay(records: readonly ModelRecord[]): void {
    for (const record of records) {
      if (!this.#errs('leaves one out of a replay')) this.take(record);
    }
  }

  snapshot(record: ModelRecord): void {
    this.#countsOf(record).snapshots++;
    this.#last.set(record.key, record.seq);
    this.#socket.send(JSON.stringify(frameOf(record, 0, { snapshot: true })));
  }

  /** Sends what waits, in the order of seq. @param most entries; the others go on waiting */
  flush(most: number): void {
    this.#pending.sort((a, b) => a.record.seq - b.record.seq);
    for (let n = Math.min(most, this.#pending.length); n > 0; n--) {
      const entry = this.#pending.shift() as Pending;
      const oldest = Math.min(...this.#pending.map(({ firstSeq }) => firstSeq));
      const resumeSeq =
        oldest <= entry.record.seq && this.#fault !== 'never tells a resumeSeq' ? oldest - 1 : undefined;
      this.#deliver(entry, resumeSeq);
    }
  }

  /** What waits and is no longer wanted will not come. */
  withdraw(): void {
    const unwanted = this.#pending.filter(({ record }) => !this.wants(record.name));
    for (const entry of unwanted) this.#pending.splice(this.#pending.indexOf(entry), 1);
    if (this.#fault === 'forgets what is pending when a filter is withdrawn') return;
    for (const entry of unwanted.toSorted((a, b) => a.firstSeq - b.firstSeq)) this.#tellGap(entry, 'unsubscribed');
  }

  ledger(epoch: string, seq: number): object {
    const wrong = this.#errs('counts one delivered too many') ? 1 : 0;
    const topics = [...this.#counts].map(([key, { name, counts }]) => {
      const waiting = this.#pending.filter(({ record }) => record.key === key);
      const pending = waiting.reduce((sum, { merged }) => sum + 1 + merged, 0);
      const { delivered, merged, dropped } = counts;
      const published = delivered + merged + pending + Object.values(dropped).reduce((sum, count) => sum + count, 0);
      return { ...name, published, delivered, merged, dropped, pending };
    });
    const sum = (figure: 'published' | 'delivered' | 'merged' | 'pending') =>
      topics.reduce((all, topic) => all + topic[figure], 0);
    const dropped: Record<string, number> = {};
    for (const topic of topics) {
      for (const [reason, count] of Object.entries(topic.dropped)) dropped[reason] = (dropped[reason] ?? 0) + count;
    }
    return {
      epoch,
      seq,
      state: this.#pending.length > 0 ? 'behind' : 'live',
      published: sum('published') + wrong,
      delivered: sum('delivered') + wrong,
      merged: sum('merged'),
      dropped,
      pending: sum('pending'),
      snapshots: [...this.#counts.values()].reduce((all, { counts }) => all + counts.snapshots, 0),
      lagMs: 0,
      topics,
    };
  }

  #hold(record: ModelRecord): void {
    const before = this.#pending.findLast(({ record: { key } }) => key === record.key);
    this.#countsOf(record);
    const merged = before === undefined ? undefined : this.#mergedRecord(before.record, record);
    if (before !== undefined && merged !== undefined) {
      if (this.#fault === 'keeps the publisher’s prevSeq when it merges') before.prevSeq = record.prevSeq;
      before.record = merged;
      before.merged++;
      return;
    }
    this.#pending.push({ record, prevSeq: this.#before(record), firstSeq: record.seq, merged: 0 });
    if (this.#pending.length <= PENDING_MAX) return;
    const oldest = this.#pending.shift() as Pending;
    if (this.#fault !== 'drops without a gap') this.#tellGap(oldest, 'slow_consumer');
  }

  /** Both in one, where the policy allows it. */
  #mergedRecord(older: ModelRecord, newer: ModelRecord): ModelRecord | undefined {
    const policy = policyOf(newer.name, USUAL_CONFLATION);
    if (policy === 'latest' || (policy === 'every' && this.#fault === 'merges trades')) return newer;
    const [a, b] = [older.payload.data, newer.payload.data];
    if (policy === 'every' || !isBookData(a) || !isBookData(b)) return undefined;
    if (b.isSnapshot === true || this.#fault === 'keeps only the newest update of a book') return newer;
    const data = { ...b, bids: withLast(a.bids, b.bids), asks: withLast(a.asks, b.asks) };
    return {
      ...newer,
      payload: { ...newer.payload, data: a.isSnapshot === true ? { ...data, isSnapshot: true } : data },
    };
  }

  #deliver({ record, prevSeq, merged }: Pending, resumeSeq: number | undefined): void {
    const counts = this.#countsOf(record);
    const said = merged > 0 && this.#errs('counts one merged too many') ? merged + 1 : merged;
    counts.delivered++;
    counts.merged += said;
    this.#last.set(record.key, record.seq);
    const tail = { ...(said > 0 ? { merged: said } : {}), ...(resumeSeq === undefined ? {} : { resumeSeq }) };
    this.#socket.send(JSON.stringify(frameOf(record, prevSeq, tail)));
  }

  #tellGap({ record, firstSeq, merged }: Pending, reason: string): void {
    const { dropped } = this.#countsOf(record);
    const count = merged > 0 && this.#errs('counts one dropped too few') ? merged : merged + 1;
    dropped[reason] = (dropped[reason] ?? 0) + count;
    const payload: Gap = { ...record.name, fromSeq: firstSeq, toSeq: record.seq, count, reason };
    this.#socket.send(JSON.stringify({ type: 'gap', payload, timestamp: 1 }));
  }

  /** The topic's publication before, or what a gateway says that lies about it. */
  #before({ key, prevSeq }: ModelRecord): number {
    return this.#fault === 'hides what it loses' ? (this.#last.get(key) ?? prevSeq) : prevSeq;
  }

  #countsOf({ key, name }: ModelRecord): TopicCounts {
    let held = this.#counts.get(key);
    if (held === undefined) {
      held = { name, counts: noCounts() };
      this.#counts.set(key, held);
    }
    return held.counts;
  }

  #errs(fault: Fault): boolean {
    return this.#fault === fault && Math.random() * FAULT_ODDS < 1;
  }
}

function frameOf({ payload, seq }: ModelRecord, prevSeq: number, tail: Partial<WireMessage>): WireMessage {
  const type = typeof payload.type === 'string' ? payload.type : 'data';
  return { type, payload, timestamp: 1, seq, prevSeq, ...tail };
}

function withLast(older: readonly Level[], newer: readonly Level[]): Level[] {
  return [...new Map([...older, ...newer].map(([price, size]) => [price, size]))];
}
