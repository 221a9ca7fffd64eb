import { strict } from 'node:assert';
import { constants, createDeflateRaw, type DeflateRaw, inflateRawSync } from 'node:zlib';
import { assert } from '../util/assert.ts';

/**
 * What Node does not document of its zlib streams: the binding, and where that leaves the counts of a call. npm and many
 * others have called it for years; `selfTest` finds out whether it still does what this file takes it for.
 */
interface Undocumented {
  readonly _handle: {
    writeSync(
      flush: number,
      input: Buffer,
      inputAt: number,
      inputBytes: number,
      output: Buffer,
      outputAt: number,
      outputBytes: number,
    ): void;
  };
  /** Bytes of output left free, and of input left over, by the last call. */
  readonly _writeState: Uint32Array;
}

/** What a flush ends with, and RFC 7692 §7.2.1 leaves out: 00 00 ff ff. */
const TAIL_BYTES = 4;
/** Of 1 to 9, how much memory zlib takes beside the window. More changes nothing for frames of some hundred bytes. */
const MEMORY_LEVEL = 8;
/** The smallest window that zlib makes of 9 bits, though a raw deflate stream may be asked for 8. */
export const WINDOW_BITS_MIN = 9;
export const WINDOW_BITS_MAX = 15;

/**
 * One raw deflate context on this thread. Node's public calls either go through the thread pool, where frames would
 * overtake those that go out plain, or begin anew with each call, which costs the context.
 */
export class SyncDeflate {
  readonly #stream: DeflateRaw & Undocumented;

  /**
   * @param level 1 (fast) to 9
   * @param windowBits WINDOW_BITS_MIN to WINDOW_BITS_MAX: nothing refers to more than 2 to this power bytes before it
   */
  constructor(level: number, windowBits: number) {
    const options = { level, windowBits, memLevel: MEMORY_LEVEL, chunkSize: constants.Z_MIN_CHUNK };
    this.#stream = createDeflateRaw(options) as unknown as DeflateRaw & Undocumented;
  }

  /** Room that `bytes` bytes of input need in the output at most. */
  static roomFor(bytes: number): number {
    return bytes + (bytes >>> 2) + 64;
  }

  /**
   * Compresses one message. It may refer to those since the last reset.
   * @param output has `roomFor(inputBytes)` bytes from `outputAt` on
   * @returns bytes written, without the tail of a flush
   */
  write(input: Buffer, inputAt: number, inputBytes: number, output: Buffer, outputAt: number): number {
    const { _handle, _writeState } = this.#stream;
    const room = output.length - outputAt;
    _handle.writeSync(constants.Z_SYNC_FLUSH, input, inputAt, inputBytes, output, outputAt, room);
    const left = _writeState[0] as number;
    assert(left > 0 && _writeState[1] === 0, 'a compressed message fits into the room that it is given');
    return room - left - TAIL_BYTES;
  }

  /** What comes next refers to nothing before it. */
  reset(): void {
    this.#stream.reset();
  }

  /** Gives the memory back. Nothing else may be called afterwards. */
  close(): void {
    this.#stream.close();
  }

  /** Undefined, or why this Node cannot do it. */
  static selfTest(): unknown {
    try {
      testRoundTrip();
      return undefined;
    } catch (thrown) {
      return thrown ?? 'nothing was thrown';
    }
  }
}

function testRoundTrip(): void {
  const deflate = new SyncDeflate(1, WINDOW_BITS_MIN);
  const input = Buffer.from('..a message that is sent twice.');
  const output = Buffer.alloc(1024, 0x55);
  const [first, second, third] = [0, 1, 2].map((i) => {
    if (i === 2) deflate.reset();
    const at = 256 * i;
    const bytes = deflate.write(input, 2, input.length - 2, output, at);
    strict.equal(output.readUInt32BE(at + bytes), 0xffff, 'a flush ends as it should');
    strict.equal(output[at + bytes + TAIL_BYTES], 0x55, 'nothing is written behind it');
    return output.subarray(at, at + bytes + TAIL_BYTES);
  }) as [Buffer, Buffer, Buffer];
  deflate.close();
  const text = input.toString('latin1', 2);
  const inflate = (bytes: Buffer) => inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1');
  strict.ok(second.length < first.length, 'the second message refers to the first');
  strict.equal(inflate(Buffer.concat([first, second])), text + text);
  strict.equal(inflate(third), text, 'a reset forgets what was before it');
}
