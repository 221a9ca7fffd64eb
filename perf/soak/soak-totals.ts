import type { CheckedClient } from '../truth/checked-client.ts';
import { type Account, ConservationJudge, noAccount } from '../truth/conservation.ts';
import { USUAL_CONFLATION } from '../truth/delivery-policies.ts';
import { Problems } from '../truth/problems.ts';
import type { PublicationLog } from '../truth/publication-log.ts';

/** What became of everything that was published, over all clients that have been judged. */
export class SoakTotals {
  readonly account: Account = noAccount();
  readonly problems = new Problems();
  /** Clients that have lived, and connections of theirs. */
  clients = 0;
  connections = 0;
  /** Connections that were left at once, since the gateway had just come up. */
  tooEarly = 0;
  frames = 0;
  /** Frames that clients had had before, and ignored. */
  repeated = 0;
  /** Accounts that gateways gave of a connection, each compared with what its client had counted. */
  ledgers = 0;
  /** Resumptions that were refused, by reason. */
  refusals: Record<string, number> = {};
  /** How connections ended that the client did not end, by close code; 1006: without one. */
  closes: Record<string, number> = {};

  /** Judges a client that has caught up, and has lost its connection since. */
  add(client: CheckedClient, log: PublicationLog): void {
    const { checker } = client;
    const judge = new ConservationJudge(log, USUAL_CONFLATION, true);
    judge.judge(checker.record);
    this.problems.addAll(checker.problems);
    this.problems.addAll(judge.problems);
    this.#addAccount(judge.account);
    this.clients++;
    this.connections += checker.connections;
    this.tooEarly += client.tooEarly;
    this.frames += checker.frames;
    this.repeated += checker.repeated;
    this.ledgers += checker.ledgers;
    addCounts(this.refusals, checker.refusals);
    addCounts(this.closes, client.closes);
  }

  /** Publications that clients were owed and that neither came nor were told of, or the other way round. */
  get unaccounted(): number {
    const { published, delivered, merged, dropped } = this.account;
    return published - delivered - merged - sumOf(dropped);
  }

  #addAccount({ dropped, ...counts }: Account): void {
    for (const [key, count] of Object.entries(counts) as [keyof typeof counts, number][]) this.account[key] += count;
    addCounts(this.account.dropped, dropped);
  }
}

export function sumOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function addCounts(to: Record<string, number>, counts: Record<string, number>): void {
  for (const [key, count] of Object.entries(counts)) to[key] = (to[key] ?? 0) + count;
}
