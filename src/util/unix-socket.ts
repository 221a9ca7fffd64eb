import { chmodSync } from 'node:fs';
import net from 'node:net';
import { isMainThread } from 'node:worker_threads';

/** Others on the machine may neither read nor write the socket file. */
const SOCKET_FILE_MODE = 0o600;
const SOCKET_FILE_UMASK = 0o177;

/**
 * Listens on a Unix socket that is this user's alone. `listen` binds a path before it returns, so the file never exists
 * with a wider mode. Only the main thread has a umask. Exclusive: under pm2's cluster mode the socket would otherwise be
 * the cluster's. Errors come as the server's `error` event.
 */
export function listenPrivately(server: net.Server, path: string, options: { backlog?: number } = {}): void {
  const umask = isMainThread ? process.umask(SOCKET_FILE_UMASK) : undefined;
  try {
    server.listen({ path, exclusive: true, ...options });
  } finally {
    if (umask !== undefined) process.umask(umask);
  }
  if (server.listening) chmodSync(path, SOCKET_FILE_MODE);
}

/** Only a refusal says that nobody listens; whatever else happens, the socket is somebody's. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
