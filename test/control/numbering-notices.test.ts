import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NumberingNotices } from '../../src/control/numbering-notices.ts';
import { collectingLogger } from '../support/collected-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('tells the first hole at once, and those that follow closely as one', () => {
  const told: string[] = [];
  const log = collectingLogger();
  const tell: ConstructorParameters<typeof NumberingNotices>[0]['tell'] = (message) => {
    if (message.kind === 'hole') told.push(`${message.hole.fromSeq}-${message.hole.toSeq}`);
  };
  const notice = new NumberingNotices({ tell, log });
  for (let seq = 10; seq < 1_000; seq += 10) notice.hole({ fromSeq: seq, toSeq: seq + 2 });
  expect(told).toEqual(['10-12']);
  vi.advanceTimersByTime(999);
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['10-12', '20-992']);
  vi.advanceTimersByTime(10_000);
  notice.hole({ fromSeq: 2_000, toSeq: 2_000 });
  expect(told).toEqual(['10-12', '20-992', '2000-2000']);
  notice.hole({ fromSeq: 3_000, toSeq: 3_000 });
  notice.stop();
  vi.advanceTimersByTime(10_000);
  expect(told).toHaveLength(3);
  expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn']);
});
