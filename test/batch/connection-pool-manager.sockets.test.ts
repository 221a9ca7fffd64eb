import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import { textsOf } from '../support/received-frames.ts';
import { connectionOn } from '../support/test-connection.ts';
import { TestPool } from '../support/test-pool.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
const MIB = 1024 * 1024;

/** A connection of the pool at one end of a TCP connection, and what arrives at the other. */
interface Pair {
  connection: PooledConnection;
  server: Socket;
  client: Socket;
  chunks: Buffer[];
}

async function openPairs(count: number): Promise<Pair[]> {
  const listener = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const pairs: Pair[] = [];
  for (let serial = 1; serial <= count; serial++) {
    const accepted = once(listener, 'connection') as Promise<[Socket]>;
    const client = connect(port, '127.0.0.1');
    const [server] = await accepted;
    const chunks: Buffer[] = [];
    client.on('data', (chunk) => chunks.push(chunk));
    pairs.push({ connection: connectionOn(server, { serial }), server, client, chunks });
  }
  onTestFinished(() => {
    for (const { client, server } of pairs) [client, server].map((socket) => socket.destroy());
    listener.close();
  });
  return pairs;
}

function bytesOf({ chunks }: Pair): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

describe('ConnectionPoolManager on TCP', () => {
  it('gives each of several connections one write a pass, and all of them the same frames', async () => {
    const test = new TestPool();
    const pairs = await openPairs(5);
    for (const { connection } of pairs) test.subscriptions.joinFirehose(connection);
    const writes = pairs.map(({ server }) => vi.spyOn(server, 'write'));
    const texts: string[] = [];
    for (let pass = 0; pass < 20; pass++) {
      for (let i = 0; i < 50; i++) texts.push(`pass ${pass}, frame ${i}`);
      for (const text of texts.slice(-50)) test.publish('A', text);
      test.flushAll();
    }
    for (const write of writes) expect(write).toHaveBeenCalledTimes(20);
    const expected = pairs[0]!.connection.bytesSent;
    await vi.waitFor(() => expect(pairs.map(bytesOf)).toEqual(pairs.map(() => expected)), PATIENCE);
    for (const { chunks } of pairs) expect(textsOf(Buffer.concat(chunks))).toEqual(texts);
    expect(test.statistics.get('messagesForwarded')).toBe(5 * texts.length);
  });

  it('delivers to a peer that stopped reading for a while every byte as it was, though the pool went on meanwhile', async () => {
    const test = new TestPool();
    const [stalled, free] = (await openPairs(2)) as [Pair, Pair];
    for (const { connection } of [stalled, free]) test.subscriptions.joinFirehose(connection);
    stalled.client.pause();
    const texts: string[] = [];
    // Until the kernel takes no more and the socket holds buffers of ours, then some batches on top.
    while (stalled.server.writableLength < 4 * MIB) {
      const text = `${texts.length}:`.padEnd(200_000, String.fromCharCode(97 + (texts.length % 26)));
      texts.push(text);
      test.publish('A', text);
      test.flushAll();
      await vi.waitFor(() => expect(free.server.writableLength).toBe(0), PATIENCE);
      expect(texts.length).toBeLessThan(1_000);
    }
    stalled.client.resume();
    const expected = stalled.connection.bytesSent;
    await vi.waitFor(() => expect([bytesOf(stalled), bytesOf(free)]).toEqual([expected, expected]), PATIENCE);
    for (const { chunks } of [stalled, free]) {
      const received = textsOf(Buffer.concat(chunks));
      expect(received.length).toBe(texts.length);
      for (const [i, text] of received.entries()) expect(text === texts[i]).toBe(true);
    }
  });

  it('does not fail on a peer that has gone', async () => {
    const test = new TestPool();
    const [gone, stayer] = (await openPairs(2)) as [Pair, Pair];
    for (const { connection } of [gone, stayer]) test.subscriptions.joinFirehose(connection);
    gone.server.on('error', () => {});
    gone.client.destroy();
    await vi.waitFor(() => {
      test.publish('A', 'text');
      test.flushAll();
      expect(gone.server.destroyed).toBe(true);
    }, PATIENCE);
    test.publish('A', 'last');
    test.flushAll();
    await vi.waitFor(() => expect(textsOf(Buffer.concat(stayer.chunks)).at(-1)).toBe('last'), PATIENCE);
  });
});
