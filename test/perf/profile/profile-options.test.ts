import { describe, expect, it } from 'vitest';
import { parseProfileLoad } from '../../../perf/profile/profile-options.ts';

describe('parseProfileLoad', () => {
  it('takes what is given, and the script’s own defaults for the rest', () => {
    const load = parseProfileLoad(['--connections', '7', '--seconds', '1.5'], { rate: 500, connections: 100 });
    expect(load).toEqual({ connections: 7, topics: 100, topicsEach: 10, rate: 500, seconds: 1.5, shards: 1 });
  });

  it.each([
    [['--seconds', '600'], '--seconds is "600"; allowed: a number from 1 to 120'],
    [['--topics', 'many'], '--topics is "many"; allowed: a whole number from 1 to 100000'],
    [['--speed', '1'], "Unknown option '--speed'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseProfileLoad(args)).toThrow(message);
  });
});
