import { lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { errorMessage, TickcastError } from '../util/errors.ts';
import { isListening, listenPrivately } from '../util/unix-socket.ts';

const LOOPBACK = '127.0.0.1';

/** Begins to accept on a loopback TCP port. @throws TickcastError PORT_IN_USE, PORT_REFUSED */
export async function listenOnPort(port: number, onConnection: (socket: net.Socket) => void): Promise<net.Server> {
  const server = net.createServer(onConnection);
  try {
    // Exclusive: under a cluster the socket would otherwise be the cluster's, shared with instances that do not read it.
    await listening(server, () => server.listen({ port, host: LOOPBACK, exclusive: true }));
  } catch (thrown) {
    const inUse = (thrown as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const message = `Cannot listen on source.ndjson.port ${port}: ${errorMessage(thrown)}`;
    throw new TickcastError(inUse ? 'PORT_IN_USE' : 'PORT_REFUSED', message, { port }, thrown);
  }
  return server;
}

/**
 * Begins to accept on a Unix socket. A socket file that nobody listens on any more is removed first; any other file is
 * left alone. Closing the server removes the file.
 * @throws TickcastError SOURCE_FAILED
 */
export async function listenOnPath(path: string, onConnection: (socket: net.Socket) => void): Promise<net.Server> {
  const server = net.createServer(onConnection);
  try {
    await removeStaleSocket(path);
    await listening(server, () => listenPrivately(server, path));
  } catch (thrown) {
    server.close();
    const message = `Cannot listen on source.ndjson.path ${path}: ${errorMessage(thrown)}`;
    throw new TickcastError('SOURCE_FAILED', message, { path }, thrown);
  }
  return server;
}

function listening(server: net.Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listen();
  });
}

async function removeStaleSocket(path: string): Promise<void> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file === undefined) return;
  if (!file.isSocket()) throw new Error('there is a file of that name which is not a socket');
  if (await isListening(path)) throw new Error('another program listens there');
  unlinkSync(path);
}
