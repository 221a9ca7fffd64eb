import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';

/** One message as a client gets it. */
export interface InflatedFrame {
  text: string;
  isCompressed: boolean;
}

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const RSV1 = 0x40;
const TEXT = 0x81;

/**
 * What a client that has negotiated permessage-deflate makes of these bytes, with one context for all of them. Throws on
 * anything but whole, unmasked text frames, and on data that such a client cannot inflate.
 * @param windowBits what it inflates with; 0: it has not negotiated
 */
export async function inflateFrames(bytes: Buffer, windowBits: number): Promise<InflatedFrame[]> {
  const inflate = windowBits === 0 ? undefined : createInflateRaw({ windowBits });
  const frames: InflatedFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number;
    const { payloadAt, payloadBytes } = sizeAt(bytes, at);
    const payload = bytes.subarray(payloadAt, payloadAt + payloadBytes);
    if ((first & ~RSV1) !== TEXT || payload.length !== payloadBytes) throw new Error(`no text frame at ${at}`);
    const isCompressed = first !== TEXT;
    if (isCompressed && inflate === undefined) throw new Error('a compressed frame for a client that did not ask');
    const plain = isCompressed ? await inflateOne(inflate!, payload) : payload;
    frames.push({ text: plain.toString('utf8'), isCompressed });
    at = payloadAt + payloadBytes;
  }
  inflate?.close();
  return frames;
}

function sizeAt(bytes: Buffer, at: number): { payloadAt: number; payloadBytes: number } {
  const length = bytes[at + 1] as number;
  if (length < 126) return { payloadAt: at + 2, payloadBytes: length };
  if (length === 126) return { payloadAt: at + 4, payloadBytes: bytes.readUInt16BE(at + 2) };
  return { payloadAt: at + 10, payloadBytes: Number(bytes.readBigUInt64BE(at + 2)) };
}

function inflateOne(inflate: InflateRaw, payload: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    inflate.removeAllListeners('data').removeAllListeners('error');
    inflate.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject);
    inflate.write(payload);
    inflate.write(TAIL);
    inflate.flush(constants.Z_SYNC_FLUSH, () => resolve(Buffer.concat(pieces)));
  });
}
