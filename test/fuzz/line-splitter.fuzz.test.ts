import fc from 'fast-check';
import { expect, it } from 'vitest';
import { linesInPieces } from '../support/lines-in-pieces.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const LINE_BYTES_MAX = 12;

/** Bytes rich in line ends, characters of several bytes, and halves of them. */
const bytes = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n', '\r\n', '\r', '€', '😀', 'é', '{"a":1}', '0123456789').map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 6 }).map((array) => Buffer.from(array)),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.concat(parts));

/** What a line splitter is, said plainly: all bytes at once. */
function naiveLines(input: Buffer): unknown[] {
  const found: unknown[] = [];
  const parts = input.toString('latin1').split('\n');
  parts.forEach((part, index) => {
    const last = index === parts.length - 1;
    const line = Buffer.from(part.endsWith('\r') ? part.slice(0, -1) : part, 'latin1');
    if (line.length === 0) return;
    if (line.length > LINE_BYTES_MAX) found.push(['tooLong', index + 1, '', true]);
    else {
      const text = line.toString('utf8');
      const valid = Buffer.from(text, 'utf8').equals(line);
      found.push([valid ? 'line' : 'invalidUtf8', index + 1, valid ? text : '', !last]);
    }
  });
  return found;
}

it(`cuts the same lines whatever pieces they come in (seed ${seed})`, () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(200)), (input, cuts) => {
      expect(linesInPieces(input, cuts, LINE_BYTES_MAX)).toEqual(naiveLines(input));
    }),
    { seed, numRuns: 5_000, interruptAfterTimeLimit: 10_000 },
  );
});
