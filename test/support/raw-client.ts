import { connect, type Socket } from 'node:net';

const PATIENCE_MS = 10_000;

/** The headers of a handshake that is as it should be, with the empty line that ends it. */
export const UPGRADE_HEADERS =
  'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A TCP connection that sends what a test likes, keeps what comes, and closes only when it is told to. */
export class RawClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  /** The gateway has sent its FIN or a reset. */
  ended = false;
  /** The connection is gone on both sides. */
  closed = false;
  readonly #connected: Promise<void>;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
    });
    this.socket.on('error', () => {});
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.ended = true;
      this.closed = true;
    });
    this.#connected = new Promise((resolve) => {
      this.socket.once('connect', () => resolve());
      this.socket.once('close', () => resolve());
    });
  }

  /** Resolves when the TCP connection stands, with `text` sent. */
  static async connected(port: number, text: string | Buffer = ''): Promise<RawClient> {
    const client = new RawClient(port);
    await client.#connected;
    client.socket.write(text);
    return client;
  }

  /** Resolves when the handshake is done; `received` then begins behind it. */
  static async upgraded(port: number, target = '/ws?subscription=none'): Promise<RawClient> {
    const client = await RawClient.connected(port, `GET ${target} HTTP/1.1\r\n${UPGRADE_HEADERS}`);
    await client.until(() => client.text.includes('\r\n\r\n'), 'an answer to the handshake');
    if (!client.text.startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${client.text}`);
    client.received = client.received.subarray(client.text.indexOf('\r\n\r\n') + 4);
    return client;
  }

  /** What came, byte for character. */
  get text(): string {
    return this.received.toString('latin1');
  }

  /** First line of an HTTP answer. */
  get statusLine(): string {
    return this.text.split('\r\n', 1)[0] as string;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  async until(look: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!look()) {
      if (performance.now() > deadline)
        throw new Error(`waited ${PATIENCE_MS} ms for ${what}; got ${this.text.slice(0, 200)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  untilEnded(): Promise<void> {
    return this.until(() => this.ended, 'the end of the connection');
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export interface ClientFrame {
  /** RFC 6455 §5.2; 1 (text) where it is not said. */
  opcode?: number;
  fin?: boolean;
  masked?: boolean;
}

const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/** A frame as a client sends it. */
export function clientFrame(
  payload: string | Buffer,
  { opcode = 1, fin = true, masked = true }: ClientFrame = {},
): Buffer {
  const body = Buffer.from(payload);
  if (masked) for (let i = 0; i < body.length; i++) body[i] = (body[i] as number) ^ (MASK[i % 4] as number);
  const maskBit = masked ? 0x80 : 0;
  let header: Buffer;
  if (body.length < 126) {
    header = Buffer.from([0, maskBit | body.length]);
  } else if (body.length < 65_536) {
    header = Buffer.from([0, maskBit | 126, 0, 0]);
    header.writeUInt16BE(body.length, 2);
  } else {
    header = Buffer.alloc(10);
    header[1] = maskBit | 127;
    header.writeBigUInt64BE(BigInt(body.length), 2);
  }
  header[0] = (fin ? 0x80 : 0) | opcode;
  return masked ? Buffer.concat([header, MASK, body]) : Buffer.concat([header, body]);
}

/** Frames in what a gateway sent, whole ones only: opcode and payload. */
export function framesIn(bytes: Buffer): { opcode: number; payload: Buffer }[] {
  const frames: { opcode: number; payload: Buffer }[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = (bytes[at + 1] as number) & 0x7f;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (start > bytes.length) break;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (start + length > bytes.length) break;
    frames.push({ opcode: (bytes[at] as number) & 0x0f, payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}
