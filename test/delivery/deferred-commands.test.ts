import { expect, it, vi } from 'vitest';
import { DeliveryShard } from '../support/delivery-shard.ts';

function spend(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

/**
 * All commands that had waited for a connection were run in one go: two hundred resumes, each of which reads the sequence
 * index, kept the shard from its live clients for seconds.
 */
it('runs commands that have waited in turns, one at a time and in their order', async () => {
  const shard = new DeliveryShard();
  const { delivery, stage } = shard;
  const client = shard.client();
  for (let n = 0; n < 10; n++) stage.publish('trade', 'A');
  shard.flush();
  client.socket.shut();
  client.send('subscribe', { symbols: 'A', resume: { epoch: stage.epoch, seq: 0 } });
  const run: number[] = [];
  for (let n = 0; n < 20; n++) {
    const command = () => {
      if (delivery.isDeferred(client.connection, undefined, command)) return;
      spend(3);
      run.push(n);
    };
    command();
  }
  await shard.turns(5);
  expect(run).toEqual([]);
  client.socket.open();
  let most = 0;
  for (let turn = 0; turn < 100 && run.length < 20; turn++) {
    const before = run.length;
    await shard.turns();
    most = Math.max(most, run.length - before);
  }
  expect(run).toEqual(Array.from({ length: 20 }, (_, n) => n));
  expect(most).toBeLessThanOrEqual(2);
});

/** Of clients that came back at the same time those with a resume took turns, but not those with a snapshot. */
it('lets subscriptions that begin with a snapshot take turns', async () => {
  const shard = new DeliveryShard();
  shard.stage.publish('trade', 'A');
  shard.flush();
  const { catalog } = shard.delivery;
  const matching = catalog.matching.bind(catalog);
  vi.spyOn(catalog, 'matching').mockImplementation((terms) => {
    spend(3);
    return matching(terms);
  });
  const [first, second] = [shard.client(), shard.client()];
  first.ask('subscribe', { snapshot: true });
  const id = second.send('subscribe', { snapshot: true });
  expect(second.reply(id)).toBeUndefined();
  await shard.settle();
  expect(second.reply(id)).toMatchObject({ snapshot: { topics: 1, missing: 0 } });
  expect([first.told(), second.told()].map(({ length }) => length)).toEqual([1, 1]);
  expect([first, second].flatMap(({ problems }) => problems)).toEqual([]);
});
