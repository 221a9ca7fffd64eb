import { OPCODE } from './frame-scanner.ts';

/** A zero mask is a valid one (RFC 6455 §5.3 asks for surprise, which a benchmark on loopback can do without). */
const MASK_BYTES = 4;

/** A masked frame with `payload`, as clients send them. */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const length = payload.length;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(2 + lengthBytes + MASK_BYTES + length);
  frame[0] = 0x80 | opcode;
  if (lengthBytes === 0) frame[1] = 0x80 | length;
  else if (lengthBytes === 2) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, 2 + lengthBytes + MASK_BYTES);
  return frame;
}

export function textFrame(text: string): Buffer {
  return clientFrame(OPCODE.text, Buffer.from(text));
}

/** @param code a close code that may travel: 1000..1003, 1007..1014, 3000..4999 */
export function closeFrame(code: number): Buffer {
  return clientFrame(OPCODE.close, Uint8Array.of(code >> 8, code & 0xff));
}
