import { frameHeaderBytes, frameHeaderLength, TEXT, writeFrameHeader } from '../frame/frame-header.ts';

/** How a frame ends for one client: where it links to, and what it stands for. */
export interface FrameTail {
  /** The client's own last seq of the topic; 0: a chain begins. */
  readonly prevSeq: number;
  /** Further publications that it stands for. */
  readonly merged?: number;
  readonly snapshot?: boolean;
  /** Where to resume from while this is the last frame: something older is still to come. */
  readonly resumeSeq?: number;
}

const COLON = 0x3a;

/**
 * A copy of the data frame [start, end) of `bytes` with another end. Nothing of it is parsed: a frame ends with
 * `"prevSeq":N}`, so what stands behind its last colon is replaced.
 */
export function withTail(bytes: Buffer, start: number, end: number, tail: FrameTail): Buffer {
  const text = tailText(tail);
  const kept = bytes.lastIndexOf(COLON, end - 1) + 1;
  const payloadAt = start + frameHeaderLength(bytes, start);
  const payloadBytes = kept - payloadAt + text.length;
  const headerBytes = frameHeaderBytes(payloadBytes);
  const frame = Buffer.allocUnsafe(headerBytes + payloadBytes);
  writeFrameHeader(frame, headerBytes, payloadBytes, TEXT);
  bytes.copy(frame, headerBytes, payloadAt, kept);
  frame.write(text, headerBytes + kept - payloadAt, 'latin1');
  return frame;
}

/** The text of the frame [start, end) of `bytes`. */
export function textOfFrame(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start + frameHeaderLength(bytes, start), end);
}

function tailText({ prevSeq, merged = 0, snapshot = false, resumeSeq }: FrameTail): string {
  let text = `${prevSeq}`;
  if (merged > 0) text += `,"merged":${merged}`;
  if (snapshot) text += ',"snapshot":true';
  if (resumeSeq !== undefined) text += `,"resumeSeq":${resumeSeq}`;
  return `${text}}`;
}
