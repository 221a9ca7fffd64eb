import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckedClient } from './checked-client.ts';
import type { Ledger } from './ledger-check.ts';

const PATIENCE_MS = 60_000;
const LOOK_MS = 50;

/**
 * Lets a client read until the gateway says that it has everything, and that nothing waits for it; restores its connection where it
 * has none.
 * @param total seq of the last publication. @returns what kept it from it; undefined when it has caught up
 */
export async function catchUp(client: CheckedClient, total: number): Promise<string | undefined> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  let last: unknown = 'no ledger';
  while (performance.now() < deadlineMs) {
    if (!client.isOpen) await within(client.restore(), deadlineMs);
    client.resume();
    const ledger = (await within(client.ask('getLedger'), deadlineMs))?.payload as unknown as Ledger | undefined;
    if (ledger !== undefined) {
      const { seq, state, pending } = ledger;
      if (seq >= total && pending === 0 && state === 'live') return undefined;
      last = { seq, state, pending };
    }
    await sleep(LOOK_MS);
  }
  return `${client.checker.record.client}: has not caught up with ${total}: ${JSON.stringify(last)}`;
}

/** @returns undefined where it takes longer */
async function within<T>(promise: Promise<T>, deadlineMs: number): Promise<T | undefined> {
  const waiting = new AbortController();
  const timeoutMs = Math.max(0, deadlineMs - performance.now());
  const late = sleep(timeoutMs, undefined, { signal: waiting.signal }).catch(() => undefined);
  const first = await Promise.race([promise, late]);
  waiting.abort();
  return first;
}
