import { expect, it } from 'vitest';
import { DeliveryShard } from '../support/delivery-shard.ts';

const MIB = 1024 * 1024;

/**
 * A client may have been further on with another shard. Then this one reads on first, and what it reads may make the client
 * fall behind; that was not looked at again, and the replay went in front of what was pending already: newer publications of
 * a topic came before older ones.
 */
it('resumes behind what its client falls behind with when the shard reads on for it', async () => {
  const shard = new DeliveryShard({ ringBytes: 8 * MIB, config: { limits: { pendingBytes: 0, pendingMessages: 0 } } });
  const { stage } = shard;
  const client = shard.client();
  client.ask('subscribe', { symbols: 'A' });
  client.socket.shut();
  for (let n = 0; n < 3_000; n++) stage.publish('trade', 'A', 'x'.repeat(500));
  const seq = stage.publish('trade', 'A');
  stage.publish('trade', 'B');
  client.send('subscribe', { symbols: 'B', resume: { epoch: stage.epoch, seq } });
  stage.publish('trade', 'A');
  shard.flush();
  client.socket.open();
  await shard.settle();
  expect(client.problems).toEqual([]);
  expect(client.told('B')).toHaveLength(1);
  expect(client.told('A')).toHaveLength(3_002);
});
