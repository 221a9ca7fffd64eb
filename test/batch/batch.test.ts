import { describe, expect, it } from 'vitest';
import { Batch, NO_SLOT } from '../../src/batch/batch.ts';
import { BatchBuffers } from '../../src/batch/batch-buffers.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { GatedSocket } from '../support/gated-socket.ts';
import { textsOf } from '../support/received-frames.ts';
import { connectionOn } from '../support/test-connection.ts';
import { recordOf } from '../support/test-pool.ts';

const POOLED_BYTES_MAX = 1024 * 1024;

describe('Batch', () => {
  it('holds frames back to back, with the type, due time and end of each', () => {
    const buffers = new BatchBuffers(POOLED_BYTES_MAX);
    const batch = new Batch(buffers.take(0));
    batch.append(recordOf('one', { slot: 2, dueUs: 7 }), buffers);
    batch.append(recordOf('three', { slot: 3, dueUs: 8 }), buffers);
    expect(textsOf(batch.bytes.subarray(0, batch.length))).toEqual(['one', 'three']);
    expect([batch.messages, batch.data, batch.length]).toEqual([2, 2, 12]);
    expect([batch.slots, batch.dues, batch.ends]).toEqual([
      [2, 3],
      [7, 8],
      [5, 12],
    ]);
  });

  it('takes only the frame out of what surrounds it in the record', () => {
    const buffers = new BatchBuffers(POOLED_BYTES_MAX);
    const batch = new Batch(buffers.take(0));
    const { bytes } = recordOf('middle');
    const padded = Buffer.concat([Buffer.alloc(64, 'x'), bytes, Buffer.alloc(8, 'y')]);
    batch.append({ ...recordOf(''), bytes: padded, frameStart: 64, frameEnd: 64 + bytes.length }, buffers);
    expect(batch.bytes.subarray(0, batch.length)).toEqual(bytes);
  });

  it('grows with all that it holds, and gives the smaller buffer back', () => {
    const buffers = new BatchBuffers(POOLED_BYTES_MAX);
    const batch = new Batch(buffers.take(0));
    const texts = Array.from({ length: 40 }, (_, i) => `${i}:${'x'.repeat(i * 20)}`);
    for (const text of texts) batch.append(recordOf(text), buffers);
    expect(textsOf(batch.bytes.subarray(0, batch.length))).toEqual(texts);
    expect(batch.bytes.length).toBeGreaterThan(4096);
    expect(buffers.pooledBytes).toBeGreaterThanOrEqual(4096);
  });

  it('does not give back, when it grows, a buffer that a socket may hold', () => {
    const buffers = new BatchBuffers(POOLED_BYTES_MAX);
    const batch = new Batch(buffers.take(0));
    batch.held = true;
    batch.append(recordOf('x'.repeat(5_000)), buffers);
    expect(buffers.pooledBytes).toBe(0);
    expect(batch.held).toBe(false);
  });

  it('holds a message among the frames that counts as no publication', () => {
    const buffers = new BatchBuffers(POOLED_BYTES_MAX);
    const batch = new Batch(buffers.take(0));
    batch.append(recordOf('one', { slot: 2, dueUs: 7 }), buffers);
    batch.appendMessage(textFrame('gap'), buffers);
    batch.append(recordOf('two', { slot: 3, dueUs: 8 }), buffers);
    expect(textsOf(batch.bytes.subarray(0, batch.length))).toEqual(['one', 'gap', 'two']);
    expect([batch.messages, batch.data]).toEqual([3, 2]);
    expect([batch.slots, batch.ends]).toEqual([
      [2, NO_SLOT, 3],
      [5, 10, 15],
    ]);
  });

  it('grows for a message as for a frame', () => {
    const buffers = new BatchBuffers(POOLED_BYTES_MAX);
    const batch = new Batch(buffers.take(0));
    batch.append(recordOf('one'), buffers);
    const long = 'x'.repeat(5_000);
    batch.appendMessage(textFrame(long), buffers);
    expect(textsOf(batch.bytes.subarray(0, batch.length))).toEqual(['one', long]);
  });

  it('remembers what was there before a member joined', () => {
    const buffers = new BatchBuffers(POOLED_BYTES_MAX);
    const batch = new Batch(buffers.take(0));
    const [early, late] = [connectionOn(new GatedSocket()), connectionOn(new GatedSocket())];
    batch.append(recordOf('one'), buffers);
    batch.appendMessage(textFrame('gap'), buffers);
    batch.addJoiner(late);
    batch.append(recordOf('two'), buffers);
    expect(batch.shareOf(early)).toEqual({ offset: 0, messages: 0, data: 0 });
    expect(batch.shareOf(late)).toEqual({ offset: 10, messages: 2, data: 1 });
  });
});
