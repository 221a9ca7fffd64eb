import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

export interface OldServer {
  port: number;
  broadcast(): void;
}

/** The kind of server that Tickcast replaces: it sends everything to everybody, and sends no PINGs. Ends with the test. */
export async function startOldServer(): Promise<OldServer> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/health' ? 200 : 404;
    response.end('{"status":"healthy","service":"old"}');
  });
  const sockets = new WebSocketServer({ server, path: '/ws' });
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.send(JSON.stringify({ type: 'welcome', payload: { server: 'old' }, timestamp: Date.now() }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  let n = 0;
  return {
    port: (server.address() as AddressInfo).port,
    broadcast: () => {
      const text = JSON.stringify({ type: 'trade', payload: { n: ++n }, timestamp: Date.now() });
      for (const socket of sockets.clients) socket.send(text);
    },
  };
}
