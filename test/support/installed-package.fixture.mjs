// A program in plain JavaScript that has installed the package: publishes one trade and prints what a client gets.
import { Gateway, VERSION } from 'tickcast';

const gateway = new Gateway({ server: { port: 0 }, source: { kind: 'none' }, log: { level: 'silent' } });
await gateway.start();
const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
socket.onmessage = ({ data }) => {
  const { type, payload } = JSON.parse(data);
  if (type === 'welcome') gateway.processData({ exchange: 'x', symbol: 'Y', type: 'trade', data: { price: 1 } });
  if (type !== 'trade') return;
  process.stdout.write(`${VERSION} ${payload.symbol} ${payload.price}\n`);
  void gateway.stop();
};
