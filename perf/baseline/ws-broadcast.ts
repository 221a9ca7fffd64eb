/**
 * What Tickcast is compared with: a broadcast server as one writes it with `ws` in an afternoon. One thread, one
 * `send` a client and publication, a look at every client's filters for each. With `--deflate`, `ws` compresses with its
 * own permessage-deflate, a stream a client, with the settings that it comes with.
 *
 * use: node perf/baseline/ws-broadcast.ts [--deflate] and the options of market.ts
 */
import { createServer } from 'node:http';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { answer, type Filter, isDeflating, run, subscribed, wants, welcome } from './market.ts';

/** No entry: the client has never sent a filter and gets everything. */
const filtersOf = new Map<WebSocket, Filter[]>();

const server = createServer(answer);
const sockets = new WebSocketServer({ server, path: '/ws', perMessageDeflate: isDeflating });
sockets.on('connection', (socket) => {
  socket.send(JSON.stringify(welcome()));
  socket.on('message', (data) => onMessage(socket, data));
  socket.on('close', () => filtersOf.delete(socket));
  socket.on('error', () => socket.terminate());
});

function onMessage(socket: WebSocket, data: RawData): void {
  const message = JSON.parse(data.toString());
  if (message.type !== 'subscribe') return;
  filtersOf.set(socket, [...(filtersOf.get(socket) ?? []), message.payload]);
  socket.send(JSON.stringify(subscribed(message.payload)));
}

run(server, (message, symbol) => {
  const text = JSON.stringify(message);
  for (const socket of sockets.clients) {
    if (socket.readyState === socket.OPEN && wants(filtersOf.get(socket), symbol)) socket.send(text);
  }
});
