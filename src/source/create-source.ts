import type { Config } from '../config/schema.ts';
import { NdjsonSource } from './ndjson.ts';
import { RecordingSource } from './recording.ts';
import { SimulatorSource } from './simulator.ts';
import type { Source } from './source.ts';

/** The source that `source.kind` names, not started yet; undefined for `none`. */
export function createSource(config: Config): Source | undefined {
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
