import { readFileSync, writeFileSync } from 'node:fs';

interface TraceEvent {
  pid: number;
  tid: number;
  ph: string;
}

/** Trace events that describe others. */
const METADATA = 'M';

/**
 * Leaves in a trace what the primary thread did. Each thread counts its asynchronous operations by itself, from 1: with the
 * shards' among them bubbleprof takes different operations for one, and makes an empty page of it.
 */
export function keepPrimaryEvents(file: string): void {
  writeFileSync(file, primaryTrace(readFileSync(file, 'utf8')));
}

/** The trace has to stay without blanks: it is cut at `}},`. */
export function primaryTrace(text: string): string {
  const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] };
  return JSON.stringify({ traceEvents: traceEvents.filter(({ pid, tid, ph }) => pid === tid && ph !== METADATA) });
}
