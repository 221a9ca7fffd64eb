import type { DataTransformer } from './data-transformer.ts';
import type { Publication, PublicationContext } from './publication.ts';

/** Gives the publication that the rule's channels get: a new object, since what it is given is shared with others. */
export type PublicationTransform = (data: Publication, context: PublicationContext) => Publication;

/**
 * Which publications go to which channels. `enabled` is read for each publication, so a rule can be switched while it
 * stands; the other fields are taken when it is added, and adding a rule of the same name puts it in the old one's place.
 */
export interface RoutingRule {
  /** Unique within one manager. */
  readonly name: string;
  /** True for the publications the rule is about. Synchronous; a promise is a fault. */
  condition(data: Publication): boolean;
  /** Ids of the channels that get them. An id that nobody has registered is skipped. */
  readonly targetChannels: readonly string[];
  /** Changes what the rule's channels get. Of several rules for one channel, that of the highest priority counts. */
  readonly transform?: PublicationTransform | DataTransformer;
  readonly enabled: boolean;
  /** Higher comes first; of equals, the one added first. */
  readonly priority: number;
}
