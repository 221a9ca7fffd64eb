import { describe, expect, it } from 'vitest';
import { parseSoakOptions } from '../../../perf/soak/soak-options.ts';

describe('parseSoakOptions', () => {
  it('spreads reloads and crashes over the time where it is not told', () => {
    const options = parseSoakOptions(['--minutes', '10', '--seed', '5']);
    expect(options).toMatchObject({
      minutes: 10,
      instances: 2,
      reloadEvery: 100,
      crashEvery: 60,
      seed: 5,
      isKept: false,
    });
  });

  it('takes what it is told, also never', () => {
    const options = parseSoakOptions(['--reload-every', '0', '--crash-every', '7.5', '--keep']);
    expect(options).toMatchObject({ reloadEvery: 0, crashEvery: 7.5, isKept: true });
    expect(options.seed).toBeGreaterThan(0);
  });

  it.each([
    [['--minutes', '0'], '--minutes is "0"; allowed: a number from 0.1 to 10080'],
    [['--instances', '2.5'], '--instances is "2.5"; allowed: a whole number from 1 to 8'],
    [['--forever'], "Unknown option '--forever'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseSoakOptions(args)).toThrow(message);
  });
});
