import { OPCODE } from '../load/frame-scanner.ts';

/** What a reader tells its owner of. */
export interface FrameReaderListener {
  onText(text: string): void;
  /** @param payload valid during the call only */
  onControl(opcode: number, payload: Uint8Array): void;
  /** The server broke the protocol; nothing more is read. */
  onInvalid(reason: string): void;
}

const LENGTH_16 = 126;
const LENGTH_64 = 127;
const FIN = 0x80;

/** Reads whole frames of a WebSocket server, text by text. The gateway never fragments, so a fragment is a fault here. */
export class FrameReader {
  readonly #listener: FrameReaderListener;
  #rest: Buffer = Buffer.alloc(0);
  #stopped = false;

  constructor(listener: FrameReaderListener) {
    this.#listener = listener;
  }

  /** Takes what came from the socket. The listener may call `stop` meanwhile. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (!this.#stopped) {
      const end = this.#takeFrame(bytes, at);
      if (end === undefined) break;
      at = end;
    }
    // A copy: the chunk belongs to the socket.
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** What has come but not been taken is thrown away, as is what comes. */
  stop(): void {
    this.#stopped = true;
  }

  /** Returns where the frame ends, undefined where it is not all there. */
  #takeFrame(bytes: Buffer, at: number): number | undefined {
    if (at + 2 > bytes.length) return undefined;
    const length7 = bytes[at + 1] as number;
    const start = at + (length7 < LENGTH_16 ? 2 : length7 === LENGTH_16 ? 4 : 10);
    if (length7 > LENGTH_64) return this.#invalid('a frame from the server is masked');
    if (start > bytes.length) return undefined;
    const end = start + lengthOf(bytes, at, length7);
    if (end > bytes.length) return undefined;
    const first = bytes[at] as number;
    const opcode = first & 0x0f;
    if ((first & 0xf0) !== FIN) return this.#invalid('a fragment or a reserved bit');
    if (opcode === OPCODE.text) this.#listener.onText(bytes.toString('utf8', start, end));
    else if (opcode >= OPCODE.close) this.#listener.onControl(opcode, bytes.subarray(start, end));
    else return this.#invalid(`a frame of kind ${opcode}`);
    return end;
  }

  #invalid(reason: string): undefined {
    this.#stopped = true;
    this.#listener.onInvalid(reason);
  }
}

function lengthOf(bytes: Buffer, at: number, length7: number): number {
  if (length7 < LENGTH_16) return length7;
  return length7 === LENGTH_16 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
}
