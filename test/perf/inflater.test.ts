import { constants, createDeflateRaw } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Inflater } from '../../perf/load/inflater.ts';

/** Messages as one deflate stream that keeps its context, without their trailers. */
async function compressed(texts: readonly string[]): Promise<Buffer[]> {
  const deflate = createDeflateRaw();
  const chunks: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  const frames: Buffer[] = [];
  for (const text of texts) {
    deflate.write(text);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    frames.push(Buffer.concat(chunks.splice(0)).subarray(0, -4));
  }
  return frames;
}

describe('Inflater', () => {
  it('tells each message apart, in pieces of any length', async () => {
    const texts = ['one', 'one and two', 'one and two and three'].map((text) => JSON.stringify({ text, n: 7 }));
    const heard: string[] = [];
    const all = Promise.withResolvers<void>();
    const inflater = new Inflater(
      (head) => heard.push(Buffer.from(head).toString()) === texts.length && all.resolve(),
      (reason) => all.reject(new Error(reason)),
    );
    for (const frame of await compressed(texts)) {
      inflater.push(frame.subarray(0, 1), false);
      inflater.push(frame.subarray(1), true);
    }
    await all.promise;
    inflater.close();
    expect(heard).toEqual(texts);
  });

  it('tells what cannot be inflated', async () => {
    const reason = await new Promise((resolve) => {
      new Inflater(() => resolve('nothing'), resolve).push(Buffer.alloc(20, 0xff), true);
    });
    expect(reason).toMatch(/invalid/);
  });
});
