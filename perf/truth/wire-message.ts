import type { TopicName } from '../../src/ring/topic-directory.ts';

/** A message of the gateway, parsed. A data frame is one that has a `seq`. */
export interface WireMessage {
  type: string;
  payload: Record<string, unknown>;
  timestamp: number;
  id?: string | number;
  seq?: number;
  prevSeq?: number;
  /** Further publications of the topic that this frame stands for. */
  merged?: number;
  /** It restates the latest value, and is no delivery. */
  snapshot?: boolean;
  /** Resume from here rather than from `seq`, for as long as this is the last frame. */
  resumeSeq?: number;
}

export interface DataFrame extends WireMessage {
  seq: number;
  prevSeq: number;
}

export interface Gap extends TopicName {
  fromSeq: number;
  toSeq: number;
  count: number;
  reason: string;
}

export const GAP_REASONS = ['slow_consumer', 'shard_lapped', 'unsubscribed', 'replay_overrun', 'memory_pressure'];

export function isDataFrame(message: WireMessage): message is DataFrame {
  return message.seq !== undefined;
}

/** The topic of a data frame: klines of different intervals are different topics, what has no field has null. */
export function topicOf({ payload }: WireMessage): TopicName {
  const type = nameIn(payload.type);
  return {
    exchange: nameIn(payload.exchange),
    symbol: nameIn(payload.symbol),
    dataType: type === 'kline' ? klineType(payload.data) : type,
  };
}

/** The same for equal topics, and for no others. */
export function topicKey({ exchange, symbol, dataType }: TopicName): string {
  return `${exchange}\n${symbol}\n${dataType}`;
}

export function topicText({ exchange, symbol, dataType }: TopicName): string {
  return `${exchange ?? '-'}/${symbol ?? '-'}/${dataType ?? '-'}`;
}

function nameIn(field: unknown): string | null {
  return typeof field === 'string' ? field : null;
}

function klineType(data: unknown): string {
  const interval = (data as { interval?: unknown } | null | undefined)?.interval;
  return typeof interval === 'string' && interval !== '' ? `kline_${interval}` : 'kline';
}
