import { assert } from '../util/assert.ts';
import type { ErrorCode } from '../util/errors.ts';
import { type DataTransformer, isPublication, type TransformerStats } from './data-transformer.ts';
import { failureMessage } from './failure-message.ts';
import { NormalisingTransformer } from './normaliser.ts';
import type { Publication, PublicationContext } from './publication.ts';
import { StrictTransformer } from './strict-transformer.ts';

/** Told of each input that goes no further. */
export type RefusalHook = (code: ErrorCode, data: unknown, message?: string, cause?: unknown) => void;

/** The transformers of one manager: the normaliser, the strict one where it is wanted, then those that were registered. */
export class TransformerChain {
  readonly #refused: RefusalHook;
  readonly #normaliser = new NormalisingTransformer();
  // Replaced, never changed, so that a transformer may register another.
  #transformers: readonly DataTransformer[];

  constructor(strict: boolean, refused: RefusalHook) {
    this.#transformers = strict ? [new StrictTransformer()] : [];
    this.#refused = refused;
  }

  /** One of the same name is replaced, in its place. */
  register(transformer: DataTransformer): void {
    assert(
      typeof transformer.transform === 'function' && typeof transformer.validate === 'function',
      'a transformer has transform and validate',
    );
    const at = this.#transformers.findIndex((other) => other.name === transformer.name);
    this.#transformers = at < 0 ? [...this.#transformers, transformer] : this.#transformers.with(at, transformer);
  }

  /** Whether nothing but the normaliser is there. */
  get isBare(): boolean {
    return this.#transformers.length === 0;
  }

  /** Counts a publication that came normalised. @param atMs when it came */
  passed(atMs: number): void {
    this.#normaliser.passed(atMs);
  }

  /** The publication as the rules shall see it; undefined where it was refused. Never throws. */
  apply(data: unknown, context: PublicationContext, receivedAtMs: number): Publication | undefined {
    let publication = this.#normalise(data, context, receivedAtMs);
    const transformers = this.#transformers;
    for (let i = 0; i < transformers.length && publication !== undefined; i++) {
      publication = this.#applyOne(transformers[i] as DataTransformer, publication, context, data);
    }
    return publication;
  }

  stats(): Record<string, TransformerStats> {
    const all: readonly DataTransformer[] = [this.#normaliser, ...this.#transformers];
    return Object.fromEntries(all.map((transformer) => [transformer.name, transformer.getStats()]));
  }

  #normalise(data: unknown, context: PublicationContext, receivedAtMs: number): Publication | undefined {
    try {
      const normalised = this.#normaliser.normalise(data, context, receivedAtMs);
      if (typeof normalised !== 'string') return normalised;
      this.#refused(normalised, data);
    } catch (thrown) {
      // A getter or toJSON of the input's own.
      this.#refused('PUBLICATION_NOT_SERIALISABLE', data, failureMessage('Reading it', thrown), thrown);
    }
    return undefined;
  }

  #applyOne(
    transformer: DataTransformer,
    publication: Publication,
    context: PublicationContext,
    data: unknown,
  ): Publication | undefined {
    const { name } = transformer;
    try {
      const result: unknown = transformer.transform(publication, context);
      if (!isPublication(result)) {
        this.#refused('TRANSFORMER_FAILED', data, `Transformer ${name} returned no object`);
      } else if (!transformer.validate(result)) {
        this.#refused('PUBLICATION_INVALID', data, `Transformer ${name} does not accept it`);
      } else {
        return result;
      }
    } catch (thrown) {
      this.#refused('TRANSFORMER_FAILED', data, failureMessage(`Transformer ${name}`, thrown), thrown);
    }
    return undefined;
  }
}
