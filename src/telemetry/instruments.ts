/** What telemetry measures with, beside the statistics blocks; a test brings its own. */
export interface Instruments {
  /** ms since the epoch. */
  wallMs(): number;
  /** ms on a clock that never steps. */
  steadyMs(): number;
  /** Resident memory of the process, bytes. */
  rssBytes(): number;
  /** CPU time of the process with all its threads, µs. */
  cpuUs(): number;
  /** How long the event loop of this thread has been busy since it began to turn, ms. */
  loopBusyMs(): number;
}

export const PROCESS_INSTRUMENTS: Instruments = {
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
  rssBytes: () => process.memoryUsage.rss(),
  cpuUs: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  loopBusyMs: () => performance.eventLoopUtilization().active,
};
