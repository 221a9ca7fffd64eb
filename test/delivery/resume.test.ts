import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Account } from '../../src/delivery/account.ts';
import { Replay } from '../../src/delivery/replay.ts';
import { planResume, type ResumePlan } from '../../src/delivery/resume.ts';
import type { FilterTerms } from '../../src/subscription/filter.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';

const EVERYTHING: FilterTerms = { exchanges: [], symbols: [], dataTypes: [] };
const ofSymbol = (symbol: string) => ({ ...EVERYTHING, symbols: [symbol] });

function plan(stage: DeliveryStage, seq: number, terms = EVERYTHING, account = new Account(), epoch = stage.epoch) {
  return planResume({ epoch, seq }, stage.catalog.matching(terms), account, stage);
}

function seqsOf(stage: DeliveryStage, { afterSeq, topics }: ResumePlan): number[] {
  const replay = new Replay(stage, afterSeq, topics, () => false);
  const seqs: number[] = [];
  while (replay.step() === 'record') seqs.push(stage.history.seq);
  return seqs;
}

describe('planResume', () => {
  it('grants a resumption exactly where everything that matches can still be read, and replays that', () => {
    const SYMBOLS = ['A', 'B', 'C'];
    const publication = fc.record({ symbol: fc.constantFrom(...SYMBOLS), bytes: fc.constantFrom(0, 100, 1_500) });
    fc.assert(
      fc.property(
        fc.array(publication, { minLength: 1, maxLength: 120, size: 'max' }),
        fc.subarray(SYMBOLS, { minLength: 1 }),
        fc.nat(120),
        fc.nat(99),
        (published, wanted, silence, dice) => {
          const stage = new DeliveryStage();
          const symbols = [''];
          const tell = (symbol: string, bytes: number) => {
            stage.tell('trade', symbol, 'x'.repeat(bytes));
            symbols.push(symbol);
          };
          for (const { symbol, bytes } of published) tell(symbol, bytes);
          // So that the others have not published for longer than the ring reaches back.
          for (let i = 0; i < silence; i++) tell('FILLER', 800);
          const { seq: newest } = stage.table;
          const since = Math.floor(((newest + 1) * dice) / 100);
          const topics = SYMBOLS.filter((symbol) => wanted.includes(symbol) && symbols.includes(symbol)).map((symbol) =>
            stage.topic('trade', symbol),
          );
          const missed = [...symbols.keys()].filter((seq) => seq > since && wanted.includes(symbols[seq]!));
          const isGone = (seq: number) => !stage.history.holds(stage.index.position(seq));
          const outcome = planResume({ epoch: stage.epoch, seq: since }, topics, new Account(), stage);
          if (missed.some(isGone)) {
            expect(outcome).toBe('HISTORY_TOO_SHORT');
            return;
          }
          expect(outcome).toMatchObject({ count: missed.length, sinceSeq: since });
          expect(seqsOf(stage, outcome as ResumePlan)).toEqual(missed);
          const counts = Map.groupBy(missed, (seq) => stage.topic('trade', symbols[seq]!));
          const { countByTopic } = outcome as ResumePlan;
          expect(countByTopic).toEqual(new Map([...counts].map(([topic, { length }]) => [topic, length])));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('grants one to whoever only wants topics that have been quiet for longer than the ring reaches back', () => {
    const stage = new DeliveryStage();
    const last = stage.tell('ticker', 'QUIET');
    stage.goRound(2, 'BUSY');
    expect(plan(stage, last, ofSymbol('QUIET'))).toMatchObject({ count: 0, sinceSeq: last });
    expect(plan(stage, last - 1, ofSymbol('QUIET'))).toBe('HISTORY_TOO_SHORT');
    expect(plan(stage, last)).toBe('HISTORY_TOO_SHORT');
  });

  it('refuses one where a topic is concerned that nothing is known of', () => {
    const stage = new DeliveryStage();
    stage.goRound(2, 'A');
    const since = stage.table.seq - 10;
    expect(plan(stage, since)).toMatchObject({ count: 10 });
    expect(plan(stage, 1)).toBe('HISTORY_TOO_SHORT');
    const unread = stage.publish('trade', 'NEW');
    expect(stage.table.seq).toBe(unread - 1);
    expect(plan(stage, 1, ofSymbol('NEW'))).toBe('HISTORY_TOO_SHORT');
    expect(plan(stage, since)).toMatchObject({ count: 10 });
  });

  it('knows its own numbering alone, and no seq that has not been published', () => {
    const stage = new DeliveryStage();
    expect(plan(stage, 0)).toMatchObject({ count: 0 });
    stage.tell('trade', 'A');
    expect(plan(stage, 1, EVERYTHING, new Account(), 'another')).toBe('UNKNOWN_EPOCH');
    expect(plan(stage, 2)).toBe('SEQ_IN_FUTURE');
    expect(plan(stage, Number.MAX_SAFE_INTEGER)).toBe('SEQ_IN_FUTURE');
    expect(plan(stage, 1)).toMatchObject({ count: 0 });
    expect(plan(stage, 0)).toMatchObject({ count: 1 });
  });

  it('replays nothing of topics that the connection has been getting all along', () => {
    const stage = new DeliveryStage();
    const account = new Account();
    stage.tell('trade', 'A');
    account.begin('f', ofSymbol('A'), stage.table, stage.catalog, stage.table.seq);
    for (const symbol of ['A', 'B', 'A', 'B']) stage.tell('trade', symbol);
    const outcome = plan(stage, 2, EVERYTHING, account) as ResumePlan;
    expect(seqsOf(stage, outcome)).toEqual([3, 5]);
  });

  it('refuses what the connection gets already from a later point on, if that has published in between', () => {
    const stage = new DeliveryStage();
    const account = new Account();
    for (const symbol of ['A', 'B']) stage.tell('trade', symbol);
    account.begin('f', ofSymbol('A'), stage.table, stage.catalog, stage.table.seq);
    expect(plan(stage, 0, EVERYTHING, account)).toBe('ALREADY_SUBSCRIBED');
    expect(plan(stage, 0, ofSymbol('B'), account)).toMatchObject({ count: 1 });
    expect(plan(stage, 1, EVERYTHING, account)).toMatchObject({ count: 1 });
    stage.tell('trade', 'A');
    expect(plan(stage, 1, EVERYTHING, account)).toBe('ALREADY_SUBSCRIBED');
    expect(plan(stage, 2, EVERYTHING, account)).toMatchObject({ count: 0 });
  });

  it('counts a filter that has resumed from where it resumed', () => {
    const stage = new DeliveryStage();
    const account = new Account();
    for (const symbol of ['A', 'B', 'A', 'B']) stage.tell('trade', symbol);
    account.begin('f', ofSymbol('A'), stage.table, stage.catalog, 1);
    const outcome = plan(stage, 1, EVERYTHING, account) as ResumePlan;
    expect(seqsOf(stage, outcome)).toEqual([2, 4]);
    expect(plan(stage, 0, EVERYTHING, account)).toBe('ALREADY_SUBSCRIBED');
  });
});
