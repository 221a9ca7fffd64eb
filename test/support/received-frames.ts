export interface ReceivedFrame {
  opcode: number;
  payload: Buffer;
}

/** The frames that a run of bytes from the gateway holds: unmasked, unfragmented, the last one whole. RFC 6455 §5.2. */
export function framesOf(bytes: Buffer): ReceivedFrame[] {
  const frames: ReceivedFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    if ((bytes.readUInt8(at) & 0xf0) !== 0x80) throw new Error(`byte ${at} begins no final frame`);
    const { payloadAt, length } = readLength(bytes, at);
    const end = payloadAt + length;
    if (end > bytes.length) throw new Error(`the frame at byte ${at} wants ${end - bytes.length} bytes more`);
    frames.push({ opcode: bytes.readUInt8(at) & 0x0f, payload: bytes.subarray(payloadAt, end) });
    at = end;
  }
  return frames;
}

/** Texts of the text frames. */
export function textsOf(bytes: Buffer): string[] {
  return framesOf(bytes)
    .filter(({ opcode }) => opcode === 1)
    .map(({ payload }) => payload.toString());
}

function readLength(bytes: Buffer, at: number): { payloadAt: number; length: number } {
  const short = bytes.readUInt8(at + 1);
  if (short < 126) return { payloadAt: at + 2, length: short };
  if (short === 126) return { payloadAt: at + 4, length: bytes.readUInt16BE(at + 2) };
  return { payloadAt: at + 10, length: Number(bytes.readBigUInt64BE(at + 2)) };
}
