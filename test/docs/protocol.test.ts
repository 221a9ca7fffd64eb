import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CLOSES } from '../../src/connection/close-codes.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { flush } from '../support/slow-lane.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';
import { DocumentedMessages } from './documented-message.ts';
import { codeOf, type Fence, fencesOf, rowsOf, sectionOf, sectionsOf } from './markdown.ts';
import { textOf } from './repository-files.ts';

const page = textOf('docs/protocol.md');
const KINDS = ['json client', 'json gateway', 'json source'];
/** Examples that other tests run: the page of this file, and what slow clients get. */
const OTHER_KINDS = [
  'js page',
  'json slow source',
  'json slow gateway',
  'json gap',
  'json epoch',
  'json shutdown',
  'json hole',
];
const welcome = fencesOf(sectionOf(page, 'Connecting')).find(({ info }) => info === 'json gateway')!;

/** Sections with examples: they are one exchange each, with a gateway and a connection of its own. */
const exchanges = sectionsOf(page)
  .map(({ heading, text }) => [heading, fencesOf(text).filter(({ info }) => KINDS.includes(info))] as const)
  .filter(([, steps]) => steps.length > 0);

/** Does what the examples of a section say, in order; every message of the gateway has to be the next example's. */
async function run(steps: readonly Fence[]): Promise<void> {
  const { port, publish } = await startGateway();
  const client = await TestClient.open(port, '/ws?subscription=none');
  const documented = new DocumentedMessages();
  let seen = 0;
  for (const { info, text } of [welcome, ...steps.filter((step) => step.text !== welcome.text)]) {
    if (info === 'json client') client.send(documented.withActualNames(text));
    else if (info === 'json source') {
      publish(JSON.parse(text) as Publication);
      await flush(port);
    } else {
      const message = await client.until(() => client.received[seen], `what is documented as ${text}`);
      expect(documented.differences(JSON.parse(text), message)).toEqual([]);
      seen++;
    }
  }
  await client.settle();
  expect(client.received.slice(seen).map(({ type }) => type)).toEqual(['pong']);
  await client.close();
}

describe('docs/protocol.md', () => {
  it('has examples that a test can run, and no others', () => {
    expect(exchanges.length).toBeGreaterThan(10);
    expect(fencesOf(page).filter(({ info }) => ![...KINDS, ...OTHER_KINDS].includes(info))).toEqual([]);
  });

  it.each(exchanges)('is answered as it says: %s', async (_heading, steps) => {
    await run(steps);
  });

  it('has an example for each request that the gateway knows', () => {
    const commands = textOf('src/connection/commands.ts');
    const known = [...commands.matchAll(/^ +case '(\w+)':$|^ {2}(\w+): \{ name: '/gm)].map(([, a, b]) => a ?? b);
    expect(known.length).toBeGreaterThan(5);
    const shown = fencesOf(page)
      .filter(({ info }) => info === 'json client')
      .map(({ text }) => (JSON.parse(text) as { type?: string }).type);
    const silent = ['pong'];
    expect(known.filter((type) => !silent.includes(type!) && !shown.includes(type))).toEqual([]);
  });

  it('matches as the table of filters says', async () => {
    const cases = rowsOf(sectionOf(page, 'Filters')).filter((row) => row[0]!.startsWith('`{'));
    expect(new Set(cases.map((row) => row[2]))).toEqual(new Set(['yes', 'no']));
    const { port, publish } = await startGateway();
    for (const [filter, publication, matches] of cases) {
      const client = await TestClient.open(port, '/ws?subscription=none');
      await client.ask({ type: 'subscribe', payload: JSON.parse(codeOf(filter!)) });
      await client.ask({ type: 'subscribe', payload: { symbols: ['LAST'] } });
      publish(JSON.parse(codeOf(publication!)) as Publication, trade('LAST'));
      await client.until(() => client.data.some(({ payload }) => payload.symbol === 'LAST'), 'the last publication');
      expect([filter, publication, client.data.length === 2 ? 'yes' : 'no']).toEqual([filter, publication, matches]);
      await client.close();
    }
  });
});

describe('the page in ten lines', () => {
  const script = fencesOf(page).find(({ info }) => info === 'js page')!.text;

  it('shows the trades it has asked for, and no others', async () => {
    const { port, publish } = await startGateway();
    const lines: unknown[][] = [];
    let socket: WebSocket | undefined;
    class Socket extends WebSocket {
      constructor(url: string) {
        super(url);
        socket = this;
      }
    }
    runInNewContext(script, {
      location: { host: `127.0.0.1:${port}` },
      WebSocket: Socket,
      console: { log: (...values: unknown[]) => lines.push(values) },
      setTimeout: () => 0,
    });
    await expect
      .poll(
        () => {
          publish(trade('OTHER'), trade('SYM0', 5));
          return lines.length;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0);
    expect(lines[0]).toEqual(['SYM0', '105', '1', 'buy']);
    expect(new Set(lines.map(([symbol]) => symbol))).toEqual(new Set(['SYM0']));
    socket!.close();
  });

  it.each(CLOSES.map(({ name, code, reconnect }) => [name, code, reconnect] as const))(
    'comes back after a close where the table says so: %s, %i: %s',
    (_name, code, reconnect) => {
      const pauses: number[] = [];
      const sockets: { onclose?: (event: { code: number }) => void }[] = [];
      runInNewContext(script, {
        location: { host: 'example.test' },
        WebSocket: function Socket(this: object) {
          sockets.push(this);
        },
        setTimeout: (_connect: () => void, ms: number) => pauses.push(ms),
      });
      sockets[0]!.onclose!({ code });
      sockets[0]!.onclose!({ code });
      if (reconnect === 'no') expect(pauses).toEqual([]);
      else expect(pauses[1]).toBeGreaterThan(pauses[0]!);
    },
  );
});
