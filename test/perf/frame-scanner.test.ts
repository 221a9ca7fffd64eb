import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EXCERPT_HEAD_BYTES,
  EXCERPT_TAIL_BYTES,
  type FrameListener,
  FrameScanner,
} from '../../perf/load/frame-scanner.ts';

const SEED = 20_260_101;

interface Heard {
  samples: Buffer[];
  gaps: Buffer[];
  controls: { opcode: number; payload: Buffer }[];
  invalid: string[];
}

function listening(): Heard & { listener: FrameListener } {
  const heard: Heard = { samples: [], gaps: [], controls: [], invalid: [] };
  return {
    ...heard,
    listener: {
      onSample: (bytes, from, to) => heard.samples.push(Buffer.from(bytes.subarray(from, to))),
      onGap: (bytes, from, to) => heard.gaps.push(Buffer.from(bytes.subarray(from, to))),
      onControl: (opcode, payload) => heard.controls.push({ opcode, payload: Buffer.from(payload) }),
      onInvalid: (reason) => heard.invalid.push(reason),
    },
  };
}

/** A frame as a server sends it. `lengthBytes` may be more than the length needs. */
function serverFrame(first: number, payload: Uint8Array, lengthBytes = neededLengthBytes(payload.length)): Buffer {
  const header = Buffer.alloc(2 + lengthBytes);
  header[0] = first;
  header[1] = lengthBytes === 0 ? payload.length : lengthBytes === 2 ? 126 : 127;
  if (lengthBytes === 2) header.writeUInt16BE(payload.length, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]);
}

function neededLengthBytes(length: number): number {
  return length < 126 ? 0 : length < 65_536 ? 2 : 8;
}

function scan(wire: Buffer, cuts: readonly number[], sampleEvery = 1): Heard & { scanner: FrameScanner } {
  const { listener, ...heard } = listening();
  const scanner = new FrameScanner(listener, sampleEvery, sampleEvery - 1);
  const edges = [0, ...cuts.map((cut) => cut % (wire.length + 1)).sort((a, b) => a - b), wire.length];
  // One reused buffer, as the generator has: nothing may rely on a chunk after `push`.
  const shared = Buffer.alloc(wire.length + 1);
  for (let i = 1; i < edges.length; i++) {
    const length = wire.copy(shared, 0, edges[i - 1], edges[i]);
    scanner.push(shared, length);
    shared.fill(0xff);
  }
  return { ...heard, scanner };
}

function excerptOf(payload: Buffer): Buffer[] {
  const parts = [payload.subarray(0, EXCERPT_HEAD_BYTES), payload.subarray(-EXCERPT_TAIL_BYTES)];
  return [payload, payload.length > EXCERPT_HEAD_BYTES + EXCERPT_TAIL_BYTES ? Buffer.concat(parts) : payload];
}

interface Piece {
  wire: Buffer;
  message?: Buffer;
  sampled: boolean;
  gap?: Buffer;
  control?: { opcode: number; payload: Buffer };
}

const payload = fc
  .tuple(
    fc.oneof(fc.nat(130), fc.nat(700), fc.constantFrom(0, 125, 126, 512, 513, 65_535, 65_536, 70_000)),
    fc.nat(255),
  )
  .map(([length, salt]) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + salt) & 0xff)));

const textPiece = fc
  .tuple(payload, fc.constantFrom(0x81, 0x82))
  .map(([message, first]): Piece => ({ wire: serverFrame(first, message), message, sampled: true }));
const controlPiece = fc.tuple(payload, fc.constantFrom(0x88, 0x89, 0x8a)).map(([bytes, first]): Piece => {
  const control = { opcode: first & 15, payload: bytes.subarray(0, 125) };
  return { wire: serverFrame(first, control.payload), control, sampled: false };
});
const fragmentedPiece = fc.tuple(payload, fc.nat(100_000), fc.boolean()).map(([message, at, pinged]): Piece => {
  const cut = at % (message.length + 1);
  const ping = { opcode: 9, payload: Buffer.from('between') };
  const parts = [serverFrame(0x01, message.subarray(0, cut)), serverFrame(0x80, message.subarray(cut))];
  if (pinged) parts.splice(1, 0, serverFrame(0x89, ping.payload));
  return { wire: Buffer.concat(parts), message, sampled: false, ...(pinged ? { control: ping } : {}) };
});
const gapPiece = fc.oneof(fc.nat(300), fc.constantFrom(498, 499, 500, 70_000)).map((length): Piece => {
  const gap = Buffer.from(`{"type":"gap"${'x'.repeat(length)}`);
  return { wire: serverFrame(0x81, gap), gap, sampled: false };
});
const almostGapPiece = fc
  .constantFrom('', '{"type":"ga', '{"type":"gap', '{"type":"gas",', '{"type" "gap"')
  .map((text): Piece => {
    const message = Buffer.from(text);
    return { wire: serverFrame(0x81, message), message, sampled: true };
  });

describe('FrameScanner', () => {
  it('counts the same messages, samples, gaps and control frames wherever the bytes are cut', () => {
    const pieces = fc.array(
      fc.oneof({ weight: 5, arbitrary: textPiece }, controlPiece, fragmentedPiece, gapPiece, almostGapPiece),
      {
        maxLength: 25,
      },
    );
    const property = fc.property(pieces, fc.array(fc.nat(), { maxLength: 60 }), (sent, cuts) => {
      const wire = Buffer.concat(sent.map((piece) => piece.wire));
      const { scanner, samples, gaps, controls, invalid } = scan(wire, cuts);
      expect(invalid).toEqual([]);
      expect(scanner.messages).toBe(sent.filter((piece) => piece.message !== undefined).length);
      expect(scanner.bytes).toBe(wire.length);
      expect(controls).toEqual(sent.flatMap((piece) => piece.control ?? []));
      const expected = sent.filter((piece) => piece.sampled).map((piece) => excerptOf(piece.message as Buffer));
      expect(samples.length).toBe(expected.length);
      samples.forEach((sample, i) => {
        expect((expected[i] as Buffer[]).some((allowed) => allowed.equals(sample))).toBe(true);
      });
      const expectedGaps = sent.flatMap((piece) => (piece.gap === undefined ? [] : [excerptOf(piece.gap)]));
      expect(scanner.gaps).toBe(expectedGaps.length);
      expect(gaps.length).toBe(expectedGaps.length);
      gaps.forEach((gap, i) => {
        expect((expectedGaps[i] as Buffer[]).some((allowed) => allowed.equals(gap))).toBe(true);
      });
    });
    fc.assert(property, { seed: SEED, numRuns: 200, interruptAfterTimeLimit: 10_000 });
  });

  it('takes one byte at a time', () => {
    const message = Buffer.from('x'.repeat(300));
    const wire = Buffer.concat([
      serverFrame(0x81, message),
      serverFrame(0x89, Buffer.from('ping')),
      serverFrame(0x81, message),
    ]);
    const { scanner, samples, controls } = scan(wire, Array.from(wire.keys()));
    expect(scanner.messages).toBe(2);
    expect(samples).toEqual([message, message]);
    expect(controls).toEqual([{ opcode: 9, payload: Buffer.from('ping') }]);
  });

  it('understands a length that is longer than it need be', () => {
    const small = Buffer.from('small');
    const { scanner, samples } = scan(
      Buffer.concat([serverFrame(0x81, small, 2), serverFrame(0x81, small, 8)]),
      [3, 12],
    );
    expect(scanner.messages).toBe(2);
    expect(samples).toEqual([small, small]);
  });

  it('keeps head and tail of a long message that came in pieces', () => {
    const long = Buffer.concat([Buffer.alloc(300, 'h'), Buffer.alloc(5_000, 'm'), Buffer.alloc(300, 't')]);
    const { samples } = scan(serverFrame(0x81, long), [10, 200, 4_000, 5_390, 5_400]);
    expect(samples).toEqual([Buffer.from('h'.repeat(EXCERPT_HEAD_BYTES) + 't'.repeat(EXCERPT_TAIL_BYTES))]);
  });

  it('counts a gap message apart, and does not sample it', () => {
    const gap = Buffer.from('{"type":"gap","payload":{}}');
    const message = Buffer.from('{"type":"trade","payload":{}}');
    const wire = Buffer.concat([message, gap, gap, message].map((payload) => serverFrame(0x81, payload)));
    for (const cuts of [[], Array.from(wire.keys())]) {
      const { scanner, samples, gaps } = scan(wire, cuts, 2);
      expect({ messages: scanner.messages, gaps: scanner.gaps }).toEqual({ messages: 2, gaps: 2 });
      expect(samples).toEqual([message]);
      expect(gaps).toEqual([gap, gap]);
    }
  });

  it('samples every n-th message, whether it is whole or in pieces', () => {
    const messages = Array.from({ length: 20 }, (_, i) => Buffer.from(`message ${i}`));
    const wire = Buffer.concat(messages.map((message) => serverFrame(0x81, message)));
    const expected = [messages[3], messages[7], messages[11], messages[15], messages[19]];
    expect(scan(wire, [], 4).samples).toEqual(expected);
    expect(scan(wire, Array.from(wire.keys()), 4).samples).toEqual(expected);
  });

  it.each([
    ['a masked frame', [0x81, 0x80 | 1, 0, 0, 0, 0, 120], /masked/],
    ['a reserved bit', [0xc1, 1, 120], /reserved/],
    ['an undefined opcode', [0x83, 0], /opcode/],
    ['a fragmented control frame', [0x09, 0], /control/],
    ['a control frame of more than 125 bytes', [0x89, 126, 0, 126], /control/],
    ['a continuation of nothing', [0x80, 0], /fragment/],
    ['a new message within a fragmented one', [0x01, 0, 0x81, 0], /fragment/],
    ['a length beyond 2^53', [0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0], /longer/],
  ])('refuses %s and ignores what follows', (_name, bytes, reason) => {
    const wire = Buffer.concat([Buffer.from(bytes), serverFrame(0x81, Buffer.from('after'))]);
    const { scanner, invalid, samples } = scan(wire, [1, 2]);
    expect(invalid).toEqual([expect.stringMatching(reason)]);
    expect(scanner.messages).toBe(0);
    expect(samples).toEqual([]);
  });
});

describe('FrameScanner of a connection that deflates', () => {
  const GAP = Buffer.from('{"type":"gap","payload":{}}');
  const frames = [
    serverFrame(0x81, Buffer.alloc(20, 1)),
    serverFrame(0xc1, GAP),
    serverFrame(0xc1, Buffer.alloc(200, 2)),
  ];

  it.each([1, 7, 1_000])('counts compressed messages and looks into none, in pieces of %i bytes', (pieceBytes) => {
    const { listener, ...heard } = listening();
    const scanner = new FrameScanner(listener, 1, 0, { deflates: true });
    const bytes = Buffer.concat([...frames, ...frames]);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      scanner.push(piece, piece.length);
    }
    expect([scanner.messages, scanner.gaps, scanner.bytes]).toEqual([6, 0, bytes.length]);
    expect(heard.samples).toEqual([Buffer.alloc(20, 1), Buffer.alloc(20, 1)]);
    expect(heard.invalid).toEqual([]);
  });

  it('takes one for a fault where no extension was offered', () => {
    const { listener, ...heard } = listening();
    new FrameScanner(listener, 1, 0).push(frames[1]!, frames[1]!.length);
    expect(heard.invalid).toHaveLength(1);
  });
});
