import { describe, expect, it } from 'vitest';
import { frameHeaderBytes, PING, TEXT, textFrame, writeFrameHeader } from '../../src/frame/frame-header.ts';
import { decodeAsClient, encodeAsServer, headerOfServer } from '../support/ws-codec.ts';

const MIB = 2 ** 20;
const EDGES = [0, 1, 124, 125, 126, 127, 255, 256, 65_534, 65_535, 65_536, 65_537, 70_000, MIB - 1, MIB];

describe('frame header', () => {
  it.each(EDGES)('is what a ws server writes in front of %i bytes', (bytes) => {
    const payload = Buffer.alloc(bytes, 'x');
    expect(textFrame(payload.toString()).equals(encodeAsServer(payload))).toBe(true);
  });

  it('is what a ws server writes in front of every size up to 70,000 bytes', () => {
    const buffer = Buffer.alloc(16);
    const payload = Buffer.alloc(70_000, 'x');
    for (let bytes = 0; bytes <= payload.length; bytes++) {
      const length = writeFrameHeader(buffer, 12, bytes, TEXT);
      const expected = headerOfServer(payload.subarray(0, bytes));
      if (length !== expected.length || buffer.compare(expected, 0, length, 12 - length, 12) !== 0) {
        expect.fail(`the header of ${bytes} bytes is ${buffer.toString('hex', 12 - length, 12)}`);
      }
    }
  });

  it('is read by a ws client, frame by frame', async () => {
    const texts = EDGES.map((bytes, i) => 'abcdefghijklmnopqrstuvwxyz'.charAt(i).repeat(bytes));
    const decoded = await decodeAsClient(Buffer.concat(texts.map((text) => textFrame(text))), texts.length);
    expect(decoded.map((text) => text.length)).toEqual(EDGES);
    for (const [i, text] of texts.entries()) expect(decoded[i] === text).toBe(true);
  });

  it('counts the bytes of a text, not its characters', async () => {
    const texts = ['é'.repeat(63), '日'.repeat(21_846), '🚀'.repeat(31), 'ascii'];
    expect(await decodeAsClient(Buffer.concat(texts.map((text) => textFrame(text))), texts.length)).toEqual(texts);
  });

  it('ends where the payload begins, and says how long it is', () => {
    for (const [bytes, length] of [
      [0, 2],
      [125, 2],
      [126, 4],
      [65_535, 4],
      [65_536, 10],
      [2 ** 32 + 5, 10],
    ] as const) {
      const buffer = Buffer.alloc(32, 0xee);
      expect(frameHeaderBytes(bytes)).toBe(length);
      expect(writeFrameHeader(buffer, 20, bytes, TEXT)).toBe(length);
      expect(buffer[20 - length]).toBe(0x81);
      expect(buffer[20 - length - 1]).toBe(0xee);
      expect(buffer[20]).toBe(0xee);
    }
  });

  it('carries lengths beyond 2^32 in its eight bytes', () => {
    const buffer = Buffer.alloc(10);
    writeFrameHeader(buffer, 10, 2 ** 40 + 2 ** 31 + 3, TEXT);
    expect(buffer.readBigUInt64BE(2)).toBe(2n ** 40n + 2n ** 31n + 3n);
  });

  it('is final and unmasked whatever its opcode', () => {
    const buffer = Buffer.alloc(2);
    writeFrameHeader(buffer, 2, 5, PING);
    expect([...buffer]).toEqual([0x89, 5]);
  });
});
