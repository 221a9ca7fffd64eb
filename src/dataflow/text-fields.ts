import { FieldKeys } from './field-keys.ts';

/** Fields that are looked for: at the top of a publication, then in its `data`. A bit of `seen` each. */
export const EXCHANGE = 0;
export const SYMBOL = 1;
export const TYPE = 2;
/** Of a kline's data; with the three above what a topic is named by. */
export const INTERVAL = 3;
export const TIMESTAMP = 4;
export const DATA = 5;
export const RECEIVED_AT = 6;
export const SEQ = 7;
export const EPOCH = 8;
export const TOP_PRICE = 9;
export const TOP_VOLUME = 10;
export const TOP_SIDE = 11;
export const TOP_CHANGE = 12;
export const PRICE = 13;
export const P = 14;
export const QUANTITY = 15;
export const VOLUME = 16;
export const Q = 17;
export const SIDE = 18;
export const M = 19;
export const LAST_PRICE = 20;
export const C = 21;
export const VOLUME_24H = 22;
export const V = 23;
export const CHANGE_24H = 24;
export const CHANGE_PERCENT = 25;
export const PERCENT = 26;
export const FIELDS = 27;

export const AT_TOP = new FieldKeys(
  new Map([
    [EXCHANGE, 'exchange'],
    [SYMBOL, 'symbol'],
    [TYPE, 'type'],
    [TIMESTAMP, 'timestamp'],
    [DATA, 'data'],
    [RECEIVED_AT, 'receivedAt'],
    [SEQ, 'seq'],
    [EPOCH, 'epoch'],
    [TOP_PRICE, 'price'],
    [TOP_VOLUME, 'volume'],
    [TOP_SIDE, 'side'],
    [TOP_CHANGE, 'change24h'],
  ]),
);
export const IN_DATA = new FieldKeys(
  new Map([
    [INTERVAL, 'interval'],
    [PRICE, 'price'],
    [P, 'p'],
    [QUANTITY, 'quantity'],
    [VOLUME, 'volume'],
    [Q, 'q'],
    [SIDE, 'side'],
    [M, 'm'],
    [LAST_PRICE, 'lastPrice'],
    [C, 'c'],
    [VOLUME_24H, 'volume24h'],
    [V, 'v'],
    [CHANGE_24H, 'change24h'],
    [CHANGE_PERCENT, 'priceChangePercent'],
    [PERCENT, 'P'],
  ]),
);
export const ELSEWHERE = new FieldKeys(new Map());
