import { describe, expect, it } from 'vitest';
import { readCompareArguments } from '../../src/compare/compare-arguments.ts';

const SERVERS = ['--old', 'ws://h:1/ws', '--new=wss://h/ws?subscription=all'];

function read(...argv: string[]) {
  const { options, problems, isHelp } = readCompareArguments([...SERVERS, ...argv]);
  return { options, isHelp, problems: problems.map(({ name, message }) => `${name}: ${message}`) };
}

describe('readCompareArguments', () => {
  it('has a default for all but the servers', () => {
    expect(read()).toMatchObject({
      isHelp: false,
      problems: [],
      options: {
        old: 'ws://h:1/ws',
        new: 'wss://h/ws?subscription=all',
        filter: undefined,
        ignore: undefined,
        report: undefined,
        json: false,
        seconds: 60,
        'warm-up': 2,
        settle: 5,
        window: 10,
        'allow-missing': { count: 0 },
      },
    });
  });

  it.each([
    [['--seconds', '0.5'], { seconds: 0.5 }],
    [['--json', '--seconds=3'], { json: true, seconds: 3 }],
    [['--json=false'], { json: false }],
    [
      ['--allow-missing', '5', '--allow-extra=0.1%'],
      { 'allow-missing': { count: 5 }, 'allow-extra': { percent: 0.1 } },
    ],
    [
      ['--ignore', 'timestamp,data.ts', '--ignore', 'data.bids[][]'],
      { ignore: [['timestamp'], ['data', 'ts'], ['data', 'bids', '[]', '[]']] },
    ],
    [['--report', 'a.json'], { report: 'a.json' }],
  ])('reads %j', (argv, options) => {
    expect(read(...argv)).toMatchObject({ problems: [], options });
  });

  it.each([
    ['exchange=binance,symbols=btc-usdt|ETH/USDT,dataTypes=trades'],
    ['{"exchange":"binance","symbols":["btc-usdt","ETH/USDT"],"dataTypes":"trades"}'],
    ['types=trades, symbol = btc-usdt | ETH/USDT ,exchanges=BINANCE'],
  ])('reads the filter %s', (text) => {
    expect(read('--filter', text).options.filter!.terms).toEqual({
      exchanges: ['binance'],
      symbols: ['BTCUSDT', 'ETHUSDT'],
      dataTypes: ['trade'],
    });
  });

  it.each([
    [['--seconds', '0'], '--seconds: "0" is not allowed; allowed: 0.1 to 86400'],
    [['--seconds', '1e3'], '--seconds: "1e3" is not allowed; allowed: 0.1 to 86400'],
    [['--seconds'], '--seconds: the value is missing; it is a SECONDS'],
    [['--seconds', '--json'], '--seconds: the value is missing; it is a SECONDS'],
    [['--seconds', '5', '--seconds', '6'], '--seconds: given more than once'],
    [['--examples', '1.5'], '--examples: "1.5" is not allowed; allowed: a whole number, 0 to 100'],
    [['--old', 'ws://other/ws'], '--old: given more than once'],
    [['--json=perhaps'], '--json: "perhaps" is not allowed; allowed: true or false'],
    [['--secnods', '5'], '--secnods: there is no such option; did you mean --seconds?'],
    [['--zzzzzzzzzzzz', '5'], '--zzzzzzzzzzzz: there is no such option; --help lists them all'],
    [['-s'], '-s: there is no such option; --help lists them all'],
    [['ws://h/ws'], 'ws://h/ws: belongs to no flag; flags are written --name value'],
    [['--allow-missing', '101%'], /^--allow-missing: "101%" is not allowed; allowed: a count such as 5, or a share/],
    [['--allow-missing=-1'], /^--allow-missing: "-1" is not allowed/],
    [['--filter', 'symbls=A'], /symbls is none of these, did you mean symbols\?$/],
    [['--filter', 'symbols='], /as symbols a string or a list of strings .*; it item 0 is empty$/],
    [['--filter', '{"symbols":5}'], /as symbols a string or a list of strings .*; it is a number$/],
    [['--filter', '{"symbols":'], /as JSON: /],
    [['--filter', '["A"]'], /^--filter: .* is not allowed; allowed: exchange=a\|b/],
    [['--filter', 'symbols=A,symbols=B'], /^--filter: .* is not allowed/],
    [['--ignore', 'data..x'], /^--ignore: "data\.\.x" is not allowed; allowed: paths such as/],
    [['--ignore', ''], /^--ignore: "" is not allowed/],
    [['--report', ''], '--report: "" is not allowed; allowed: the path of a file'],
  ])('refuses %j', (argv, problem) => {
    expect(read(...argv).problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  it.each(['http://h/', 'h:80', 'ws://h/ws#x', 'ftp://user:S3CRET@h/', 'ws://'])(
    'refuses %s as a server',
    (address) => {
      const { problems } = readCompareArguments(['--old', address, '--new', 'ws://h/ws']);
      expect(problems).toHaveLength(1);
      expect(problems[0]!.message).toContain('an address such as ws://127.0.0.1:8080/ws');
      expect(JSON.stringify(problems)).not.toContain('S3CRET');
    },
  );

  it('needs both servers', () => {
    expect(readCompareArguments([]).problems.map(({ name }) => name)).toEqual(['--old', '--new']);
  });
});
