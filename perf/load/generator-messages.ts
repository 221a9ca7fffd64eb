import type { LoadOptions } from './load-options.ts';
import type { LoadPart } from './load-report.ts';

/** From the coordinating process to a generator process. */
export type ToGenerator = { kind: 'run'; options: LoadOptions; first: number; step: number } | { kind: 'go' };

/** From the load generator's command line to the process that started it: counting has begun, has ended. */
export type LoadMark = 'started' | 'ended';

/** From a generator process to the coordinating one. `settled`: all its connections have opened or failed. */
export type FromGenerator =
  | { kind: 'settled' }
  | { kind: 'started' }
  | { kind: 'ended' }
  | { kind: 'part'; part: LoadPart };
