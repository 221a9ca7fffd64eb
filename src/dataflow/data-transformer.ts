import type { Publication, PublicationContext } from './publication.ts';

/** Changes or refuses publications before they are routed. Runs on the primary thread, synchronously. */
export interface DataTransformer {
  /** Unique within one manager. */
  readonly name: string;
  /**
   * Returns what goes on: the publication itself or a new object, never the same object changed. A throw, or a result
   * that is not an object (a promise is not one), drops the publication.
   */
  transform(data: Publication, context?: PublicationContext): Publication;
  /** Judges what `transform` returned, each publication anew; false drops it. */
  validate(data: Publication): boolean;
  getStats(): TransformerStats;
}

export interface TransformerStats {
  transformedCount: number;
  errorCount: number;
  /** ms for one publication. */
  averageLatency: number;
  /** ms since the epoch; 0 before the first. */
  lastActivity: number;
}

/** Whether a transformer's result can go on as a publication. A promise can't, and its rejection must not go astray. */
export function isPublication(result: unknown): result is Publication {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return false;
  if (!isThenable(result)) return true;
  result.then(undefined, () => undefined);
  return false;
}

/** Whether something can be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
