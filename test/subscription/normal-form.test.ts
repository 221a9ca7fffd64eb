import { describe, expect, it } from 'vitest';
import { dataTypeForm, exchangeForm, symbolForm } from '../../src/subscription/normal-form.ts';

describe('the form of a name', () => {
  it('disregards the case of an exchange, and nothing else', () => {
    expect(exchangeForm('Binance-Futures')).toBe(exchangeForm('BINANCE-futures'));
    expect(exchangeForm('binance-futures')).not.toBe(exchangeForm('binancefutures'));
  });

  it.each(['BTC/USDT', 'btcusdt', 'BTC-USDT', 'btc_usdt', 'Btc/-_Usdt'])('takes %j for BTCUSDT', (symbol) => {
    expect(symbolForm(symbol)).toBe(symbolForm('BTCUSDT'));
  });

  it('keeps every other character of a symbol', () => {
    const symbols = ['BTC USDT', 'BTC:USDT', 'BTC.USDT', 'BTCUSDT', 'BTC+USDT', '', '1000BTCUSDT'];
    expect(new Set(symbols.map(symbolForm)).size).toBe(symbols.length);
  });

  it.each([
    ['trades', 'trade'],
    ['orderbook', 'depth'],
    ['24hrTicker', 'ticker'],
    ['orderBook', 'depth'],
    ['kline', 'kline'],
    ['liquidation', 'liquidation'],
  ])('calls the data type %s %s', (given, usual) => {
    expect(dataTypeForm(given)).toBe(usual);
  });

  // Klines of a minute (1m) and of a month (1M) differ in nothing but case.
  it('keeps the case of an interval: a month is no minute', () => {
    expect(dataTypeForm('kline_1M')).toBe('kline_1M');
    expect(dataTypeForm('Kline_1m')).toBe('kline_1m');
  });
});
