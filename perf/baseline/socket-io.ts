/**
 * A broadcast server as one writes it with Socket.IO: a room for each symbol and one for everything, an `emit` to the
 * rooms of a publication. Its adapter makes the packet once for all members. WebSocket only, no compression, which is how
 * it comes.
 *
 * use: node perf/baseline/socket-io.ts and the options of market.ts
 */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { answer, type Filter, run, subscribed, welcome } from './market.ts';

const EVERYTHING = 'everything';

const server = createServer(answer);
const io = new Server(server, { transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  socket.emit('welcome', welcome());
  socket.on('subscribe', ({ payload }: { payload: Filter }) => {
    socket.join(payload.symbols?.length ? payload.symbols : EVERYTHING);
    socket.emit('subscribed', subscribed(payload));
  });
});

run(server, (message, symbol) => {
  io.to([EVERYTHING, symbol]).emit('trade', message);
});
