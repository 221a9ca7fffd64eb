import type { InstanceIdentity } from '../cluster/instance-identity.ts';
import type { Question } from '../cluster/question.ts';
import type { CloseRow } from '../connection/close-codes.ts';
import type { Aggregator } from '../telemetry/aggregator.ts';
import { assessHealth, type HealthLevel } from '../telemetry/health.ts';
import { GatewayMetrics, type MetricsSnapshot } from '../telemetry/metrics.ts';
import type { AdminContext, ConnectionRow } from './admin-context.ts';
import { topConnections } from './connection-order.ts';
import { type ConnectionsQuery, readConnectionsQuery } from './connections-query.ts';
import { encodeReport, type InstanceReport, reportOf } from './instance-report.ts';

/** Its metrics, and its health, which is not among them: the machine's is told from those of all. */
export interface MetricsAnswer {
  metrics: MetricsSnapshot;
  health: HealthLevel;
}

export interface ConnectionsAnswer {
  /** The highest `sort` first, at most `limit`. */
  connections: ConnectionRow[];
  total: number;
  silentShards: number[];
}

export interface FlushAnswer {
  flushed: number;
  silentShards: number[];
}

/** What this instance answers, to the API of its own and to other instances. Runs on the primary thread. */
export class InstanceAnswers {
  readonly context: AdminContext;
  readonly closeRows: readonly CloseRow[];
  readonly #aggregator: Aggregator;
  readonly #metrics: GatewayMetrics;

  /** @param closeRows the close-code table, in the order in which the statistics blocks count */
  constructor(context: AdminContext, aggregator: Aggregator, closeRows: readonly CloseRow[]) {
    this.context = context;
    this.closeRows = closeRows;
    this.#aggregator = aggregator;
    this.#metrics = new GatewayMetrics(context, aggregator, closeRows);
  }

  get instance(): InstanceIdentity {
    return this.context.instance;
  }

  /** What another instance asks, answered in plain data. Throws where it cannot be read or answered. */
  async answer(question: Question): Promise<unknown> {
    switch (question.about) {
      case 'report':
        return encodeReport(this.report());
      case 'metrics':
        return this.metrics();
      case 'connections':
        return this.connections(
          readConnectionsQuery({ ...question, limit: String(question.limit) }),
          question.timeoutMs,
        );
      case 'flush':
        return this.flush(question.timeoutMs);
    }
  }

  report(): InstanceReport {
    return reportOf(this.context, this.#aggregator);
  }

  async metrics(): Promise<MetricsAnswer> {
    const { status } = assessHealth(this.context, this.#aggregator);
    return { metrics: await this.#metrics.snapshot(), health: status };
  }

  /** @param timeoutMs what the shards have of the time, where it is less than usual */
  async connections({ limit, sort }: ConnectionsQuery, timeoutMs?: number): Promise<ConnectionsAnswer> {
    const { connections, silentShards } = await this.context.connections(limit, sort, timeoutMs);
    return {
      connections: topConnections(connections, sort, limit),
      total: this.#aggregator.activeConnections(),
      silentShards,
    };
  }

  flush(timeoutMs?: number): Promise<FlushAnswer> {
    return this.context.flush(timeoutMs);
  }
}
