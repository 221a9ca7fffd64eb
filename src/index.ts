/**
 * What the package `tickcast` exports. Everything here is public: its names and shapes change only with the version.
 */
export type { Config, ConfigOverrides } from './config/schema.ts';
export { VERSION } from './config/version.ts';
export { CLOSES, type CloseName, type CloseRow } from './connection/close-codes.ts';
export {
  type DataFlowEvents,
  DataFlowManager,
  type DataFlowOptions,
  type DataFlowStats,
} from './dataflow/data-flow-manager.ts';
export type { DataTransformer, TransformerStats } from './dataflow/data-transformer.ts';
export type { ChannelHealth, ChannelStatus, OutputChannel, OutputChannelType } from './dataflow/output-channel.ts';
export { ProxyWebSocketOutputChannel } from './dataflow/proxy-websocket-output-channel.ts';
export type { MarketData, Publication, PublicationContext } from './dataflow/publication.ts';
export type { RoutingRule } from './dataflow/routing-rule.ts';
export type { SourceNumber } from './dataflow/source-number.ts';
export { Gateway, type GatewayParts } from './gateway.ts';
export type { Source, SourceSink, SourceState, SourceStatus } from './source/source.ts';
export type { ConnectionStats, PoolStats } from './telemetry/figures.ts';
export type { HealthStatus } from './telemetry/health.ts';
export type { Logger, LogLevel, LogMethod } from './telemetry/logger.ts';
export { ERROR_CODES, type ErrorCode, TickcastError } from './util/errors.ts';
