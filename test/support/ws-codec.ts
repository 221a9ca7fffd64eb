import { EventEmitter, once } from 'node:events';
import type { Writable } from 'node:stream';
import * as ws from 'ws';

/** The parts of the ws package that its types leave out: how a client reads frames, how a server writes them. */
interface Codec {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable;
  Sender: new (socket: unknown) => { send(data: Buffer, options: object, done?: () => void): void };
}

const { Receiver, Sender } = ws as unknown as Codec;

/** What a client makes of these bytes: the text messages in them. Throws what the client would fail with. */
export async function decodeAsClient(bytes: Buffer, messages: number): Promise<string[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 });
  const texts: string[] = [];
  const all = new EventEmitter();
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return void all.emit('error', new Error('a binary message'));
    texts.push(data.toString('utf8'));
    if (texts.length === messages) all.emit('all');
  });
  receiver.on('error', (error) => all.emit('error', error));
  const done = once(all, 'all');
  receiver.write(bytes);
  await done;
  return texts;
}

/** The bytes of one text frame as a server made by the ws package sends it. */
export function encodeAsServer(payload: Buffer): Buffer {
  return Buffer.concat(chunksOfServer(payload));
}

/** Only what stands in front of the payload. */
export function headerOfServer(payload: Buffer): Buffer {
  const chunks = chunksOfServer(payload);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return (chunks[0] as Buffer).subarray(0, bytes - payload.length);
}

function chunksOfServer(payload: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  const socket = { cork() {}, uncork() {}, write: (chunk: Buffer) => chunks.push(chunk) };
  new Sender(socket).send(payload, { fin: true, binary: false, compress: false, mask: false });
  return chunks;
}
