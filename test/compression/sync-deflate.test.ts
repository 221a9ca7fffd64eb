import { randomBytes } from 'node:crypto';
import { createDeflateRaw } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SyncDeflate, WINDOW_BITS_MAX, WINDOW_BITS_MIN } from '../../src/compression/sync-deflate.ts';
import { TEXT, writeFrameHeader } from '../../src/frame/frame-header.ts';
import { inflateFrames } from '../support/inflated-frames.ts';

/** The message as a frame of its own. */
function compressed(deflate: SyncDeflate, message: Buffer): Buffer {
  const output = Buffer.alloc(10 + SyncDeflate.roomFor(message.length));
  const bytes = deflate.write(message, 0, message.length, output, 10);
  const from = 10 - writeFrameHeader(output, 10, bytes, TEXT | 0x40);
  return output.subarray(from, 10 + bytes);
}

describe('a synchronous deflate stream', () => {
  it('finds that this Node can do it', () => {
    expect(SyncDeflate.selfTest()).toBeUndefined();
  });

  it.each(['writeSync', 'reset'])('finds that a Node whose binding does nothing on %s cannot', (method) => {
    const { _handle } = createDeflateRaw() as unknown as { _handle: object };
    const binding = Object.getPrototypeOf(_handle) as Record<string, unknown>;
    const before = binding[method];
    binding[method] = () => {};
    const problem = SyncDeflate.selfTest();
    binding[method] = before;
    expect(problem).toBeInstanceOf(Error);
    expect(SyncDeflate.selfTest()).toBeUndefined();
  });

  it.each([WINDOW_BITS_MIN, 12, WINDOW_BITS_MAX])(
    'refers to nothing that a window of %i bits has lost',
    async (windowBits) => {
      const deflate = new SyncDeflate(9, windowBits);
      const repeated = randomBytes(300).toString('hex');
      // The same again from ever farther back: within the window, just at its edge, and beyond it.
      const messages: string[] = [];
      for (let apart = 64; apart < 70_000; apart *= 2) messages.push(repeated, randomBytes(apart / 2).toString('hex'));
      const frames = messages.map((message) => compressed(deflate, Buffer.from(message)));
      const got = await inflateFrames(Buffer.concat(frames), windowBits);
      expect(got.map(({ text }) => text)).toEqual(messages);
      deflate.close();
    },
  );

  it('makes a message that is sent again much smaller, and no more than that behind a reset', () => {
    const deflate = new SyncDeflate(4, WINDOW_BITS_MAX);
    const message = Buffer.from(randomBytes(200).toString('hex'));
    const first = compressed(deflate, message).length;
    expect(compressed(deflate, message).length).toBeLessThan(first / 10);
    deflate.reset();
    expect(compressed(deflate, message).length).toBe(first);
    deflate.close();
  });

  it.each([1, 125, 126, 65_535, 1_000_000])('has room for %i bytes that cannot be made smaller', async (bytes) => {
    for (const level of [1, 9]) {
      const deflate = new SyncDeflate(level, WINDOW_BITS_MIN);
      const message = Buffer.from(randomBytes(bytes).map((byte) => byte & 0x7f));
      const got = await inflateFrames(compressed(deflate, message), WINDOW_BITS_MIN);
      expect(got.map(({ text }) => text)).toEqual([message.toString('utf8')]);
      deflate.close();
    }
  });
});
