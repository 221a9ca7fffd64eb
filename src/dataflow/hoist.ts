import type { Publication } from './publication.ts';

/**
 * Gives the fields that a front end reads from the top of a publication and that sources put into its `data`: of a trade
 * `price`, `volume`, `side`, of a ticker `price`, `volume`, `change24h`, each as a string.
 *
 * @param publication normalised; may throw where a getter of its own does
 * @returns JSON text to append behind the last member, such as `,"price":"1.5","side":"buy"`; '' where there is nothing.
 *   A key that the publication has itself is left out, also when its value is null: that is what it says. A key whose
 *   value is undefined is not in its JSON, so it counts as missing. Values that are neither a string nor a finite number
 *   are passed over.
 */
export function hoistedFields(publication: Publication): string {
  const type = publication.type;
  if (type !== 'trade' && type !== 'ticker') return '';
  const data = publication.data;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return '';
  return type === 'trade' ? tradeFields(publication, data as Fields) : tickerFields(publication, data as Fields);
}

type Fields = Record<string, unknown>;

function tradeFields(publication: Publication, data: Fields): string {
  let text = '';
  if (lacks(publication, 'price')) text += member(',"price":', textOf(data.price) ?? textOf(data.p));
  if (lacks(publication, 'volume')) {
    text += member(',"volume":', textOf(data.quantity) ?? textOf(data.volume) ?? textOf(data.q));
  }
  if (lacks(publication, 'side')) text += member(',"side":', sideOf(data));
  return text;
}

function tickerFields(publication: Publication, data: Fields): string {
  let text = '';
  if (lacks(publication, 'price')) {
    text += member(',"price":', textOf(data.lastPrice) ?? textOf(data.price) ?? textOf(data.c));
  }
  if (lacks(publication, 'volume')) {
    text += member(',"volume":', textOf(data.volume24h) ?? textOf(data.volume) ?? textOf(data.v));
  }
  if (lacks(publication, 'change24h')) {
    text += member(',"change24h":', textOf(data.change24h) ?? textOf(data.priceChangePercent) ?? textOf(data.P));
  }
  return text;
}

/** `m` says that the buyer was the maker, so the taker sold. Without either there is no side to tell. */
function sideOf(data: Fields): string | undefined {
  if (typeof data.side === 'string') return quoted(data.side);
  if (typeof data.m !== 'boolean') return undefined;
  return data.m ? '"sell"' : '"buy"';
}

function lacks(publication: Publication, key: string): boolean {
  return publication[key] === undefined || !Object.hasOwn(publication, key);
}

function member(key: string, value: string | undefined): string {
  return value === undefined ? '' : key + value;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? `"${value}"` : undefined;
  return typeof value === 'string' ? quoted(value) : undefined;
}

/** Prices and sides need no escape; what is longer than they are, or stranger, is left to JSON. */
const PLAIN_LENGTH_MAX = 32;

function quoted(value: string): string {
  return isPlain(value) ? `"${value}"` : JSON.stringify(value);
}

function isPlain(value: string): boolean {
  const length = value.length;
  if (length > PLAIN_LENGTH_MAX) return false;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}
