import { Compression } from '../../src/compression/compression.ts';
import type { Config } from '../../src/config/schema.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { TestPool } from './test-pool.ts';

const OPTIONS: Config['compression'] = {
  mode: 'shared',
  level: 4,
  windowBits: 15,
  minMembers: 1,
  minFrameBytes: 64,
  resetMs: 100,
  maxStreams: 64,
  maxUtilization: 0.9,
};

/** The batching pool with compression beside it, on a clock that a test moves. */
export class CompressingPool extends TestPool {
  readonly compression: Compression;
  nowMs = 0;

  constructor(options: Partial<Config['compression']> = {}, parts: ConstructorParameters<typeof TestPool>[0] = {}) {
    const statistics = new StatisticsBlock(StatisticsBlock.allocate());
    const compression = new Compression({ options: { ...OPTIONS, ...options }, statistics });
    super({
      statistics,
      compression: {
        prepare: (cohort, batch, buffers, _nowMs, settle) =>
          compression.prepare(cohort, batch, buffers, this.nowMs, settle),
      },
      ...parts,
    });
    this.compression = compression;
  }
}
