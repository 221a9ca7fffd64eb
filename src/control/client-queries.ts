import type { AdminContext } from '../admin/admin-context.ts';
import type { RegisteredTopic, TopicRegistry } from '../frame/topic-registry.ts';
import type { Aggregator } from '../telemetry/aggregator.ts';
import { total } from '../telemetry/block-totals.ts';
import { assessHealth } from '../telemetry/health.ts';
import { TickcastError } from '../util/errors.ts';
import { TimeShare } from '../util/time-share.ts';
import type { QueryName } from './messages.ts';

type Payload = Record<string, unknown>;

export interface ClientQueryParts {
  context: AdminContext;
  aggregator: Aggregator;
  registry: TopicRegistry;
}

/** An exchange that has published within this time is active. */
const ACTIVE_MS = 60_000;

/** What one exchange has brought in: to clients of the protocol, an adapter. */
interface Adapter {
  name: string;
  status: 'active' | 'inactive';
  healthy: boolean;
  metrics: { messagesReceived: number; topics: number; lastUpdate: number };
}

/**
 * Answers what a client asks of the gateway as a whole. Runs on the primary thread, which alone knows it; a shard passes the
 * question on and wraps the answer.
 */
export class ClientQueries {
  readonly #parts: ClientQueryParts;
  readonly #share = new TimeShare();

  constructor(parts: ClientQueryParts) {
    this.#parts = parts;
  }

  /**
   * Payload of the reply to the query.
   * @throws TickcastError REQUEST_FAILED while questions have taken their share of the primary
   */
  answer(name: QueryName): Payload {
    const answer = this.#share.run(() => this.#answer(name));
    if (answer === undefined) throw new TickcastError('REQUEST_FAILED', 'The gateway is busy with other questions');
    return answer;
  }

  #answer(name: QueryName): Payload {
    switch (name) {
      case 'stats':
        return this.#stats();
      case 'adapterStatus':
        return { adapters: this.#adapters(), timestamp: Date.now() };
      case 'systemStats':
        return this.#systemStats();
    }
  }

  #stats(): Payload {
    const { context, aggregator } = this.#parts;
    const connection = aggregator.connectionStats();
    return {
      connections: {
        total: connection.totalConnections,
        active: connection.activeConnections,
        avgDuration: connection.averageConnectionDuration,
      },
      subscriptions: this.#subscriptions(),
      adapters: this.#adapters(),
      server: { uptime: aggregator.uptimeMs(), memory: process.memoryUsage(), timestamp: Date.now() },
      connection,
      health: assessHealth(context, aggregator),
      pool: aggregator.poolStats(),
    };
  }

  #systemStats(): Payload {
    const { aggregator } = this.#parts;
    const { totalConnections, activeConnections, totalSubscriptions } = aggregator.connectionStats();
    return {
      adapters: this.#adapters(),
      system: {
        memory: process.memoryUsage(),
        uptime: aggregator.uptimeMs(),
        cpu: aggregator.recent().cpuPercent,
        timestamp: Date.now(),
      },
      sessions: { totalSessions: totalConnections, activeSessions: activeConnections, totalSubscriptions },
      timestamp: Date.now(),
    };
  }

  #subscriptions(): Payload {
    const blocks = this.#parts.context.blocks();
    return { total: total(blocks, 'filtersInForce'), channels: total(blocks, 'channelsInForce') };
  }

  #adapters(): Adapter[] {
    const adapters = new Map<string, Adapter>();
    for (const topic of this.#parts.registry.all()) {
      if (topic.exchange !== null) count(adapters, topic.exchange, topic);
    }
    return [...adapters.values()];
  }
}

function count(adapters: Map<string, Adapter>, name: string, topic: RegisteredTopic): void {
  const metrics = adapters.get(name)?.metrics ?? { messagesReceived: 0, topics: 0, lastUpdate: 0 };
  metrics.messagesReceived += topic.publications;
  metrics.topics++;
  metrics.lastUpdate = Math.max(metrics.lastUpdate, topic.lastPublicationMs);
  const healthy = Date.now() - metrics.lastUpdate < ACTIVE_MS;
  adapters.set(name, { name, status: healthy ? 'active' : 'inactive', healthy, metrics });
}
