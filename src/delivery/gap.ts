import { textFrame } from '../frame/frame-header.ts';
import type { TopicName } from '../ring/topic-directory.ts';
import type { DropReason } from '../telemetry/drop-reasons.ts';

/** Publications of one topic that a client will not get. */
export interface Gap {
  readonly topic: number;
  readonly slot: number;
  /** seq of the first and of the last of them. */
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly count: number;
  readonly reason: DropReason;
}

/** Adds a gap to those of its topic, oldest first: as one with the last where that has the same reason. */
export function addGap(gaps: Gap[], later: Gap): void {
  const last = gaps.at(-1);
  if (last === undefined || last.reason !== later.reason) gaps.push(later);
  else gaps[gaps.length - 1] = { ...last, toSeq: later.toSeq, count: last.count + later.count };
}

/** The message that tells a client of it. */
export function gapFrame({ fromSeq, toSeq, count, reason }: Gap, name: TopicName): Buffer {
  const payload = { ...name, fromSeq, toSeq, count, reason };
  return textFrame(JSON.stringify({ type: 'gap', payload, timestamp: Date.now() }));
}
