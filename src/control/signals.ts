import { errorMessage } from '../util/errors.ts';

/** What a signal stops: the gateway. */
export interface Stoppable {
  stop(signal: StopSignal): Promise<void>;
}

export interface SignalOptions {
  /** Time that the drain may take, ms. A grace second later the process ends with status 1. */
  timeoutMs: number;
  /** For what the operator should know; one line each. */
  report: (line: string) => void;
  /** For this long the first signal may come again without being a second one. By default 0, under npm 300 ms. */
  echoMs?: number;
}

/** 128 and the signal's number, as shells have it. */
const EXIT_STATUS = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_STATUS;

const GRACE_MS = 1_000;
/** Ctrl-C reaches everything in the terminal's foreground, and npm then passes its own on: one key, two signals. */
const NPM_ECHO_MS = 300;

/**
 * Stops the target at the first SIGINT or SIGTERM and exits 0 once it has stopped; a second signal exits at once with 130
 * or 143; a stop that fails, or takes a second longer than it may, exits 1. Call once, when there is something to stop.
 * @returns tells whether a signal has begun the stop
 */
export function stopOnSignals(target: Stoppable, options: SignalOptions): () => boolean {
  return onFirstSignal((signal) => stop(target, signal, options), options.echoMs);
}

/**
 * Calls back at the first SIGINT or SIGTERM; a second signal exits at once with 130 or 143. Call once.
 * @param echoMs as in SignalOptions @returns tells whether there was a signal
 */
export function onFirstSignal(begin: (signal: StopSignal) => void, echoMs: number = npmEchoMs()): () => boolean {
  let first: { signal: StopSignal; atMs: number } | undefined;

  const onSignal = (signal: StopSignal) => {
    const nowMs = performance.now();
    if (first === undefined) {
      first = { signal, atMs: nowMs };
      begin(signal);
    } else if (signal !== first.signal || nowMs - first.atMs >= echoMs) {
      process.exit(EXIT_STATUS[signal]);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => first !== undefined;
}

function npmEchoMs(): number {
  return process.env.npm_lifecycle_event === undefined ? 0 : NPM_ECHO_MS;
}

function stop(target: Stoppable, signal: StopSignal, { timeoutMs, report }: SignalOptions): void {
  const fail = (why: string) => {
    report(why);
    process.exit(1);
  };
  setTimeout(() => fail(`the drain took longer than shutdown.timeoutMs, ${timeoutMs} ms`), timeoutMs + GRACE_MS);
  // In a promise of its own, so that a stop that throws is a stop that fails.
  new Promise<void>((resolve) => resolve(target.stop(signal))).then(
    () => process.exit(0),
    (error: unknown) => fail(`the drain failed: ${errorMessage(error)}`),
  );
}
