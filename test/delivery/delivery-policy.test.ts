import { describe, expect, it } from 'vitest';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY, isBook, LATEST, policyOf } from '../../src/delivery/delivery-policy.ts';

const USUAL = { latest: ['ticker', 'kline'], book: ['depth'] };

describe('policyOf', () => {
  it('merges what is configured, and keeps everything else', () => {
    expect(policyOf('ticker', USUAL)).toBe(LATEST);
    expect(policyOf('depth', USUAL)).toBe(BOOK_UPDATE);
    for (const type of ['trade', 'liquidation', 'klines', 'tickers', '', 'constructor']) {
      expect(policyOf(type, USUAL)).toBe(EVERY);
    }
    expect(policyOf('ticker', { latest: [], book: [] })).toBe(EVERY);
  });

  it('takes klines of all intervals for klines', () => {
    for (const type of ['kline', 'kline_1m', 'kline_1M', 'KLINE_1h', 'kline_'])
      expect(policyOf(type, USUAL)).toBe(LATEST);
    expect(policyOf('kline_1m', { latest: [], book: [] })).toBe(EVERY);
  });

  it('does not look at the case of a type', () => {
    expect(policyOf('Ticker', USUAL)).toBe(LATEST);
    expect(policyOf('DEPTH', USUAL)).toBe(BOOK_UPDATE);
  });

  it('keeps everything of topics without a type', () => {
    expect(policyOf(null, USUAL)).toBe(EVERY);
  });
});

describe('isBook', () => {
  it('is true for updates and whole books alone', () => {
    expect([EVERY, LATEST, BOOK_UPDATE, BOOK_SNAPSHOT].map(isBook)).toEqual([false, false, true, true]);
  });
});
