/** Hosts of the exchanges' public WebSockets, and the tardis-dev id of what they send. */
const EXCHANGE_OF_HOST = new Map([
  ['api.gemini.com', 'gemini'],
  ['api.hitbtc.com', 'hitbtc'],
  ['api.huobi.pro', 'huobi'],
  ['api.upbit.com', 'upbit'],
  ['api-pub.bitfinex.com', 'bitfinex'],
  ['api2.poloniex.com', 'poloniex'],
  ['dstream.binance.com', 'binance-delivery'],
  ['fstream.binance.com', 'binance-futures'],
  ['ftx.com', 'ftx'],
  ['futures.kraken.com', 'cryptofacilities'],
  ['stream.binance.com', 'binance'],
  ['stream.binance.us', 'binance-us'],
  ['stream.bybit.com', 'bybit'],
  ['ws.bitmex.com', 'bitmex'],
  ['ws.bitstamp.net', 'bitstamp'],
  ['ws.kraken.com', 'kraken'],
  ['ws-feed.exchange.coinbase.com', 'coinbase'],
  ['ws-feed.pro.coinbase.com', 'coinbase'],
  ['www.bitmex.com', 'bitmex'],
  ['www.deribit.com', 'deribit'],
]);

/** The hosts that are known, for a message. */
export function knownHosts(): string[] {
  return [...EXCHANGE_OF_HOST.keys()];
}

/** The tardis-dev id of the exchange at a `wss:` address; undefined for a host that is not known. */
export function exchangeOfUrl(url: string): string | undefined {
  return URL.canParse(url) ? EXCHANGE_OF_HOST.get(new URL(url).hostname) : undefined;
}
