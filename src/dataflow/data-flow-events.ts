import type { DataFlowStats } from './data-flow-stats.ts';
import type { DataTransformer } from './data-transformer.ts';
import type { OutputChannel } from './output-channel.ts';
import type { Publication } from './publication.ts';
import type { RoutingRule } from './routing-rule.ts';

/**
 * Events of a DataFlowManager and what their listeners get. Emitted synchronously; those that come with each publication
 * cost nothing while nobody listens. A listener that throws or rejects is counted as LISTENER_FAILED and stops nothing.
 */
export interface DataFlowEvents {
  started: [];
  stopped: [];
  channelRegistered: [channel: OutputChannel];
  channelUnregistered: [id: string];
  routingRuleAdded: [rule: RoutingRule];
  routingRuleRemoved: [name: string];
  transformerRegistered: [transformer: DataTransformer];
  /** An accepted publication is with its channels or their queues. */
  dataProcessed: [data: Publication, stats: DataFlowStats];
  /** A publication was refused; `data` is what `processData` was given, whatever it is. */
  processingError: [error: Error, data: unknown];
  routingRuleMatched: [name: string, data: Publication];
  routingError: [error: Error, data: Publication, name: string];
  channelError: [id: string, error: Error];
  backpressureActivated: [size: number];
  backpressureDeactivated: [size: number];
  /** At most once a second, and only while publications come. */
  statsUpdated: [stats: DataFlowStats];
}
