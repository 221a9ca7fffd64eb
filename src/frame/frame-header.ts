/**
 * Frame headers from server to client: never masked, never fragmented, so the same bytes serve every client.
 * RFC 6455 §5.2.
 */
export const TEXT = 0x1;
export const PING = 0x9;
const FINAL = 0x80;
const SHORT_MAX = 125;
const MEDIUM_MAX = 0xffff;

/** Bytes of the header in front of a payload of `payloadBytes` bytes: 2, 4 or 10. */
export function frameHeaderBytes(payloadBytes: number): number {
  if (payloadBytes <= SHORT_MAX) return 2;
  return payloadBytes <= MEDIUM_MAX ? 4 : 10;
}

/** Bytes of the header that a server's frame begins with, at `start`. */
export function frameHeaderLength(bytes: Buffer, start: number): number {
  const length = bytes[start + 1] as number;
  if (length <= SHORT_MAX) return 2;
  return length === SHORT_MAX + 1 ? 4 : 10;
}

/** Writes the header so that it ends where the payload begins, at `payloadAt`. Returns its length. */
export function writeFrameHeader(into: Buffer, payloadAt: number, payloadBytes: number, opcode: number): number {
  const length = frameHeaderBytes(payloadBytes);
  const at = payloadAt - length;
  into[at] = FINAL | opcode;
  if (length === 2) {
    into[at + 1] = payloadBytes;
  } else if (length === 4) {
    into[at + 1] = 126;
    into.writeUInt16BE(payloadBytes, at + 2);
  } else {
    into[at + 1] = 127;
    into.writeUInt32BE(Math.floor(payloadBytes / 2 ** 32), at + 2);
    into.writeUInt32BE(payloadBytes >>> 0, at + 6);
  }
  return length;
}

/** One text frame of its own, such as a reply to a command. */
export function textFrame(text: string): Buffer {
  const payloadBytes = Buffer.byteLength(text);
  const headerBytes = frameHeaderBytes(payloadBytes);
  const frame = Buffer.allocUnsafe(headerBytes + payloadBytes);
  writeFrameHeader(frame, headerBytes, payloadBytes, TEXT);
  frame.write(text, headerBytes);
  return frame;
}
