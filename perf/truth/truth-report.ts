import { BookJudge } from './book-judge.ts';
import type { CheckedClient } from './checked-client.ts';
import { type Account, ConservationJudge } from './conservation.ts';
import type { ConflatedTypes } from './delivery-policies.ts';
import type { MarketLog } from './market-log.ts';
import { Problems } from './problems.ts';

/** What became of everything that was published, over all clients; and what was wrong. */
export interface TruthReport {
  /** By the source. */
  publications: number;
  topics: number;
  account: Account;
  /** Data frames that clients had had before, and ignored. */
  repeated: number;
  frames: number;
  ledgers: number;
  connections: number;
  /** Resumptions that were refused, by reason. */
  refusals: Record<string, number>;
  /** How connections ended, by close code. */
  closes: Record<number, number>;
  booksCompared: number;
  problems: string[];
}

/** Refusals that can't be right: a client has its epoch and its seq from the gateway itself. */
const WRONG_REFUSALS = ['UNKNOWN_EPOCH', 'SEQ_IN_FUTURE'];

/** Judges clients that have caught up. @param found what is wrong already */
export function truthReport(
  log: MarketLog,
  clients: readonly CheckedClient[],
  found: readonly string[],
  conflation?: ConflatedTypes,
): TruthReport {
  const problems = new Problems();
  for (const text of found) problems.add(text);
  const conservation = new ConservationJudge(log.log, conflation);
  const books = new BookJudge(log);
  for (const { checker } of clients) {
    problems.addAll(checker.problems);
    conservation.judge(checker.record);
    books.judge(checker.record, checker.books);
  }
  problems.addAll(conservation.problems);
  problems.addAll(books.problems);
  const { published, delivered, merged, dropped } = conservation.account;
  const accounted = delivered + merged + Object.values(dropped).reduce((sum, count) => sum + count, 0);
  if (published !== accounted) problems.add(`${published} were owed, ${accounted} are accounted for`);
  const refusals = addedUp(clients.map(({ checker }) => checker.refusals));
  for (const reason of WRONG_REFUSALS)
    if (refusals[reason] !== undefined) problems.add(`a resumption was refused: ${reason}`);
  const sumOf = (figure: 'repeated' | 'frames' | 'ledgers' | 'connections') =>
    clients.reduce((sum, { checker }) => sum + checker[figure], 0);
  return {
    publications: log.log.total,
    topics: log.log.topics.length,
    account: conservation.account,
    repeated: sumOf('repeated'),
    frames: sumOf('frames'),
    ledgers: sumOf('ledgers'),
    connections: sumOf('connections'),
    refusals,
    closes: addedUp(clients.map(({ closes }) => closes)),
    booksCompared: books.compared,
    problems: problems.list(),
  };
}

function addedUp(counts: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const count of counts) for (const [key, n] of Object.entries(count)) sum[key] = (sum[key] ?? 0) + n;
  return sum;
}
