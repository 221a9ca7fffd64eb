/**
 * Counts the frames that a WebSocket server sends, at the least cost: it reads headers and skips payloads by their
 * length. Frames and headers may be split anywhere (RFC 6455 §5.2). Only every n-th whole message, gap messages and
 * control frames are looked at. One scanner a connection; runs on the generator's main thread.
 *
 * In: the bytes of the socket, as they come. Out: counters, and calls of a `FrameListener`.
 */
const FIN_TEXT = 0x81;
/** The bit of a message that is compressed, RFC 7692 §6. */
const RSV1 = 0x40;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const HEADER_BYTES_MAX = 10;
const CONTROL_BYTES_MAX = 125;

/** Of a sampled message that came in pieces, this much of its beginning and of its end is kept. */
export const EXCERPT_HEAD_BYTES = 256;
export const EXCERPT_TAIL_BYTES = 256;
/** How a message begins that tells of publications which will not come. */
const GAP_HEAD = Buffer.from('{"type":"gap"');
/** The first letter of the type: one look at it rules out nearly all other messages. */
const TYPE_AT = 9;
const GAP_LETTER = GAP_HEAD[TYPE_AT];
const EXCERPT_BYTES = EXCERPT_HEAD_BYTES + EXCERPT_TAIL_BYTES;

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What a scanner tells its owner. The bytes belong to the scanner and are valid during the call only. */
export interface FrameListener {
  /**
   * Every n-th data message stands at `from`..`to` of `bytes`. One that came in pieces and is longer than 512 bytes is
   * an excerpt: its first 256 bytes and, right after them, its last 256.
   */
  onSample(bytes: Uint8Array, from: number, to: number): void;
  /** Every gap message, whole or an excerpt as above. It is not counted as a message. */
  onGap(bytes: Uint8Array, from: number, to: number): void;
  /** Every message that does not begin with `dataHead`, whole or an excerpt as above. It is not counted as a message. */
  onOther?(bytes: Uint8Array, from: number, to: number): void;
  /** Where it is there: the payload of every compressed message, in pieces. @param isLast whether it ends at `to` */
  onCompressed?(bytes: Uint8Array, from: number, to: number, isLast: boolean): void;
  /** A close, ping or pong frame with its payload, at most 125 bytes. */
  onControl(opcode: number, payload: Uint8Array): void;
  /** The server broke the protocol. The scanner ignores everything after it. */
  onInvalid(reason: string): void;
}

/** What the server may send beside plain messages that are all deliveries. */
export interface ScanOptions {
  /** Messages may be compressed: those are counted, but are neither samples nor gaps. */
  deflates?: boolean;
  /** A plain message that begins otherwise is no delivery. */
  dataHead?: Uint8Array | undefined;
}

export class FrameScanner {
  /** Whole messages, a fragmented one counted once; without gaps. */
  messages = 0;
  /** Gap messages. Those in fragments, which the gateway never sends, are taken for other messages. */
  gaps = 0;
  /** Bytes taken in, headers included. */
  bytes = 0;
  readonly #listener: FrameListener;
  /** First byte of a whole compressed text message; where none is expected, of a plain one. */
  readonly #deflatedText: number;
  readonly #dataHead: Uint8Array | undefined;
  readonly #sampleEvery: number;
  #untilSample: number;
  #failed = false;

  // The frame under way, when a chunk ended within it.
  #header: Uint8Array | undefined;
  #headerLength = 0;
  #inPayload = false;
  #opcode = 0;
  #isFinal = false;
  #isCompressed = false;
  #payloadLength = 0;
  #payloadSeen = 0;
  #keeps: 'nothing' | 'excerpt' | 'control' = 'nothing';
  #kept: Uint8Array | undefined;
  #fragmented = false;
  /** How much of the payload so far is the beginning of a gap message; -1 where it cannot be one. */
  #gapMatched = -1;

  /**
   * @param sampleEvery every how many messages `onSample` is called, ≥ 1
   * @param phase 0..sampleEvery-1: which of them, so that not all connections look at the same message
   */
  constructor(listener: FrameListener, sampleEvery: number, phase: number, options: ScanOptions = {}) {
    this.#listener = listener;
    this.#sampleEvery = sampleEvery;
    this.#deflatedText = options.deflates === true ? FIN_TEXT | RSV1 : FIN_TEXT;
    this.#dataHead = options.dataHead;
    this.#untilSample = 1 + (phase % sampleEvery);
  }

  /** Takes the first `length` bytes of `chunk`; keeps no reference to it. */
  push(chunk: Uint8Array, length: number): void {
    this.bytes += length;
    let at = 0;
    while (at < length && !this.#failed) {
      if (this.#headerLength === 0 && !this.#inPayload) at = this.#skipWhole(chunk, at, length);
      if (at < length) at = this.#takePart(chunk, at, length);
    }
  }

  /** The fast path: whole, unfragmented text messages. Returns where the first other thing begins. */
  #skipWhole(chunk: Uint8Array, from: number, length: number): number {
    let at = from;
    let messages = this.messages;
    let untilSample = this.#untilSample;
    if (this.#fragmented) return at;
    while (at + 4 <= length && (chunk[at] === FIN_TEXT || chunk[at] === this.#deflatedText)) {
      const isPlain = chunk[at] === FIN_TEXT;
      const length7 = chunk[at + 1] as number;
      let payloadAt = at + 2;
      let end = payloadAt + length7;
      if (length7 === LENGTH_16) {
        payloadAt = at + 4;
        end = payloadAt + (((chunk[at + 2] as number) << 8) | (chunk[at + 3] as number));
      } else if (length7 > LENGTH_16) break;
      if (end > length) break;
      if (isPlain && this.#dataHead !== undefined && !begins(chunk, payloadAt, end, this.#dataHead)) {
        this.#listener.onOther?.(chunk, payloadAt, end);
        at = end;
        continue;
      }
      if (isPlain && chunk[payloadAt + TYPE_AT] === GAP_LETTER && begins(chunk, payloadAt, end, GAP_HEAD)) {
        this.gaps++;
        this.#listener.onGap(chunk, payloadAt, end);
        at = end;
        continue;
      }
      messages++;
      if (!isPlain) this.#listener.onCompressed?.(chunk, payloadAt, end, true);
      else if (--untilSample === 0) {
        untilSample = this.#sampleEvery;
        this.#listener.onSample(chunk, payloadAt, end);
      }
      at = end;
    }
    this.messages = messages;
    this.#untilSample = untilSample;
    return at;
  }

  /** The slow path: what the chunk holds of one frame of any kind. Returns where it stopped. */
  #takePart(chunk: Uint8Array, from: number, length: number): number {
    let at = from;
    if (!this.#inPayload) {
      at = this.#takeHeader(chunk, at, length);
      if (!this.#inPayload) return at;
    }
    const take = Math.min(this.#payloadLength - this.#payloadSeen, length - at);
    if (this.#gapMatched === this.#payloadSeen) this.#matchGap(chunk, at, take);
    if (take > 0 && this.#keeps !== 'nothing') this.#keep(chunk, at, take);
    this.#payloadSeen += take;
    if (this.#isCompressed) {
      this.#listener.onCompressed?.(chunk, at, at + take, this.#payloadSeen === this.#payloadLength);
    }
    if (this.#payloadSeen === this.#payloadLength) this.#endFrame();
    return at + take;
  }

  #takeHeader(chunk: Uint8Array, from: number, length: number): number {
    this.#header ??= new Uint8Array(HEADER_BYTES_MAX);
    const header = this.#header;
    let at = from;
    while (at < length) {
      header[this.#headerLength++] = chunk[at++] as number;
      if (this.#headerLength < 2) continue;
      const length7 = header[1] as number;
      const need = length7 === LENGTH_16 ? 4 : length7 === LENGTH_64 ? 10 : 2;
      if (this.#headerLength < need) continue;
      this.#beginFrame(header, need);
      break;
    }
    return at;
  }

  #beginFrame(header: Uint8Array, headerLength: number): void {
    const first = header[0] as number;
    const second = header[1] as number;
    this.#opcode = first & 0x0f;
    this.#isFinal = (first & 0x80) !== 0;
    this.#isCompressed = first === this.#deflatedText && first !== FIN_TEXT;
    this.#payloadSeen = 0;
    this.#payloadLength = headerLength === 2 ? second : 0;
    for (let i = 2; i < headerLength; i++) this.#payloadLength = this.#payloadLength * 256 + (header[i] as number);
    const fault = this.#faultOf(first, second);
    if (fault !== undefined) {
      this.#failed = true;
      this.#listener.onInvalid(fault);
      return;
    }
    this.#keeps = this.#opcode >= OPCODE.close ? 'control' : this.#isToKeep() ? 'excerpt' : 'nothing';
    if (this.#keeps !== 'nothing') this.#kept ??= new Uint8Array(EXCERPT_BYTES);
    this.#gapMatched = this.#opcode === OPCODE.text && this.#isFinal && !this.#isCompressed ? 0 : -1;
    this.#inPayload = true;
  }

  #faultOf(first: number, second: number): string | undefined {
    if ((first & 0x70) !== 0 && !this.#isCompressed) return 'a reserved bit is set, though no extension was agreed on';
    if ((second & 0x80) !== 0) return 'a frame from the server is masked';
    if (this.#payloadLength > Number.MAX_SAFE_INTEGER) return 'a frame is longer than can be';
    const opcode = this.#opcode;
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) return 'an opcode is not defined';
    if (opcode >= OPCODE.close) {
      if (this.#payloadLength > CONTROL_BYTES_MAX || !this.#isFinal) return 'a control frame is too long or fragmented';
    } else if ((opcode === OPCODE.continuation) !== this.#fragmented) return 'a fragment is out of place';
    return undefined;
  }

  /** Whether the beginning of a message decides what it is. */
  #isToKeep(): boolean {
    return this.#isNextSample() || (this.#dataHead !== undefined && this.#isFinal && !this.#isCompressed);
  }

  /** Fragments are counted but never sampled. */
  #isNextSample(): boolean {
    return this.#untilSample === 1 && this.#isFinal && !this.#isCompressed && this.#opcode !== OPCODE.continuation;
  }

  /** Once all of a gap's beginning has been seen, it is kept as a sample is. */
  #matchGap(chunk: Uint8Array, from: number, take: number): void {
    const before = this.#gapMatched;
    const end = Math.min(GAP_HEAD.length, before + take);
    if (before === end) return;
    while (this.#gapMatched < end && chunk[from + this.#gapMatched - before] === GAP_HEAD[this.#gapMatched]) {
      this.#gapMatched++;
    }
    if (this.#gapMatched < end) this.#gapMatched = -1;
    if (this.#gapMatched < GAP_HEAD.length || this.#keeps !== 'nothing') return;
    this.#keeps = 'excerpt';
    this.#kept ??= new Uint8Array(EXCERPT_BYTES);
    this.#kept.set(GAP_HEAD);
  }

  /** Copies what of `take` payload bytes belongs to the head or the tail of the excerpt. */
  #keep(chunk: Uint8Array, from: number, take: number): void {
    const kept = this.#kept as Uint8Array;
    const begin = this.#payloadSeen;
    const end = begin + take;
    const headEnd = this.#payloadLength <= EXCERPT_BYTES ? this.#payloadLength : EXCERPT_HEAD_BYTES;
    if (begin < headEnd) kept.set(chunk.subarray(from, from + Math.min(end, headEnd) - begin), begin);
    const tailBegin = Math.max(begin, this.#payloadLength - EXCERPT_TAIL_BYTES);
    if (headEnd < this.#payloadLength && tailBegin < end) {
      const excerptAt = EXCERPT_HEAD_BYTES + tailBegin - (this.#payloadLength - EXCERPT_TAIL_BYTES);
      kept.set(chunk.subarray(from + tailBegin - begin, from + take), excerptAt);
    }
  }

  #endFrame(): void {
    this.#headerLength = 0;
    this.#inPayload = false;
    const kept = this.#kept as Uint8Array;
    if (this.#keeps === 'control') {
      this.#listener.onControl(this.#opcode, kept.subarray(0, this.#payloadLength));
      return;
    }
    this.#fragmented = !this.#isFinal;
    if (!this.#isFinal) return;
    if (this.#gapMatched === GAP_HEAD.length) {
      this.gaps++;
      this.#listener.onGap(kept, 0, Math.min(this.#payloadLength, EXCERPT_BYTES));
      return;
    }
    const excerptEnd = Math.min(this.#payloadLength, EXCERPT_BYTES);
    const isKept = this.#keeps === 'excerpt';
    if (this.#dataHead !== undefined && isKept && !begins(kept, 0, excerptEnd, this.#dataHead)) {
      this.#listener.onOther?.(kept, 0, excerptEnd);
      return;
    }
    this.messages++;
    if (this.#isCompressed) return;
    if (this.#untilSample > 1) {
      this.#untilSample--;
    } else if (isKept) {
      this.#untilSample = this.#sampleEvery;
      this.#listener.onSample(kept, 0, excerptEnd);
    }
  }
}

function begins(bytes: Uint8Array, from: number, to: number, head: Uint8Array): boolean {
  if (to - from < head.length) return false;
  for (let i = 0; i < head.length; i++) if (bytes[from + i] !== head[i]) return false;
  return true;
}
