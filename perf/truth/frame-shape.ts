import type { DataFrame, Gap, WireMessage } from './wire-message.ts';
import { GAP_REASONS } from './wire-message.ts';

/** Keys of a data frame, in their order; the last three only where they mean something. */
const FIXED = ['type', 'payload', 'timestamp', 'seq', 'prevSeq'];
const OPTIONAL = ['merged', 'snapshot', 'resumeSeq'];

/** What is wrong with the form of a data frame, whatever came before it. */
export function frameFaults(frame: DataFrame): string[] {
  const faults: string[] = [];
  if (!hasItsKeys(frame)) faults.push('keys are missing, unknown or not in their order');
  const { seq, prevSeq, merged, snapshot, resumeSeq } = frame;
  if (!isSeq(seq) || seq === 0) faults.push('seq is no sequence number');
  if (!isSeq(prevSeq)) faults.push('prevSeq is no sequence number');
  if (merged !== undefined && !(Number.isInteger(merged) && merged >= 1)) faults.push('merged is no count');
  if (merged !== undefined && merged > seq - prevSeq - 1)
    faults.push('merged is more than fits between prevSeq and seq');
  if (snapshot !== undefined && snapshot !== true) faults.push('snapshot is not true');
  if (snapshot === true && merged !== undefined) faults.push('a snapshot stands for nothing, yet has merged');
  if (resumeSeq !== undefined && !(isSeq(resumeSeq) && resumeSeq <= seq)) faults.push('resumeSeq is behind seq');
  return faults;
}

/** The payload of a gap message; a text that says what is wrong where it is none. */
export function gapIn({ payload }: WireMessage): Gap | string {
  const { exchange, symbol, dataType, fromSeq, toSeq, count, reason } = payload;
  const named = [exchange, symbol, dataType].every((name) => name === null || typeof name === 'string');
  if (!named) return 'the gap does not name its topic';
  if (![fromSeq, toSeq, count].every(isSeq)) return 'fromSeq, toSeq or count of the gap is no number';
  if (!GAP_REASONS.includes(reason as string)) return 'the reason of the gap is not known';
  return payload as unknown as Gap;
}

export function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function hasItsKeys(frame: DataFrame): boolean {
  const keys = Object.keys(frame);
  if (FIXED.some((key, at) => keys[at] !== key)) return false;
  let next = 0;
  for (let at = FIXED.length; at < keys.length; at++) {
    next = OPTIONAL.indexOf(keys[at] as string, next) + 1;
    if (next === 0) return false;
  }
  return true;
}
