import { ChainChecker, type ChainCheckerOptions } from '../../perf/truth/chain-checker.ts';
import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import type { Gap, WireMessage } from '../../perf/truth/wire-message.ts';

type Tail = Pick<WireMessage, 'merged' | 'snapshot' | 'resumeSeq'>;

/** Tells a chain checker what a gateway might say, message by message. */
export class ToldStream {
  readonly checker: ChainChecker;
  #ids = 0;

  constructor(options: Partial<ChainCheckerOptions> = {}) {
    this.checker = new ChainChecker({ client: 'c', ...options });
  }

  get problems(): string[] {
    return this.checker.problems.texts.map((text) => text.replace(/^c: /, '').replace(/: \{.*$/, ''));
  }

  welcome(seq: number, isFirehose = false): this {
    this.checker.connecting(isFirehose);
    return this.message('welcome', { epoch: 'e', seq });
  }

  subscribed(filter: GivenFilter, seq: number, more: Record<string, unknown> = {}, resume?: number): this {
    const id = `i${++this.#ids}`;
    const asked = resume === undefined ? {} : { resume: { epoch: 'e', seq: resume } };
    this.checker.asked({ type: 'subscribe', id, payload: { ...filter, ...asked } });
    this.checker.take({ type: 'subscribed', payload: { filterId: id, filter, seq, ...more }, timestamp: 1, id });
    return this;
  }

  /** The n-th filter of this stream is withdrawn. */
  unsubscribed(n: number): this {
    return this.message('unsubscribed', { filterId: `i${n}` });
  }

  frame(symbol: string, type: string, prevSeq: number, seq: number, tail: Tail = {}, data: object = {}): this {
    const payload = { type, exchange: 'x', symbol, timestamp: 1, data: { n: seq, ...data } };
    this.checker.take({ type, payload, timestamp: 1, seq, prevSeq, ...tail });
    return this;
  }

  gap(symbol: string, dataType: string, fromSeq: number, toSeq: number, count: number, reason = 'slow_consumer'): this {
    const gap: Gap = { exchange: 'x', symbol, dataType, fromSeq, toSeq, count, reason };
    return this.message('gap', gap as unknown as Record<string, unknown>);
  }

  message(type: string, payload: Record<string, unknown>): this {
    this.checker.take({ type, payload, timestamp: 1 });
    return this;
  }

  lost(): this {
    this.checker.lost();
    return this;
  }
}
