/**
 * Loaded before the gateway by `node --import`, where clinic profiles it. Clinic's tools write what they have gathered at
 * `beforeExit`, which does not come where a program calls `process.exit` as the gateway does, or at a SIGINT of their own,
 * before the gateway has drained. Here SIGINT is the gateway's alone, and its exit lets them write first.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

const LOOK_MS = 100;
const WAIT_MS_MAX = 60_000;

if (isMainThread) {
  process.removeAllListeners('SIGINT');
  const exit = process.exit.bind(process);
  process.exit = ((code) => {
    process.exit = exit;
    process.emit('beforeExit', Number(code ?? 0));
    void filesWritten().then(() => exit(code));
    // A tool that exits by itself when it has written is quicker than the look at what is under way.
  }) as typeof process.exit;
}

/** Waits until no work on files has been under way at two looks in turn. A stream's `close` is not always told. */
async function filesWritten(): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  for (let quiet = 0; quiet < 2 && performance.now() < deadlineMs; ) {
    await sleep(LOOK_MS);
    const isWriting = process.getActiveResourcesInfo().some((type) => /^FS/.test(type));
    quiet = isWriting ? 0 : quiet + 1;
  }
}
