import { expect, it } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import { textOfFrame } from '../../src/delivery/frame-tail.ts';
import { gapFrame } from '../../src/delivery/gap.ts';
import type { DropReason } from '../../src/telemetry/drop-reasons.ts';
import { fillUntilBehind } from '../support/slow-lane.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway } from '../support/test-gateway.ts';
import { DocumentedMessages } from './documented-message.ts';
import { fencesOf, sectionOf } from './markdown.ts';
import { textOf } from './repository-files.ts';

const page = textOf('docs/protocol.md');

interface Documented {
  [key: string]: unknown;
  payload: Record<string, unknown>;
}

/** Examples of a section, a message a line. */
function linesOf(heading: string, info: string): Documented[] {
  const fences = fencesOf(sectionOf(page, heading)).filter((fence) => fence.info === info);
  return fences.flatMap(({ text }) => text.trim().split('\n')).map((line) => JSON.parse(line) as Documented);
}

/** What the page calls seq 97, 98 and, of the first publication that the client does not read, 101. */
function withActualNumbers(documented: Documented, ticker: number, trade: number, first: number): Documented {
  const actual = new Map([
    [97, ticker],
    [98, trade],
    ...[100, 101, 102, 103].map((seq) => [seq, seq - 101 + first] as const),
  ]);
  const numbers = ['seq', 'prevSeq', 'resumeSeq'].filter((key) => key in documented);
  return { ...documented, ...Object.fromEntries(numbers.map((key) => [key, actual.get(documented[key] as number)])) };
}

it('what the protocol shows of a slow client is what such a client gets', async () => {
  const gateway = await startGateway({ ring: { bytes: 32 * 1024 * 1024 } });
  const client = await TestClient.open(gateway.port, '/ws?subscription=none');
  await client.ask({ type: 'subscribe', payload: {} });
  const sources = linesOf('Slow clients', 'json slow source') as unknown as Publication[];
  gateway.publish(sources[0]!, sources[1]!);
  const [ticker, trade] = await client.until(() => client.data.length === 2 && client.data, 'what it reads');
  client.socket.pause();
  const filling = await fillUntilBehind(gateway, 'FILLING');
  gateway.publish(...sources);
  client.socket.resume();
  const documented = linesOf('Slow clients', 'json slow gateway');
  const ofExample = () => client.data.filter(({ payload }) => payload.symbol === 'X').slice(2);
  await client.until(() => ofExample().length === documented.length, 'what it reads late');
  for (const [at, message] of ofExample().entries()) {
    const expected = withActualNumbers(documented[at]!, ticker!.seq!, trade!.seq!, 3 + filling);
    expect(new DocumentedMessages().differences(expected, message)).toEqual([]);
    expect(Object.keys(message)).toEqual(Object.keys(documented[at]!));
  }
});

it('a gap message has the fields that the protocol shows, in their order', () => {
  const documented = JSON.parse(fencesOf(sectionOf(page, 'Gaps'))[0]!.text) as Documented;
  const { exchange, symbol, dataType, reason, ...numbers } = documented.payload;
  const { fromSeq, toSeq, count } = numbers as { fromSeq: number; toSeq: number; count: number };
  const gap = { topic: 0, slot: 0, fromSeq, toSeq, count, reason: reason as DropReason };
  const frame = gapFrame(gap, { exchange, symbol, dataType } as { exchange: string; symbol: string; dataType: string });
  const sent = JSON.parse(textOfFrame(frame, 0, frame.length)) as Documented;
  expect(new DocumentedMessages().differences(documented, sent)).toEqual([]);
  expect([Object.keys(sent), Object.keys(sent.payload)]).toEqual([
    Object.keys(documented),
    Object.keys(documented.payload),
  ]);
});
