import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asRead, outcomeOf } from '../support/line-outcome.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);

const figure = fc.oneof(
  fc.double().map((value) => JSON.stringify(value)),
  fc.constantFrom('0', '-0', '1.50', '1e5', '1E+20', '1e999', '0.0000001', '0.000001', '12345678901234567890', '-0.0'),
  fc.constantFrom('"1.5"', '"\\u0031"', '""', 'null', '01', '1.', '-', '.5', 'true', '{}', '[]'),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).map((value) => JSON.stringify(value)),
  fc.constantFrom('"\\ud800"', '"\\q"', '"\\/"', '"a', '"\t"', '"2024-01-01T00:00:00Z"', '"1700000000000"', '"1e3-5"'),
);
const value = fc.oneof(
  figure,
  text,
  fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json)),
);
const type = fc.constantFrom(
  '"trade"',
  '"ticker"',
  '"kline"',
  '"kline_1m"',
  '"depth"',
  '"Trades"',
  '"x"',
  '""',
  'null',
  '5',
);
const name = fc.constantFrom(
  '"binance"',
  '"Binance"',
  '"BTC/USDT"',
  '"btc"',
  '"\\u0041"',
  '"Ä"',
  'null',
  '7',
  '"a\\"b"',
);

function membersOf(keys: readonly string[], values: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const key = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...keys) },
    { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
  );
  const member = fc.tuple(key, values).map(([k, v]) => `${JSON.stringify(k)}:${v}`);
  return fc.array(member, { maxLength: 6 }).map((members) => members.join(','));
}

const data = fc.oneof(
  membersOf(
    ['price', 'p', 'quantity', 'q', 'volume', 'side', 'm', 'interval', 'lastPrice', 'c', 'P', '__proto__'],
    value,
  ).map((members) => `{${members}}`),
  value,
);
const top = membersOf(['timestamp', 'receivedAt', 'seq', 'epoch', 'price', 'volume', 'side', '__proto__', 'x'], value);
const odd = fc
  .tuple(type, name, name, data, top, fc.constantFrom('', ' ', '\r', 'x', '}'), fc.boolean())
  .map(([t, exchange, symbol, d, rest, end, twice]) => {
    const named = `"type":${t},"exchange":${exchange},"symbol":${symbol}`;
    const more = rest === '' ? '' : `,${rest}`;
    return `{${named},"data":${d}${more}${twice ? ',"type":"trade"' : ''}}${end}`;
  });

/** What goes through as it is, mostly. */
const plainFigure = fc.constantFrom(
  '0',
  '-0',
  '1.50',
  '1e5',
  '0.0000001',
  '0.000001',
  '12345678901234567890',
  '"1.5"',
  'null',
  '-7.25',
);
const plain = fc
  .tuple(
    fc.constantFrom('trade', 'ticker', 'kline', 'x'),
    membersOf(['price', 'p', 'quantity', 'q', 'volume', 'm', 'lastPrice', 'c', 'P', 'change24h'], plainFigure),
    membersOf(['price', 'volume', 'side', 'x', 'timestamp'], plainFigure),
  )
  .map(([t, d, rest]) => `{"type":"${t}","exchange":"e","symbol":"S","data":{${d}}${rest === '' ? '' : `,${rest}`}}`);
const line = fc.oneof(odd, plain);

it(`gives clients the same of a line that is not parsed as of one that is (seed ${seed})`, async () => {
  let texts = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 12 }),
      fc.array(fc.nat(900), { maxLength: 4 }),
      async (lines, cuts) => {
        // Twice, since a topic that is new is parsed.
        const all = [...lines, ...lines];
        const [parsed, passed] = await Promise.all([outcomeOf(all, cuts, false), outcomeOf(all, cuts, true)]);
        texts += passed.texts;
        expect(asRead(passed.told)).toEqual(asRead(parsed.told));
      },
    ),
    { seed, numRuns: 1_000, interruptAfterTimeLimit: 10_000, endOnFailure: true },
  );
  // Else the run has shown nothing.
  expect(texts).toBeGreaterThan(50);
}, 60_000);
