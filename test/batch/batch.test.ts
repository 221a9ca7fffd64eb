import { describe, expect, it } from 'vitest';
import { Batch, NO_SLOT } from '../../src/batch/batch.ts';
import { BatchBuffers } from '../../src/batch/batch-buffers.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { textsOf } from '../support/received-frames.ts';
import { recordOf } from '../support/test-pool.ts';

const POOLED_BYTES_MAX = 1024 * 1024;

/** A batch that is open, and the buffers that its bytes come from. */
function openBatch(base = 0): { batch: Batch; buffers: BatchBuffers } {
  const buffers = new BatchBuffers(POOLED_BYTES_MAX);
  const batch = new Batch();
  batch.open(buffers.take(0), base);
  return { batch, buffers };
}

function textsIn(batch: Batch): string[] {
  return textsOf(batch.bytes.subarray(0, batch.length));
}

describe('Batch', () => {
  it('holds frames back to back, with the type, due time and end of each', () => {
    const { batch, buffers } = openBatch();
    batch.append(recordOf('one', { slot: 2, dueUs: 7 }), buffers);
    batch.append(recordOf('three', { slot: 3, dueUs: 8 }), buffers);
    expect(textsIn(batch)).toEqual(['one', 'three']);
    expect([batch.messages, batch.publicationsFrom(0), batch.length]).toEqual([2, 2, 12]);
    expect([batch.slots, batch.dues, batch.ends]).toEqual([
      [2, 3],
      [7, 8],
      [5, 12],
    ]);
    expect([0, 1, 2].map((index) => batch.startOf(index))).toEqual([0, 5, 12]);
  });

  it('takes only the frame out of what surrounds it in the record', () => {
    const { batch, buffers } = openBatch();
    const { bytes } = recordOf('middle');
    const padded = Buffer.concat([Buffer.alloc(64, 'x'), bytes, Buffer.alloc(8, 'y')]);
    batch.append({ ...recordOf(''), bytes: padded, frameStart: 64, frameEnd: 64 + bytes.length }, buffers);
    expect(batch.bytes.subarray(0, batch.length)).toEqual(bytes);
  });

  it('grows with all that it holds, and gives the smaller buffer back', () => {
    const { batch, buffers } = openBatch();
    const texts = Array.from({ length: 40 }, (_, i) => `${i}:${'x'.repeat(i * 20)}`);
    for (const text of texts) batch.append(recordOf(text), buffers);
    expect(textsIn(batch)).toEqual(texts);
    expect(batch.bytes.length).toBeGreaterThan(4096);
    expect(buffers.pooledBytes).toBeGreaterThanOrEqual(4096);
  });

  it('does not give back, when it grows, a buffer that a socket may hold', () => {
    const { batch, buffers } = openBatch();
    batch.held = true;
    batch.append(recordOf('x'.repeat(5_000)), buffers);
    expect(buffers.pooledBytes).toBe(0);
    expect(batch.held).toBe(false);
  });

  it('holds a message among the frames that counts as no publication', () => {
    const { batch, buffers } = openBatch();
    batch.append(recordOf('one', { slot: 2, dueUs: 7 }), buffers);
    batch.appendMessage(textFrame('gap'), buffers);
    batch.append(recordOf('two', { slot: 3, dueUs: 8 }), buffers);
    expect(textsIn(batch)).toEqual(['one', 'gap', 'two']);
    expect(batch.messages).toBe(3);
    expect([0, 1, 2, 3].map((index) => batch.publicationsFrom(index))).toEqual([2, 1, 1, 0]);
    expect([batch.slots, batch.ends]).toEqual([
      [2, NO_SLOT, 3],
      [5, 10, 15],
    ]);
  });

  it('grows for a message as for a frame', () => {
    const { batch, buffers } = openBatch();
    batch.append(recordOf('one'), buffers);
    const long = 'x'.repeat(5_000);
    batch.appendMessage(textFrame(long), buffers);
    expect(textsIn(batch)).toEqual(['one', long]);
  });

  it('lets go of frames that everybody has had, and keeps the others with all that belongs to them', () => {
    const { batch, buffers } = openBatch(10);
    batch.append(recordOf('one', { slot: 1, dueUs: 1 }), buffers);
    batch.appendMessage(textFrame('gap'), buffers);
    batch.append(recordOf('three', { slot: 3, dueUs: 3 }), buffers);
    batch.append(recordOf('four', { slot: 4, dueUs: 4 }), buffers);
    batch.drop(2, buffers);
    expect(textsIn(batch)).toEqual(['three', 'four']);
    expect([batch.base, batch.messages, batch.publicationsFrom(0), batch.length]).toEqual([12, 2, 2, 13]);
    expect([batch.slots.slice(0, 2), batch.dues.slice(0, 2), batch.ends.slice(0, 2)]).toEqual([
      [3, 4],
      [3, 4],
      [7, 13],
    ]);
    batch.append(recordOf('five'), buffers);
    expect(textsIn(batch)).toEqual(['three', 'four', 'five']);
  });

  it('leaves the bytes that a socket may hold as they are when it lets go of frames', () => {
    const { batch, buffers } = openBatch();
    for (const text of ['one', 'two']) batch.append(recordOf(text), buffers);
    const written = batch.bytes.subarray(0, batch.length);
    batch.held = true;
    batch.drop(1, buffers);
    expect(textsOf(written)).toEqual(['one', 'two']);
    expect([textsIn(batch), batch.held, buffers.pooledBytes]).toEqual([['two'], false, 0]);
  });

  it('can be opened again, empty, when it has been closed, and gives its buffer back unless a socket may hold it', () => {
    for (const held of [false, true]) {
      const { batch, buffers } = openBatch();
      batch.appendMessage(textFrame('gap'), buffers);
      batch.held = held;
      batch.close(buffers);
      expect(buffers.pooledBytes).toBe(held ? 0 : 4096);
      batch.open(buffers.take(0), 7);
      expect([batch.base, batch.messages, batch.length, batch.held]).toEqual([7, 0, 0, false]);
      batch.append(recordOf('next'), buffers);
      expect([textsIn(batch), batch.publicationsFrom(0)]).toEqual([['next'], 1]);
    }
  });
});
