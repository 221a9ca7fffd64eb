import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { NdjsonSource } from '../../src/source/ndjson.ts';
import { CollectingSink } from '../support/collecting-sink.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const LINE_BYTES_MAX = 200;

const object = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
const line = fc.oneof(
  object.map((value) => Buffer.from(JSON.stringify(value))),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a))),
  fc
    .constantFrom('{"__proto__":{"x":1}}', `{"a":"${'€'.repeat(100)}"}`, '[[[[', '{"a":1}\r', '')
    .map((text) => Buffer.from(text)),
);

/** What a line is to a reader that has all of it. */
function verdictOf(bytes: Buffer): 'published' | 'rejected' | 'ignored' {
  const content = bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
  if (content.length > LINE_BYTES_MAX) return 'rejected';
  const text = content.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(content)) return 'rejected';
  if (text.trim() === '') return 'ignored';
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'published' : 'rejected';
  } catch {
    return 'rejected';
  }
}

it(`publishes the good lines and counts the bad ones, whatever pieces they come in (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 20 }),
      fc.array(fc.nat(400), { maxLength: 10 }),
      async (lines, cuts) => {
        const bytes = Buffer.concat(lines.flatMap((content) => [content, Buffer.from('\n')]));
        const stream = new PassThrough();
        const sink = new CollectingSink();
        const source = new NdjsonSource(
          { port: 0, path: '', connect: '', numbering: '', lineBytes: LINE_BYTES_MAX, connections: 1 },
          stream,
        );
        await source.start(sink);
        let begin = 0;
        for (const end of [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b)) {
          stream.write(bytes.subarray(begin, end));
          begin = end;
        }
        stream.end(bytes.subarray(begin));
        await vi.waitFor(() => expect(sink.endings).toBe(1), { timeout: 20_000, interval: 1 });
        const verdicts = lines.map(verdictOf);
        expect(sink.publications).toHaveLength(verdicts.filter((verdict) => verdict === 'published').length);
        expect(sink.problems.map(({ detail }) => detail?.line)).toEqual(
          verdicts.flatMap((verdict, index) => (verdict === 'rejected' ? [index + 1] : [])),
        );
        expect(({} as { x?: number }).x).toBeUndefined();
      },
    ),
    { seed, numRuns: 400, interruptAfterTimeLimit: 10_000 },
  );
});
