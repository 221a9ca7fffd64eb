import { findOption } from './options.ts';
import { type Problem, valueProblem } from './reading.ts';
import type { Config } from './schema.ts';
import { showValue } from './value.ts';

/** A rule between two options: the first is at fault, the second says why. */
interface CrossCheck {
  readonly name: string;
  readonly because: string;
  readonly holds: (config: Config) => boolean;
  readonly allowed: string;
}

/** A ring that holds fewer of the largest messages than this laps its readers with each of them. */
const LARGEST_MESSAGES_IN_RING_MIN = 4;

export const CROSS_CHECKS: readonly CrossCheck[] = [
  {
    name: 'heartbeat.timeoutMs',
    because: 'heartbeat.intervalMs',
    holds: ({ heartbeat }) => heartbeat.timeoutMs > heartbeat.intervalMs,
    allowed: 'more than',
  },
  {
    name: 'dataflow.backpressureAt',
    because: 'dataflow.queueLimit',
    holds: ({ dataflow }) => dataflow.backpressureAt <= dataflow.queueLimit,
    allowed: 'at most',
  },
  {
    name: 'source.recording.file',
    because: 'source.kind',
    holds: ({ source }) => source.kind !== 'recording' || source.recording.file !== '',
    allowed: 'the path of a recording, as required by',
  },
  {
    name: 'source.recording.anchorMs',
    because: 'source.recording.speed',
    holds: ({ source }) => source.recording.anchorMs === 0 || source.recording.speed !== 'max',
    allowed: '0 with',
  },
  {
    name: 'source.ndjson.connect',
    because: 'source.ndjson.port',
    holds: ({ source }) => source.ndjson.connect === '' || source.ndjson.port === 0,
    allowed: 'empty with',
  },
  {
    name: 'source.ndjson.connect',
    because: 'source.ndjson.path',
    holds: ({ source }) => source.ndjson.connect === '' || source.ndjson.path === '',
    allowed: 'empty with',
  },
  {
    name: 'source.restartDelayMaxMs',
    because: 'source.restartDelayMs',
    holds: ({ source }) => source.restartDelayMaxMs >= source.restartDelayMs,
    allowed: 'at least',
  },
  {
    name: 'supervisor.restartDelayMaxMs',
    because: 'supervisor.restartDelayMs',
    holds: ({ supervisor }) => supervisor.restartDelayMaxMs >= supervisor.restartDelayMs,
    allowed: 'at least',
  },
  {
    name: 'ring.bytes',
    because: 'limits.payloadBytes',
    holds: ({ ring, limits }) => ring.bytes >= LARGEST_MESSAGES_IN_RING_MIN * limits.payloadBytes,
    allowed: `at least ${LARGEST_MESSAGES_IN_RING_MIN} times`,
  },
  {
    name: 'conflation.book',
    because: 'conflation.latest',
    holds: ({ conflation }) => conflation.book.every((type) => !conflation.latest.includes(type)),
    allowed: 'no type that is also in',
  },
  {
    name: 'admin.port',
    because: 'server.port',
    holds: ({ admin, server }) => admin.port === 0 || admin.port !== server.port,
    allowed: 'another than',
  },
  {
    name: 'source.ndjson.port',
    because: 'server.port',
    holds: ({ source, server }) => !listensForLines(source) || source.ndjson.port !== server.port,
    allowed: 'another than',
  },
  {
    name: 'source.ndjson.port',
    because: 'admin.port',
    holds: ({ source, admin }) => !listensForLines(source) || source.ndjson.port !== admin.port,
    allowed: 'another than',
  },
];

/**
 * What does not go together in a configuration whose values are each in range.
 * @param skip names of options whose own value is already a problem: nothing is said about those
 */
export function crossProblems(
  config: Config,
  origins: ReadonlyMap<string, string>,
  skip: ReadonlySet<string>,
): Problem[] {
  return CROSS_CHECKS.filter(({ name, because }) => !skip.has(name) && !skip.has(because))
    .filter((check) => !check.holds(config))
    .map((check) => {
      const because = `${check.because}, which is ${showValue(valueAt(config, check.because))} (${originOf(origins, check.because)})`;
      const option = findOption(check.name)!;
      return valueProblem(
        option,
        valueAt(config, check.name),
        originOf(origins, check.name),
        `${check.allowed} ${because}`,
      );
    });
}

/** The value of the option with this name. */
export function valueAt(config: Config, name: string): unknown {
  let node: unknown = config;
  for (const key of name.split('.')) node = (node as Record<string, unknown>)[key];
  return node;
}

function originOf(origins: ReadonlyMap<string, string>, name: string): string {
  return origins.get(name) ?? 'default';
}

function listensForLines(source: Config['source']): boolean {
  return source.kind === 'ndjson' && source.ndjson.port !== 0;
}
