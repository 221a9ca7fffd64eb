/**
 * The process that the gateway under test runs in, and its source: a made-up market at full rate, so that its shards and clients
 * do not wait for each other. Started by `gateway-under-test.ts` only; told what to do over the IPC channel.
 */
import { Gateway } from '../../src/gateway.ts';
import { errorMessage } from '../../src/util/errors.ts';
import type { FromGateway, ToGateway } from './gateway-messages.ts';
import { Market } from './market.ts';
import { PacedPublisher } from './paced-publisher.ts';
import { FAILING_SHARD, orderShard } from './shard-orders.ts';

let publisher: PacedPublisher | undefined;

process.on('message', (message: ToGateway) => {
  void obey(message).catch((thrown) => tell({ kind: 'failed', message: errorMessage(thrown) }));
});
// A gateway without its harness would go on loading the machine.
process.on('disconnect', () => process.exit(0));

async function obey(message: ToGateway): Promise<void> {
  switch (message.kind) {
    case 'start':
      return start(message);
    case 'publish':
      publisher?.start(message.pace);
      return;
    case 'pause':
      publisher?.pause();
      return tell({ kind: 'paused', total: publisher?.total ?? 0 });
    case 'fail':
      return orderShard(message.order);
  }
}

async function start({ options, market: marketOptions }: Extract<ToGateway, { kind: 'start' }>): Promise<void> {
  const gateway = new Gateway(options, { shardFile: FAILING_SHARD });
  await gateway.start();
  const market = new Market(marketOptions);
  publisher = new PacedPublisher(() => {
    if (!gateway.processData(market.next().publication)) throw new Error('a publication was refused');
  });
  tell({ kind: 'started', port: gateway.port, shards: gateway.config.shards as number });
}

function tell(message: FromGateway): void {
  process.send?.(message);
}
