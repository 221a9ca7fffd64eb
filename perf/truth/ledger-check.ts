import type { TopicName } from '../../src/ring/topic-directory.ts';
import { noCounts, type TopicChain, type TopicCounts } from './topic-chain.ts';
import { topicKey, topicText } from './wire-message.ts';

interface Figures {
  published: number;
  delivered: number;
  merged: number;
  dropped: Record<string, number>;
  pending: number;
}

/** Payload of a `ledger` message. */
export interface Ledger extends Figures {
  epoch: string;
  seq: number;
  state: 'live' | 'behind' | 'replaying';
  snapshots: number;
  lagMs: number;
  topics: (TopicName & Figures)[];
  truncated?: true;
}

const STATES = ['live', 'behind', 'replaying'];

/** Compares what a gateway says of a connection with what the connection's client has counted at that point of its stream. */
export function ledgerFaults(ledger: Ledger, chains: Iterable<TopicChain>): string[] {
  const faults: string[] = [];
  const own = new Map([...chains].map((chain) => [chain.key, chain]));
  if (!STATES.includes(ledger.state)) faults.push(`the ledger's state is ${ledger.state}`);
  if (!(ledger.lagMs >= 0)) faults.push('the ledger has no lag');
  const all = sumOf([...own.values()].map(({ counts }) => counts));
  faults.push(...figureFaults('the ledger', ledger, all));
  if (ledger.snapshots !== all.snapshots)
    faults.push(`the ledger has ${ledger.snapshots} snapshots, not ${all.snapshots}`);
  for (const topic of ledger.topics) {
    const counts = own.get(topicKey(topic))?.counts ?? noCounts();
    faults.push(...figureFaults(`the ledger of ${topicText(topic)}`, topic, counts));
  }
  if (ledger.truncated !== true) faults.push(...sumFaults(ledger));
  return faults;
}

function figureFaults(what: string, figures: Figures, own: TopicCounts): string[] {
  const { published, delivered, merged, dropped, pending } = figures;
  const faults: string[] = [];
  if (!(pending >= 0)) faults.push(`${what} has ${pending} pending`);
  const accounted = delivered + merged + total(dropped) + pending;
  if (published !== accounted) faults.push(`${what} has ${published} published, but ${accounted} accounted for`);
  if (delivered !== own.delivered) faults.push(`${what} has ${delivered} delivered, not ${own.delivered}`);
  if (merged !== own.merged) faults.push(`${what} has ${merged} merged, not ${own.merged}`);
  for (const reason of new Set([...Object.keys(dropped), ...Object.keys(own.dropped)])) {
    const [said, counted] = [dropped[reason] ?? 0, own.dropped[reason] ?? 0];
    if (said !== counted) faults.push(`${what} has ${said} dropped for ${reason}, not ${counted}`);
  }
  return faults;
}

/** Its topics together are what it says of the whole. */
function sumFaults(ledger: Ledger): string[] {
  const faults: string[] = [];
  for (const figure of ['published', 'delivered', 'merged', 'pending'] as const) {
    const sum = ledger.topics.reduce((sum, topic) => sum + topic[figure], 0);
    if (sum !== ledger[figure]) faults.push(`the ledger has ${ledger[figure]} ${figure}, its topics ${sum}`);
  }
  const dropped = ledger.topics.reduce((sum, topic) => sum + total(topic.dropped), 0);
  if (dropped !== total(ledger.dropped))
    faults.push(`the ledger has ${total(ledger.dropped)} dropped, its topics ${dropped}`);
  return faults;
}

function sumOf(counts: readonly TopicCounts[]): TopicCounts {
  const sum = noCounts();
  for (const { delivered, merged, snapshots, dropped } of counts) {
    sum.delivered += delivered;
    sum.merged += merged;
    sum.snapshots += snapshots;
    for (const [reason, count] of Object.entries(dropped)) sum.dropped[reason] = (sum.dropped[reason] ?? 0) + count;
  }
  return sum;
}

function total(dropped: Record<string, number>): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}
