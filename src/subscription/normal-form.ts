/**
 * The forms in which names are compared (they are sent as given): exchanges without regard to case, symbols without
 * regard to case and separators, data types by their usual name.
 */
const DATA_TYPE_ALIASES = new Map([
  ['trades', 'trade'],
  ['orderbook', 'depth'],
  ['24hrticker', 'ticker'],
]);

const KLINE_PREFIX = 'kline_';

export function exchangeForm(exchange: string): string {
  return exchange.toLowerCase();
}

export function symbolForm(symbol: string): string {
  return symbol.replace(/[/_-]/g, '').toUpperCase();
}

/** The interval of a kline keeps its case: `1m` is a minute, `1M` a month. */
export function dataTypeForm(dataType: string): string {
  const lower = dataType.toLowerCase();
  if (lower.startsWith(KLINE_PREFIX)) return KLINE_PREFIX + dataType.slice(KLINE_PREFIX.length);
  return DATA_TYPE_ALIASES.get(lower) ?? lower;
}

/** Whether this form is a kline of one interval, which is also a `kline`. */
export function isKlineOfInterval(form: string): boolean {
  return form.startsWith(KLINE_PREFIX);
}
