import { nowMs } from '../util/clock.ts';
import type { DataTransformer, TransformerStats } from './data-transformer.ts';
import type { Publication } from './publication.ts';
import { TransformerMeter } from './transformer-meter.ts';

/**
 * Refuses a trade or ticker whose price is not a finite number. The price stands in `data` under the names that hoisting
 * knows; a numeric string is not a number. Other types pass. Used where `dataflow.strict` is on.
 */
export class StrictTransformer implements DataTransformer {
  readonly name = 'strict';
  readonly #meter = new TransformerMeter();

  transform(data: Publication): Publication {
    return data;
  }

  validate(data: Publication): boolean {
    const valid = hasPrice(data);
    if (valid) this.#meter.transformed(nowMs());
    else this.#meter.failed(nowMs());
    return valid;
  }

  getStats(): TransformerStats {
    return this.#meter.read();
  }
}

function hasPrice(publication: Publication): boolean {
  if (publication.type !== 'trade' && publication.type !== 'ticker') return true;
  const data = publication.data as Record<string, unknown> | null | undefined;
  if (typeof data !== 'object' || data === null) return false;
  const price = publication.type === 'trade' ? (data.price ?? data.p) : (data.lastPrice ?? data.price ?? data.c);
  return Number.isFinite(price);
}
