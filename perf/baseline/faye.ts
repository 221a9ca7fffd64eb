/**
 * A broadcast server as one writes it with faye-websocket: as with `ws`, one `send` a client and publication. No
 * compression, which is a package of its own there.
 *
 * use: node perf/baseline/faye.ts and the options of market.ts
 */
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { answer, type Filter, run, subscribed, wants, welcome } from './market.ts';

/** What is used of the package, which has no types. */
interface FayeSocket {
  send(text: string): boolean;
  on(event: 'message', listener: (event: { data: string }) => void): void;
  on(event: 'close', listener: () => void): void;
}
type FayeClass = new (request: IncomingMessage, socket: Duplex, head: Buffer) => FayeSocket;
const FayeWebSocket: FayeClass = createRequire(import.meta.url)('faye-websocket');

/** `undefined`: the client has never sent a filter and gets everything. */
const clients = new Map<FayeSocket, Filter[] | undefined>();

const server = createServer(answer);
server.on('upgrade', (request, stream, head) => {
  const socket = new FayeWebSocket(request, stream, head);
  clients.set(socket, undefined);
  socket.send(JSON.stringify(welcome()));
  socket.on('message', ({ data }) => {
    const { type, payload } = JSON.parse(data);
    if (type !== 'subscribe') return;
    clients.set(socket, [...(clients.get(socket) ?? []), payload]);
    socket.send(JSON.stringify(subscribed(payload)));
  });
  socket.on('close', () => clients.delete(socket));
});

run(server, (message, symbol) => {
  const text = JSON.stringify(message);
  for (const [socket, filters] of clients) if (wants(filters, symbol)) socket.send(text);
});
