import { TickcastError } from '../util/errors.ts';
import type { ChannelLane } from './channel-lane.ts';
import { isPublication, isThenable } from './data-transformer.ts';
import type { Publication, PublicationContext } from './publication.ts';
import type { PublicationTransform, RoutingRule } from './routing-rule.ts';

export interface RoutingHooks {
  ruleMatched(name: string, publication: Publication): void;
  ruleFailed(name: string, thrown: unknown, publication: Publication): void;
  /** A rule names a channel that is not registered. Called once for each rule and channel. */
  channelUnknown(name: string, channelId: string): void;
}

/** A rule as it is kept: with its transform as a function, and the unknown channels it was reported for. */
interface Route {
  readonly rule: RoutingRule;
  readonly name: string;
  readonly priority: number;
  readonly channelIds: readonly string[];
  readonly transform: PublicationTransform | undefined;
  readonly reported: Set<string>;
}

/** Where one publication goes: parallel lists, filled by `route`. */
class Destinations {
  readonly lanes: ChannelLane[] = [];
  /** What the lane of the same index gets; undefined: the publication as it came. */
  readonly transformed: (Publication | undefined)[] = [];
}

/** The routing rules of one manager, highest priority first. */
export class RoutingTable {
  readonly #hooks: RoutingHooks;
  // Replaced, never changed, so that a rule may add or remove rules while a publication is being routed.
  #routes: readonly Route[] = [];

  constructor(hooks: RoutingHooks) {
    this.#hooks = hooks;
  }

  get size(): number {
    return this.#routes.length;
  }

  /** A rule of the same name is replaced; it keeps its place among those of equal priority. */
  add(rule: RoutingRule): void {
    const route = asRoute(rule);
    const known = this.#routes.some((other) => other.name === route.name);
    const routes = known
      ? this.#routes.map((other) => (other.name === route.name ? route : other))
      : [...this.#routes, route];
    this.#routes = routes.toSorted((a, b) => b.priority - a.priority);
  }

  /** Returns whether there was such a rule. */
  remove(name: string): boolean {
    const before = this.#routes.length;
    this.#routes = this.#routes.filter((route) => route.name !== name);
    return this.#routes.length < before;
  }

  /**
   * Applies every enabled rule that matches. Each lane stands in the result once, with the transform of the first rule,
   * by priority, that names it and has one. A rule that throws is as if it had not matched.
   */
  route(publication: Publication, context: PublicationContext, lanes: ReadonlyMap<string, ChannelLane>): Destinations {
    const destinations = new Destinations();
    const routes = this.#routes;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i] as Route;
      let transformed: Publication | undefined;
      try {
        if (!route.rule.enabled || !matches(route.rule, publication)) continue;
        if (route.transform !== undefined) transformed = applyTransform(route.transform, publication, context);
      } catch (thrown) {
        this.#hooks.ruleFailed(route.name, thrown, publication);
        continue;
      }
      this.#hooks.ruleMatched(route.name, publication);
      this.#addLanes(destinations, route, transformed, lanes);
    }
    return destinations;
  }

  #addLanes(
    destinations: Destinations,
    route: Route,
    transformed: Publication | undefined,
    lanes: ReadonlyMap<string, ChannelLane>,
  ): void {
    for (let i = 0; i < route.channelIds.length; i++) {
      const id = route.channelIds[i] as string;
      const lane = lanes.get(id);
      if (lane === undefined) {
        this.#reportUnknown(route, id);
        continue;
      }
      const at = destinations.lanes.indexOf(lane);
      if (at < 0) {
        destinations.lanes.push(lane);
        destinations.transformed.push(transformed);
      } else if (destinations.transformed[at] === undefined) {
        destinations.transformed[at] = transformed;
      }
    }
  }

  #reportUnknown(route: Route, channelId: string): void {
    if (route.reported.has(channelId)) return;
    route.reported.add(channelId);
    this.#hooks.channelUnknown(route.name, channelId);
  }
}

function asRoute(rule: RoutingRule): Route {
  return {
    rule,
    name: rule.name,
    priority: rule.priority ?? 0,
    channelIds: [...new Set(rule.targetChannels)],
    transform: asFunction(rule.transform),
    reported: new Set(),
  };
}

function asFunction(transform: RoutingRule['transform']): PublicationTransform | undefined {
  if (transform === undefined || typeof transform === 'function') return transform;
  return (publication, context) => {
    const result = transform.transform(publication, context);
    if (isPublication(result) && !transform.validate(result)) {
      throw new TickcastError('PUBLICATION_INVALID', `Transformer ${transform.name} does not accept its own result`);
    }
    return result;
  };
}

function matches(rule: RoutingRule, publication: Publication): boolean {
  const verdict: unknown = rule.condition(publication);
  if (typeof verdict === 'boolean') return verdict;
  // A promise would be true for every publication.
  if (!isThenable(verdict)) return Boolean(verdict);
  verdict.then(undefined, () => undefined);
  throw new TickcastError('RULE_FAILED', 'A condition answers at once; this one returned a promise');
}

function applyTransform(
  transform: PublicationTransform,
  publication: Publication,
  context: PublicationContext,
): Publication {
  const result: unknown = transform(publication, context);
  if (isPublication(result)) return result;
  throw new TickcastError('RULE_FAILED', 'A transform returns an object, at once');
}
