import type { PeerAnswer, Peers, Question } from '../cluster/question.ts';
import { connectionsOf } from '../telemetry/figures.ts';
import type { MachineReading } from '../telemetry/machine-metrics.ts';
import { renderMetrics } from '../telemetry/metrics.ts';
import { sum } from './added-up.ts';
import { topConnections } from './connection-order.ts';
import type { ConnectionsQuery } from './connections-query.ts';
import { decodeConnections, decodeFlush, decodeMetrics } from './decode-answers.ts';
import type { InstanceAnswers, MetricsAnswer } from './instance-answers.ts';
import { decodeReport, type InstanceReport } from './instance-report.ts';
import { type Gathered, INSTANCE_STATES, type InstanceRow, instanceRows } from './instance-row.ts';
import { type MachineHealth, machineHealth, machineLevel } from './machine-health.ts';
import type { Scope } from './scope.ts';
import { type StatisticsAnswer, statistics } from './statistics-answer.ts';

/** What shards of other instances have of the time in which their instance has to answer. */
const SHARDS_SHARE = 0.75;

/** What every answer but the metrics says of the instances. */
interface OfInstances {
  instances: InstanceRow[];
  silentInstances: number[];
}

/**
 * The answers of the admin API: asks the other instances, and puts together what has come. Runs on the primary thread. An
 * instance that is alone on its port is the case of one.
 */
export class MachineAnswers {
  readonly #own: InstanceAnswers;
  readonly #peers: Peers;

  constructor(own: InstanceAnswers, peers: Peers) {
    this.#own = own;
    this.#peers = peers;
  }

  async status(scope: Scope): Promise<object> {
    const { context } = this.#own;
    const gathered = await this.#reports(scope);
    const reports = gathered.answered.map(({ answer }) => answer);
    return {
      status: availability(reports.some(({ running }) => running)),
      port: context.port(),
      clients: connectionsOf(reports.map(({ figures }) => figures)),
      endpoint: context.config.server.path,
      ...instanceRows(gathered, ({ running, figures }) => ({
        status: availability(running),
        clients: connectionsOf([figures]),
      })),
    };
  }

  async statistics(scope: Scope): Promise<StatisticsAnswer & OfInstances> {
    const gathered = await this.#reports(scope);
    const reports = gathered.answered.map(({ answer }) => answer);
    return { ...statistics(reports, this.#own.closeRows), ...instanceRows(gathered, summary) };
  }

  async health(scope: Scope): Promise<MachineHealth & OfInstances> {
    const gathered = await this.#reports(scope);
    const rows = instanceRows(gathered, ({ health }) => ({ status: health.status }));
    const reports = gathered.answered.map(({ answer }) => answer);
    return { ...machineHealth(reports, rows.silentInstances.length), ...rows };
  }

  /** Prometheus text. */
  async metrics(scope: Scope): Promise<string> {
    const gathered = await this.#gather(scope, { about: 'metrics' }, () => this.#own.metrics(), decodeMetrics);
    const answers = gathered.answered.map(({ answer }) => answer);
    return renderMetrics(
      answers.map(({ metrics }) => metrics),
      readingOf(gathered),
    );
  }

  async connections(scope: Scope, query: ConnectionsQuery): Promise<object> {
    const { limit, sort } = query;
    const question: Question = { about: 'connections', limit, sort, timeoutMs: this.#shardsTimeoutMs() };
    const gathered = await this.#gather(scope, question, () => this.#own.connections(query), decodeConnections);
    const rows = gathered.answered.flatMap(({ instance, answer }) =>
      answer.connections.map((row) => ({ process: instance.process, ...row })),
    );
    return {
      connections: topConnections(rows, sort, limit),
      total: sum(gathered.answered, ({ answer }) => answer.total),
      limit,
      sort,
      ...ofShards(gathered, ({ total }) => ({ total })),
    };
  }

  async flush(scope: Scope): Promise<object> {
    const question: Question = { about: 'flush', timeoutMs: this.#shardsTimeoutMs() };
    const gathered = await this.#gather(scope, question, () => this.#own.flush(), decodeFlush);
    return {
      flushed: sum(gathered.answered, ({ answer }) => answer.flushed),
      ...ofShards(gathered, ({ flushed }) => ({ flushed })),
    };
  }

  #reports(scope: Scope): Promise<Gathered<InstanceReport>> {
    return this.#gather(scope, { about: 'report' }, () => this.#own.report(), decodeReport);
  }

  /** Own comes first among those that answered. */
  async #gather<Answer>(
    scope: Scope,
    question: Question,
    own: () => Answer | Promise<Answer>,
    decode: (json: unknown) => Answer,
  ): Promise<Gathered<Answer>> {
    const asked = scope === 'machine' ? this.#peers.ask(question) : [];
    const [answer, answers] = await Promise.all([own(), asked]);
    const read = answers.map((each) => readAnswer(each, decode));
    return {
      answered: [{ instance: this.#own.instance, answer }, ...read.filter((each) => 'answer' in each)],
      silent: read.filter((each) => 'silence' in each),
    };
  }

  #shardsTimeoutMs(): number {
    return this.#own.context.config.cluster.answerTimeoutMs * SHARDS_SHARE;
  }
}

type Read<Answer> = Gathered<Answer>['answered'][number] | Gathered<Answer>['silent'][number];

/** An answer that cannot be read costs itself alone. */
function readAnswer<Answer>(
  { instance, answer, silence }: PeerAnswer,
  decode: (json: unknown) => Answer,
): Read<Answer> {
  if (silence !== undefined) return { instance, silence };
  try {
    return { instance, answer: decode(answer) };
  } catch {
    return { instance, silence: 'unreadable' };
  }
}

function availability(running: boolean): 'available' | 'unavailable' {
  return running ? 'available' : 'unavailable';
}

/** What the statistics say of each instance. */
function summary(report: InstanceReport): object {
  const { version, uptimeMs, health } = report;
  return { version, uptime: uptimeMs, status: health.status, connections: health.connections, ...health.performance };
}

/** Silent shards by number, and in the row of each instance those that are its own. */
function ofShards<Answer extends { silentShards: number[] }>(
  gathered: Gathered<Answer>,
  told: (answer: Answer) => object,
): OfInstances & { silentShards: number[] } {
  const silentShards = new Set(gathered.answered.flatMap(({ answer }) => answer.silentShards));
  return {
    silentShards: [...silentShards].sort((a, b) => a - b),
    ...instanceRows(gathered, (answer) => ({ ...told(answer), silentShards: answer.silentShards })),
  };
}

function readingOf(gathered: Gathered<MetricsAnswer>): MachineReading {
  const { instances, silentInstances } = instanceRows(gathered, () => ({}));
  const levels = gathered.answered.map(({ answer }) => answer.health);
  return {
    health: machineLevel(levels, silentInstances.length),
    instances: Object.fromEntries(
      INSTANCE_STATES.map((state) => [state, instances.filter((row) => row.state === state).length]),
    ),
  };
}
