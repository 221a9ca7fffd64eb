import { describe, expect, it } from 'vitest';
import { emptyTail } from '../../perf/load/message-scan.ts';
import { ResumeCheck } from '../../perf/storm/resume-check.ts';

const frame = (seq: number, prevSeq: number, resumeSeq = -1) => ({ ...emptyTail(), seq, prevSeq, resumeSeq });

/** One that was there from 100 to 104: two topics, the one on even numbers and the one on odd numbers. */
function leftAt104(): ResumeCheck {
  const check = new ResumeCheck();
  check.begin(100);
  for (const seq of [101, 102, 103, 104]) check.take(frame(seq, seq - 2));
  return check;
}

describe('ResumeCheck', () => {
  it('resumes from the last frame, or from the subscription where there was none', () => {
    const check = new ResumeCheck();
    check.begin(100);
    expect(check.resumePoint).toBe(100);
    expect(leftAt104().resumePoint).toBe(104);
  });

  it('resumes from where the last frame says', () => {
    const check = leftAt104();
    check.take(frame(106, 104, 103));
    expect(check.resumePoint).toBe(103);
    check.take(frame(107, 103));
    expect(check.resumePoint).toBe(107);
  });

  it('is content with exactly what was missed', () => {
    const check = leftAt104();
    check.beginAgain();
    for (const seq of [105, 106, 107]) check.take(frame(seq, seq - 2));
    check.take(frame(108, 99));
    expect(check).toMatchObject({ missing: 0, repeated: 0 });
  });

  it('finds what is missing by what comes after it', () => {
    const check = leftAt104();
    check.beginAgain();
    for (const seq of [106, 107, 108]) check.take(frame(seq, seq - 2));
    expect(check).toMatchObject({ missing: 1, repeated: 0 });
  });

  it('takes a gap for what it tells of', () => {
    const check = leftAt104();
    check.beginAgain();
    check.takeGap(107);
    check.take(frame(109, 107));
    expect(check.missing).toBe(0);
  });

  it('finds what came again, unless it resumed from before its last frame', () => {
    const check = leftAt104();
    check.beginAgain();
    check.take(frame(104, 102));
    expect(check).toMatchObject({ missing: 0, repeated: 1 });
    const slow = leftAt104();
    slow.take(frame(106, 104, 103));
    slow.beginAgain();
    slow.take(frame(104, 102));
    expect(slow).toMatchObject({ missing: 0, repeated: 0 });
  });
});
