import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

let collect: Collect | undefined;

/**
 * Collects all garbage of this thread and gives the pages back to the operating system. V8 does so by itself only while a
 * thread allocates, so one that has fallen idle keeps what it no longer needs. Stops the thread for some 40 ms.
 * @returns how long it took, ms
 */
export function collectGarbage(): number {
  const begunMs = performance.now();
  collect ??= exposedCollector();
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  return performance.now() - begunMs;
}

/**
 * V8's own collector, which a context has that is made after the flag is set. Flags are the process's, so it is not taken
 * back: another thread may be about to make its context.
 */
function exposedCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
