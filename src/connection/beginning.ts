import type { Beginning } from '../delivery/beginnings.ts';
import type { FilterProblem } from '../subscription/filter.ts';

/** Longest name of a numbering, in UTF-16 units. */
const EPOCH_LENGTH_MAX = 64;
const RESUME_ALLOWED = `{"epoch": a string of up to ${EPOCH_LENGTH_MAX} characters, "seq": a whole number from 0}`;

/** Reads how a subscription is to begin: `snapshot` and `resume` of its payload, which is whatever the client sent. */
export function readBeginning(payload: Record<string, unknown>, snapshotDefault: boolean): Beginning | FilterProblem {
  const snapshot = payload.snapshot ?? snapshotDefault;
  if (typeof snapshot !== 'boolean') {
    return { key: 'snapshot', problem: 'is neither true nor false', allowed: 'true or false' };
  }
  const { resume } = payload;
  if (resume === undefined || resume === null) return { snapshot, resume: undefined };
  if (typeof resume !== 'object') return { key: 'resume', problem: 'is not an object', allowed: RESUME_ALLOWED };
  const { epoch, seq } = resume as { epoch?: unknown; seq?: unknown };
  if (typeof epoch !== 'string' || epoch.length > EPOCH_LENGTH_MAX) {
    return { key: 'resume', problem: '"epoch" is not such a string', allowed: RESUME_ALLOWED };
  }
  if (!Number.isSafeInteger(seq) || (seq as number) < 0) {
    return { key: 'resume', problem: '"seq" is not such a number', allowed: RESUME_ALLOWED };
  }
  return { snapshot, resume: { epoch, seq: seq as number } };
}
