import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../util/errors.ts';
import { withoutSecrets } from './address.ts';
import type { CompareOptions } from './compare-options.ts';
import { buildReport, type Report } from './report.ts';
import { ServerLink } from './server-link.ts';
import { SIDES, type Side } from './side.ts';
import { StreamComparer } from './stream-comparer.ts';

const MS_PER_S = 1_000;
const EXPIRE_INTERVAL_MS = 100;
/** Where nothing is waited for, a server is still not behind for a moment's sake. */
const LATE_AFTER_MS_MIN = 1_000;
const NO_SUCH_PATH = /response: 40[04]/;

/**
 * One comparison of two servers: connects, lets what is under way pass by, measures, and waits for what one of them has
 * not sent yet. Takes `--connect-timeout`, `--warm-up`, `--seconds` and `--settle` at most.
 */
export class Comparison {
  readonly #options: CompareOptions;
  readonly #comparer: StreamComparer;
  readonly #links: Readonly<Record<Side, ServerLink>>;
  readonly #startedAtMs = Date.now();
  #begunMs = Number.POSITIVE_INFINITY;
  #endedMs = Number.POSITIVE_INFINITY;
  #load = performance.eventLoopUtilization();

  constructor(options: CompareOptions) {
    this.#options = options;
    this.#comparer = new StreamComparer(comparerOptions(options));
    this.#links = { old: this.#link('old'), new: this.#link('new') };
  }

  /** @param ending ends it early, with a report of what there is @param connected is called once both connections stand */
  async run(ending: AbortSignal, connected: () => void): Promise<Report> {
    const expiring = setInterval(() => this.#comparer.expire(performance.now()), EXPIRE_INTERVAL_MS);
    try {
      const unreachable = await this.#connect(ending);
      if (unreachable.length > 0) return this.#report(unreachable, ending);
      if (!ending.aborted) connected();
      await this.#measure(ending);
      this.#comparer.finish(performance.now());
      return this.#report([], ending);
    } finally {
      clearInterval(expiring);
      for (const side of SIDES) this.#links[side].close();
    }
  }

  /** Returns why a server cannot be reached; nothing where both can. */
  async #connect(ending: AbortSignal): Promise<string[]> {
    const tries = Promise.allSettled(SIDES.map((side) => this.#links[side].open()));
    const results = await Promise.race([tries, aborted(ending)]);
    return results.flatMap((result, at) =>
      result.status === 'rejected' ? [this.#failure(SIDES[at]!, result.reason)] : [],
    );
  }

  async #measure(ending: AbortSignal): Promise<void> {
    const { seconds, settle, 'warm-up': warmUp } = this.#options;
    const { findings } = this.#comparer;
    await pause(warmUp, ending);
    this.#begunMs = performance.now();
    findings.beginAt(this.#begunMs);
    const before = performance.eventLoopUtilization();
    await pause(seconds, ending);
    this.#endedMs = performance.now();
    this.#load = performance.eventLoopUtilization(before);
    // Cut short, the end lies back by as much as would have been waited for what has not come from both yet.
    if (ending.aborted) this.#endedMs = Math.max(this.#begunMs, this.#endedMs - settle * MS_PER_S);
    findings.endAt(this.#endedMs);
    await pause(settle, ending);
  }

  #link(side: Side): ServerLink {
    const { filter, 'connect-timeout': timeout, 'message-bytes': messageBytesMax } = this.#options;
    const subscribe = filter && JSON.stringify({ type: 'subscribe', payload: filter.payload, id: 'compare' });
    const tally = this.#comparer.tallies[side];
    return new ServerLink(
      { address: this.#options[side], subscribe, connectTimeoutMs: timeout * MS_PER_S, messageBytesMax },
      {
        message: (text, arrivedMs) => this.#take(side, text, arrivedMs),
        lost: (fromMs, code, reason) => tally.lost({ fromMs, toMs: undefined, code, reason }),
        restored: (atMs) => {
          tally.outages.at(-1)!.toMs = atMs;
        },
      },
    );
  }

  #take(side: Side, text: string, arrivedMs: number): void {
    const message = this.#comparer.take(side, text, arrivedMs);
    if (message.kind === 'other' && message.type === 'ping') this.#links[side].pong();
  }

  #failure(side: Side, error: unknown): string {
    const address = withoutSecrets(this.#options[side]);
    const message = errorMessage(error) || 'the connection was refused';
    const hint = NO_SUCH_PATH.test(message) ? '; is the path right? Most often it is /ws' : '';
    return `the ${side} server cannot be reached: ${address}: ${message}${hint}`;
  }

  #report(unreachable: readonly string[], ending: AbortSignal): Report {
    const measuredMs = Math.max(0, this.#endedMs - this.#begunMs) || 0;
    return buildReport(this.#comparer, this.#options, {
      unreachable,
      interrupted: ending.aborted,
      startedAtMs: this.#startedAtMs,
      measuredMs,
      busyPercent: Math.round(this.#load.utilization * 100),
    });
  }
}

function comparerOptions(options: CompareOptions): ConstructorParameters<typeof StreamComparer>[0] {
  const windowMs = options.window * MS_PER_S;
  const settleMs = options.settle * MS_PER_S;
  return {
    terms: options.filter?.terms,
    ignored: options.ignore ?? [],
    topicsMax: options.topics,
    examplesMax: options.examples,
    windowMs,
    patienceMs: Math.min(windowMs / 2, settleMs),
    entriesMax: options['pending-messages'],
    bytesMax: options['pending-bytes'],
    lateAfterMs: Math.max(settleMs, LATE_AFTER_MS_MIN),
    slack: { beforeMs: settleMs, afterMs: options['warm-up'] * MS_PER_S },
  };
}

/** For so many seconds, or until it is to end. */
async function pause(seconds: number, ending: AbortSignal): Promise<void> {
  await sleep(seconds * MS_PER_S, undefined, { signal: ending }).catch(() => {});
}

/** Nothing failed, when it is to end. */
function aborted(ending: AbortSignal): Promise<[]> {
  return new Promise((resolve) => {
    if (ending.aborted) resolve([]);
    else ending.addEventListener('abort', () => resolve([]), { once: true });
  });
}
