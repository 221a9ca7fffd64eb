import { describe, expect, it } from 'vitest';
import { parseStormOptions, stormArguments, stormUsage } from '../../perf/storm/storm-options.ts';

describe('parseStormOptions', () => {
  it('has a default for everything, and gives back what was made into arguments', () => {
    const options = parseStormOptions([]);
    expect(options).toMatchObject({ port: 8080, clients: 1_000, resumes: 1 });
    const other = { ...options, clients: 7, beforeS: 0.5, resumes: 0 };
    expect(parseStormOptions(stormArguments(other))).toEqual(other);
  });

  it.each([
    [['--clients', '20001'], /--clients is "20001"; allowed: a whole number from 1 to 20000/],
    [['--before-s', 'x'], /--before-s/],
    [['--symbols', '2', '--symbols-each', '3'], /--symbols-each/],
    [['--host', 'example.com'], /--host/],
  ])('refuses %j', (args, message) => {
    expect(() => parseStormOptions(args)).toThrow(message);
  });

  it('names every option in its usage', () => {
    const named = stormArguments(parseStormOptions([])).filter((arg) => arg.startsWith('--'));
    expect(named.filter((name) => !stormUsage().includes(`${name} `))).toEqual([]);
  });
});
