import { hash } from 'node:crypto';
import type { TopicName } from '../ring/topic-directory.ts';
import { isKlineOfInterval } from '../subscription/normal-form.ts';
import { canonicalText } from './canonical-text.ts';
import { asFields, type Fields } from './fields.ts';

/**
 * By what the two servers' publications of one topic are known for the same. A publication with a number of its own is
 * paired by that; any other by content and timestamp together, and what is left of those after a while by moment, then
 * by content.
 */
export interface Identity {
  /** The number that the exchange gave it, else content and timestamp. */
  readonly exact: string;
  /** Undefined where it has a number, since what has another number is another publication; or where nothing tells it. */
  readonly moment: string | undefined;
  /** Undefined where it has a number. */
  readonly content: string | undefined;
}

/** Fields of `data` that number the publications of a topic, the first that is there. */
const NUMBER_FIELDS: ReadonlyMap<string | null, readonly string[]> = new Map([
  ['trade', ['id', 'tradeId', 'trade_id', 't']],
  ['depth', ['updateId', 'lastUpdateId', 'u']],
]);
/** Fields that name the topic or the moment, and are no content. */
const NO_CONTENT: ReadonlySet<string> = new Set(['type', 'exchange', 'symbol', 'timestamp']);

export function identityOf({ dataType }: TopicName, payload: Fields): Identity {
  const data = asFields(payload.data) ?? {};
  const number = firstOf(data, NUMBER_FIELDS.get(dataType) ?? []);
  if (number !== undefined) return { exact: `number ${number}`, moment: undefined, content: undefined };
  const isKline = dataType !== null && (dataType === 'kline' || isKlineOfInterval(dataType));
  const content = hash('sha1', canonicalText(contentOf(payload, isKline)), 'base64');
  const timestamp = payload.timestamp === undefined ? undefined : canonicalText(payload.timestamp);
  const updated = dataType === 'depth' ? firstOf(data, ['updateTime', 'E']) : undefined;
  const moment = updated ?? timestamp ?? (isKline ? candleOf(data) : undefined);
  return { exact: `${content} ${timestamp}`, moment, content };
}

/** Numbers and their texts are the same number. */
function firstOf(data: Fields, fields: readonly string[]): string | undefined {
  for (const field of fields) {
    const value = data[field];
    if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return String(value);
  }
  return undefined;
}

/** Coarse, since a candle is published again and again until it is closed: for where there is no timestamp. */
function candleOf(data: Fields): string | undefined {
  const openTime = firstOf(data, ['openTime', 't', 'startTime']);
  return openTime === undefined ? undefined : `${openTime} ${data.closed ?? data.isClosed ?? data.x}`;
}

/** `data`, or where there is none, the fields that stand in its place. A kline's interval is in its topic. */
function contentOf(payload: Fields, isKline: boolean): unknown {
  if (payload.data === undefined || payload.data === null) return without(payload, NO_CONTENT);
  const data = asFields(payload.data);
  return data !== undefined && isKline ? without(data, INTERVAL) : payload.data;
}

const INTERVAL: ReadonlySet<string> = new Set(['interval']);

function without(fields: Fields, names: ReadonlySet<string>): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.has(name)));
}
