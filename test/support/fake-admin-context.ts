import type { AdminContext, ConnectionRow, RingFigures, ShardState } from '../../src/admin/admin-context.ts';
import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { DataFlowStats } from '../../src/dataflow/data-flow-stats.ts';
import type { SourceState } from '../../src/source/source.ts';
import type { Alert } from '../../src/telemetry/alerts.ts';
import type { Instruments } from '../../src/telemetry/instruments.ts';
import type { PressureState } from '../../src/telemetry/pressure-stages.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';

/** A gateway's figures without the gateway: real statistics blocks, and whatever else a test sets. */
export class FakeAdminContext implements AdminContext {
  readonly instance = { process: 0, pid: 4711 };
  readonly config;
  readonly version = '1.2.3';
  readonly startedAtMs = 1_000_000;
  readonly statistics: StatisticsBlock[];
  readonly shardStates: ShardState[];
  isRunning = true;
  error: { message: string; timestamp: number } | undefined;
  rows: ConnectionRow[] = [];
  silentShards: number[] = [];
  flushes = 0;
  asked: unknown[] = [];
  ringFigures: RingFigures = {
    publications: 0,
    numbering: { epoch: 'e', kind: 'open', holes: 0 },
    bytes: 0,
    refused: {},
    topics: 0,
    position: 0,
    capacityBytes: 1024,
    latestValues: { carried: 0, forgotten: 0 },
  };
  dataFlowStats: DataFlowStats = {
    totalProcessed: 0,
    totalSent: 0,
    totalErrors: 0,
    averageLatency: 0,
    currentQueueSize: 0,
    backpressureActive: false,
    activeChannels: 1,
    routingRules: 0,
    lastActivity: 0,
    totalUnrouted: 0,
    totalDropped: 0,
    errorsByCode: {},
  };
  sourceStates: SourceState[] = [];
  pressureState: PressureState = { stage: 0, steps: { trim: 0, conflate: 0, shed: 0, refuse: 0 } };
  raisedAlerts: Alert[] = [];
  linesLost = 0;

  constructor(options: ConfigOverrides = {}, shards = 2) {
    this.config = createConfig(options);
    const indexes = Array.from({ length: shards }, (_, index) => index);
    this.statistics = indexes.map(() => new StatisticsBlock(StatisticsBlock.allocate()));
    this.shardStates = indexes.map((index) => ({
      index,
      status: 'running',
      restarts: 0,
      hangs: 0,
      crashLooping: false,
    }));
  }

  port = () => 8080;
  running = () => this.isRunning;
  blocks = () => this.statistics;
  shards = () => this.shardStates;
  ring = () => this.ringFigures;
  dataFlow = () => this.dataFlowStats;
  sources = () => this.sourceStates;
  pressure = () => this.pressureState;
  alerts = () => this.raisedAlerts;
  logLinesLost = () => this.linesLost;
  lastError = () => this.error;

  async connections(limit: number, sort: unknown) {
    this.asked.push({ limit, sort });
    return { connections: this.rows, silentShards: this.silentShards };
  }

  async flush() {
    this.flushes++;
    return { flushed: 7, silentShards: this.silentShards };
  }

  /** Statistics of one shard. */
  block(index = 0): StatisticsBlock {
    return this.statistics[index] as StatisticsBlock;
  }
}

/** Clocks and meters that stand still until a test turns them. */
export class FakeInstruments implements Instruments {
  wall = 1_000_000;
  steady = 0;
  rss = 100 * 1024 * 1024;
  cpu = 0;
  loopBusy = 0;

  wallMs = () => this.wall;
  steadyMs = () => this.steady;
  rssBytes = () => this.rss;
  cpuUs = () => this.cpu;
  loopBusyMs = () => this.loopBusy;

  /** Both clocks go on. */
  pass(ms: number): void {
    this.wall += ms;
    this.steady += ms;
  }
}

export function sourceState(fields: Partial<SourceState> = {}): SourceState {
  return {
    name: 'simulator',
    status: 'active',
    published: 0,
    bytesRead: 0,
    rejected: 0,
    lastPublicationMs: 0,
    ...fields,
  };
}
