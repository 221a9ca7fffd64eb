import { describe, expect, it } from 'vitest';
import { loadArguments, loadUsage, parseLoadOptions, subscriptionText } from '../../perf/load/load-options.ts';

describe('parseLoadOptions', () => {
  it('has a default for everything', () => {
    expect(parseLoadOptions([])).toMatchObject({
      port: 8080,
      path: '/ws',
      connections: 100,
      subscribe: 'all',
      pids: [],
    });
  });

  it('reads what is given', () => {
    const options = parseLoadOptions([
      '--port',
      '9',
      '--pids',
      '12,34',
      '--seconds',
      '0.5',
      '--subscribe',
      '{"op":"ping"}',
    ]);
    expect(options).toMatchObject({ port: 9, pids: [12, 34], seconds: 0.5, subscribe: '{"op":"ping"}' });
  });

  it('gives back options that were made into arguments', () => {
    const options = {
      ...parseLoadOptions([]),
      connections: 7,
      slow: 3,
      stalled: 4,
      drainS: 0.5,
      intervalMs: 100,
      pids: [1, 2],
      subscribe: 'none',
      processes: 2,
    };
    expect(parseLoadOptions(loadArguments(options))).toEqual(options);
  });

  it.each([
    [['--connections', '0'], /--connections is "0"; allowed: a whole number from 1 to 100000/],
    [['--connections', '1.5'], /--connections/],
    [['--connections', ''], /--connections/],
    [['--seconds', '601'], /--seconds/],
    [['--seconds', 'NaN'], /--seconds/],
    [['--pids', '1,x'], /--pids has "x"/],
    [['--path', 'ws'], /--path/],
    [['--symbols', '2', '--symbols-each', '3'], /--symbols-each/],
    [['--connections', '2', '--slow', '3'], /--slow/],
    [['--connections', '3', '--slow', '2', '--stalled', '2'], /--slow and --stalled/],
    [['--drain-s', '121'], /--drain-s/],
    [['--connections', '2', '--processes', '3'], /--processes/],
    [['--host', 'example.com'], /--host/],
  ])('refuses %j', (args, message) => {
    expect(() => parseLoadOptions(args)).toThrow(message);
  });

  it('names every option in its usage', () => {
    const usage = loadUsage();
    for (const arg of loadArguments({ ...parseLoadOptions([]), pids: [1] })) {
      if (arg.startsWith('--')) expect(usage).toContain(`${arg} `);
    }
  });
});

describe('subscriptionText', () => {
  const filter = parseLoadOptions(['--subscribe', 'filter', '--symbols', '10', '--symbols-each', '3']);

  it('spreads the symbols over the connections', () => {
    const symbolsOf = (index: number) => JSON.parse(subscriptionText(filter, index) ?? '').payload.symbols;
    expect(symbolsOf(0)).toEqual(['SYM0', 'SYM7', 'SYM4']);
    expect(symbolsOf(5)).toEqual(['SYM5', 'SYM2', 'SYM9']);
  });

  it('draws symbols for each connection, all different and the same at each run', () => {
    const random = parseLoadOptions(['--subscribe', 'random', '--symbols', '12', '--symbols-each', '10']);
    const symbolsOf = (index: number): string[] => JSON.parse(subscriptionText(random, index) ?? '').payload.symbols;
    expect(new Set(symbolsOf(3)).size).toBe(10);
    expect(symbolsOf(3)).toEqual(symbolsOf(3));
    expect(symbolsOf(3)).not.toEqual(symbolsOf(4));
  });

  it('subscribes to everything, nothing or whatever it is told', () => {
    expect(JSON.parse(subscriptionText(parseLoadOptions([]), 0) ?? '')).toEqual({ type: 'subscribe', payload: {} });
    expect(subscriptionText(parseLoadOptions(['--subscribe', 'none']), 0)).toBeUndefined();
    expect(subscriptionText(parseLoadOptions(['--subscribe', 'ping']), 0)).toBe('ping');
  });
});

describe('a subscription with symbols that nobody publishes', () => {
  it('has as many of them as asked for, none of which is among the published ones', () => {
    const options = { ...parseLoadOptions([]), subscribe: 'filter', symbols: 10, symbolsEach: 2, symbolsIdle: 30 };
    const { symbols } = JSON.parse(subscriptionText(options, 7)!).payload as { symbols: string[] };
    expect(new Set(symbols).size).toBe(32);
    const numbers = symbols.map((symbol) => Number(symbol.slice('SYM'.length)));
    expect(numbers.filter((number) => number >= 10)).toHaveLength(30);
  });
});

describe('--dialect', () => {
  it('refuses what the generator does not speak', () => {
    expect(() => parseLoadOptions(['--dialect', 'stomp'])).toThrow(/--dialect is "stomp"; allowed: plain, socket.io/);
  });
});
