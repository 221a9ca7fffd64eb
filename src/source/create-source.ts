import type { Config } from '../config/schema.ts';
import type { Logger } from '../telemetry/logger.ts';
import { NdjsonSource } from './ndjson.ts';
import { RecordingSource } from './recording.ts';
import { SimulatorSource } from './simulator.ts';
import type { Source } from './source.ts';
import { sourceHints } from './source-hints.ts';

/** The source that `source.kind` names, not started yet; undefined for `none`. What is hardly meant is logged at WARN. */
export function createSource(config: Config, log: Logger): Source | undefined {
  for (const { message, fields } of sourceHints(config, process.env.NODE_ENV)) log.warn(fields, message);
  const { kind, simulator, recording, ndjson } = config.source;
  switch (kind) {
    case 'simulator':
      return new SimulatorSource(simulator);
    case 'recording':
      return new RecordingSource(recording);
    case 'ndjson':
      return new NdjsonSource(ndjson);
    case 'none':
      return undefined;
  }
}
