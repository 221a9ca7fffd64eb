import { describe, expect, it } from 'vitest';
import { BatchBuffers } from '../../src/batch/batch-buffers.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('BatchBuffers', () => {
  it.each([
    [0, 4 * KIB],
    [1, 4 * KIB],
    [4 * KIB, 4 * KIB],
    [4 * KIB + 1, 8 * KIB],
    [64 * KIB, 64 * KIB],
    [MIB, MIB],
    [MIB + 1, 2 * MIB],
  ])('makes room for %i bytes with %i', (wanted, length) => {
    expect(new BatchBuffers(MIB).take(wanted)).toHaveLength(length);
  });

  it.each([4 * KIB, 8 * KIB, MIB])(
    'gives a buffer of %i bytes out again once it has it back, to one at a time',
    (bytes) => {
      const buffers = new BatchBuffers(8 * MIB);
      const first = buffers.take(bytes);
      expect(buffers.take(bytes)).not.toBe(first);
      buffers.giveBack(first);
      expect(buffers.pooledBytes).toBe(bytes);
      expect(buffers.take(bytes)).toBe(first);
      expect(buffers.pooledBytes).toBe(0);
      expect(buffers.take(bytes)).not.toBe(first);
    },
  );

  it('does not give a small buffer to who wants a large one', () => {
    const buffers = new BatchBuffers(MIB);
    buffers.giveBack(buffers.take(4 * KIB));
    expect(buffers.take(5 * KIB)).toHaveLength(8 * KIB);
  });

  it('keeps no more than it may, and none that is larger than a mebibyte', () => {
    const buffers = new BatchBuffers(12 * KIB);
    for (const buffer of [buffers.take(8 * KIB), buffers.take(4 * KIB), buffers.take(4 * KIB)])
      buffers.giveBack(buffer);
    expect(buffers.pooledBytes).toBe(12 * KIB);
    const large = new BatchBuffers(64 * MIB);
    large.giveBack(large.take(2 * MIB));
    expect(large.pooledBytes).toBe(0);
  });

  it('lets go of all that it keeps, and keeps anew after that', () => {
    const buffers = new BatchBuffers(MIB);
    const [small, large] = [buffers.take(4 * KIB), buffers.take(64 * KIB)];
    buffers.giveBack(small);
    buffers.giveBack(large);
    expect(buffers.trim()).toBe(68 * KIB);
    expect([buffers.pooledBytes, buffers.trim()]).toEqual([0, 0]);
    expect([small, large]).not.toContain(buffers.take(4 * KIB));
    buffers.giveBack(small);
    expect(buffers.take(4 * KIB)).toBe(small);
  });
});
