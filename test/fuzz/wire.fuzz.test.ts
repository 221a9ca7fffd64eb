import { expect, it } from 'vitest';
import { readAdmin } from '../support/admin-api.ts';
import { clientFrame, RawClient } from '../support/raw-client.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

const FUZZ_MS = 3_000;
const AT_A_TIME = 8;

const MESSAGES = [
  '{"type":"ping","id":1}',
  '{"type":"subscribe","id":"a","payload":{"exchange":["binance"],"symbols":["BTC/USDT"],"dataTypes":["trade"]}}',
  '{"type":"subscribe","payload":{"channels":["a","b",5]}}',
  '{"type":"unsubscribe","payload":{"filterId":"f"}}',
  '{"type":"unsubscribe"}',
  '{"type":"getStats","id":2}',
  '{"type":"getSubscriptions"}',
  '{"type":"requestSnapshot","payload":{"symbols":["A"]}}',
  '{"action":"subscribe","symbol":"€"}',
  'ping',
];
const OPCODES = [0, 1, 2, 8, 9, 10, 3, 11, 15];

function randomBytes(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** A frame that is right, or nearly. */
function nearlyRight(random: SeededRandom): Buffer {
  const message = MESSAGES[random.below(MESSAGES.length)]!;
  const payload = random.below(4) === 0 ? randomBytes(random, random.below(300)) : Buffer.from(message);
  const opcode = random.below(3) === 0 ? OPCODES[random.below(OPCODES.length)]! : 1;
  const frame = clientFrame(payload, { opcode, fin: random.below(6) > 0, masked: random.below(12) > 0 });
  for (let flips = random.below(3) === 0 ? random.between(1, 4) : 0; flips > 0; flips--) {
    const at = random.below(2) === 0 ? random.below(Math.min(14, frame.length)) : random.below(frame.length);
    frame[at] = (frame[at] as number) ^ (1 << random.below(8));
  }
  return random.below(8) === 0 ? frame.subarray(0, random.below(frame.length + 1)) : frame;
}

/** What one client sends, cut where frames do not end. */
function pieces(random: SeededRandom): Buffer[] {
  const parts = Array.from({ length: random.between(1, 12) }, () =>
    random.below(6) === 0 ? randomBytes(random, random.below(64)) : nearlyRight(random),
  );
  const bytes = Buffer.concat(parts);
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = random.between(1, bytes.length);
    cut.push(bytes.subarray(at, at + length));
    at += length;
  }
  return cut;
}

async function attack(port: number, random: SeededRandom): Promise<RawClient> {
  const client = await RawClient.upgraded(port, random.below(2) === 0 ? '/ws' : '/ws?subscription=none');
  for (const piece of pieces(random)) {
    if (client.closed) break;
    client.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return client;
}

/** Some close as they should, some without a word, some by a reset, some are still there when the others come. */
function leave(client: RawClient, random: SeededRandom): void {
  const how = random.below(3);
  if (how === 0) client.socket.end(clientFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 }));
  else if (how === 1) client.socket.resetAndDestroy();
  else client.destroy();
}

it('a client that sends anything at all hurts no other', async () => {
  const seed = seedOfRun('wire.fuzz');
  const random = new SeededRandom(seed);
  const { gateway, port, lines } = await startGateway({ shards: 2, limits: { commandsPerSecond: 0 } });
  const witnesses = [await TestClient.open(port), await TestClient.open(port), await TestClient.open(port)];
  let published = 0;
  const clients: RawClient[] = [];
  const publishing = setInterval(() => gateway.processData(trade('WITNESS', ++published)), 2);

  const untilMs = performance.now() + FUZZ_MS;
  while (performance.now() < untilMs) {
    clients.push(
      ...(await Promise.all(
        Array.from({ length: AT_A_TIME }, () => attack(port, new SeededRandom(random.below(0x7fff_ffff)))),
      )),
    );
    while (clients.length > 4 * AT_A_TIME) leave(clients.splice(random.below(clients.length), 1)[0]!, random);
  }
  clearInterval(publishing);
  for (const client of clients) client.destroy();

  const expected = Array.from({ length: published }, (_, n) => String(n + 1));
  for (const witness of witnesses) {
    await witness.until(() => witness.data.length >= published, 'every publication');
    expect(witness.data.map(({ payload }) => (payload.data as { id: string }).id)).toEqual(expected);
    expect(witness.strange).toEqual([]);
  }
  const stats = () => readAdmin<Record<string, unknown> & { shards: { restarts: number }[] }>(port, 'stats');
  expect((await stats()).shards.map(({ restarts }) => restarts)).toEqual([0, 0]);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  await expect.poll(async () => (await stats()).activeConnections, { timeout: 10_000 }).toBe(witnesses.length);
  for (const witness of witnesses) await witness.close();
  await expect.poll(async () => (await stats()).totalSubscriptions, { timeout: 10_000 }).toBe(0);
});
