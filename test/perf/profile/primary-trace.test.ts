import { describe, expect, it } from 'vitest';
import { primaryTrace } from '../../../perf/profile/primary-trace.ts';

describe('primaryTrace', () => {
  it('keeps what the main thread did, in the form that it is read in', () => {
    const event = (pid: number, tid: number, ph: string) => ({ pid, tid, ph, args: { data: {} } });
    const events = [event(7, 7, 'b'), event(7, 9, 'b'), event(7, 7, 'e'), event(7, 7, 'M')];
    expect(primaryTrace(JSON.stringify({ traceEvents: events }, null, 1))).toBe(
      '{"traceEvents":[{"pid":7,"tid":7,"ph":"b","args":{"data":{}}},{"pid":7,"tid":7,"ph":"e","args":{"data":{}}}]}',
    );
  });
});
