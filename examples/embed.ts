/**
 * Embedding: a gateway inside a program of your own, which publishes what it likes, and an output channel beside the
 * WebSocket one. Run it with `npm run example:embed`, then connect to ws://127.0.0.1:8080/ws.
 */
import { type ChannelStatus, Gateway, type OutputChannel } from 'tickcast';

/** Sees every publication too; here it only counts trades. */
class TradeCounter implements OutputChannel {
  readonly id = 'trade-counter';
  readonly name = 'Trade counter';
  readonly type = 'custom' as const;
  readonly enabled = true;
  trades = 0;

  output(publication: { type?: string }): void {
    if (publication.type === 'trade') this.trades++;
  }

  close(): void {}

  getStatus(): ChannelStatus {
    const { id, name, type, enabled, trades: messagesSent } = this;
    return { id, name, type, enabled, connected: true, messagesSent, errors: 0, lastActivity: 0, health: 'healthy' };
  }
}

const gateway = new Gateway({
  server: { port: Number(process.env.PORT ?? 8080) },
  source: { kind: 'none' },
  log: { level: 'warn' },
});
const counter = new TradeCounter();
gateway.dataFlow.registerChannel(counter);
await gateway.start();
console.log(`ws://127.0.0.1:${gateway.port}/ws`);

let id = 0;
const ticking = setInterval(() => {
  const price = 30_000 + Math.round(Math.random() * 100);
  gateway.processData({
    exchange: 'mine',
    symbol: 'BTC/USDT',
    type: 'trade',
    timestamp: Date.now(),
    data: { id: String(++id), price, quantity: 0.01, side: 'buy' },
  });
}, 100);

process.once('SIGINT', async () => {
  clearInterval(ticking);
  await gateway.stop();
  console.log(`${counter.trades} trades published`);
});
