import { describe, expect, it } from 'vitest';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';
import { ProxyWebSocketOutputChannel } from '../../src/dataflow/proxy-websocket-output-channel.ts';
import { PublicationText } from '../../src/dataflow/publication-text.ts';
import { FrameStage } from '../support/frame-stage.ts';

const TRADE =
  '{"type":"trade","exchange":"binance","symbol":"BTCUSDT","timestamp":1,"data":{"price":1.50,"q":"2","m":true}}';

function scanned(line: string): number {
  return new PublicationText().scan(Buffer.from(`${line}\n`), 0);
}

describe('PublicationText', () => {
  it.each([
    TRADE,
    '{}',
    '{"a":[1,{"b":null}],"ä":"\\n€"}',
    '{"seq":9007199254740991,"epoch":"x"}',
    '{"timestamp":"2024-01-01"}',
  ])('takes a line that is as it goes out: %s', (line) => expect(scanned(line)).toBe(Buffer.byteLength(line)));

  it('ends before a carriage return', () => expect(scanned('{}\r')).toBe(3));

  it.each([
    '',
    '[]',
    '{"a":1',
    '{"a":1}}',
    '{"a":1,}',
    '{"a":01}',
    '{"a":1e999}',
    '{"a":"\t"}',
    '{"a":"\\x"}',
    '{"a":tru}',
    '{ "a":1}',
    '{"\\u0061":1}',
    '{"type":"a","type":"b"}',
    '{"data":{"price":1,"price":2}}',
    '{"type":null}',
    '{"receivedAt":null}',
    '{"timestamp":"1700000000000"}',
    '{"seq":1.5}',
    '{"seq":0}',
    '{"epoch":1}',
    `{"a":${'['.repeat(40)}${']'.repeat(40)}}`,
  ])('leaves to the parser what is anything else: %s', (line) => expect(scanned(line)).toBe(-1));

  it('leaves a line to the parser that is not UTF-8', () => {
    const line = Buffer.from('{"a":"?"}\n');
    line[6] = 0xff;
    expect(new PublicationText().scan(line, 0)).toBe(-1);
  });
});

describe('DataFlowManager.processText', () => {
  async function started() {
    const stage = new FrameStage({ hoists: true });
    const dataFlow = new DataFlowManager();
    dataFlow.registerChannel(new ProxyWebSocketOutputChannel(stage.publisher));
    await dataFlow.start();
    const process = (line: string) => {
      const text = new PublicationText();
      expect(text.scan(Buffer.from(`${line}\n`), 0)).toBeGreaterThan(0);
      return dataFlow.processText(text, 'test', 1, undefined);
    };
    return { stage, dataFlow, process };
  }

  it('parses the first of a topic and copies those that follow, with the fields at the top', async () => {
    const { stage, dataFlow, process } = await started();
    process(TRADE);
    process(TRADE);
    const [first, second] = stage.texts();
    expect(second).toContain(`"payload":${TRADE.slice(0, -1)},"price":"1.5","volume":"2","side":"sell"},"timestamp":`);
    const [one, two] = [first, second].map((text) => JSON.parse(text!));
    expect(two.payload).toEqual(one.payload);
    expect([one.seq, two.seq, two.prevSeq]).toEqual([1, 2, 1]);
    expect(dataFlow.getStats()).toMatchObject({ totalProcessed: 2, totalSent: 2, totalErrors: 0 });
    expect(dataFlow.getTransformerStats().normaliser).toMatchObject({ transformedCount: 2 });
  });

  it('gives listeners, rules, transformers and further channels the publication', async () => {
    const { dataFlow, process } = await started();
    expect(dataFlow.takesTexts).toBe(true);
    const seen: unknown[] = [];
    dataFlow.on('dataProcessed', ({ symbol }) => seen.push(symbol));
    expect(dataFlow.takesTexts).toBe(false);
    process(TRADE);
    dataFlow.removeAllListeners('dataProcessed');
    expect(dataFlow.takesTexts).toBe(true);
    const condition = ({ symbol }: { symbol?: string }) => seen.push(symbol) > 0;
    dataFlow.addRoutingRule({ name: 'r', condition, targetChannels: [], enabled: true, priority: 1 });
    process(TRADE);
    expect(seen).toEqual(['BTCUSDT', 'BTCUSDT']);
    expect(dataFlow.takesTexts).toBe(false);
  });

  it('reads the levels of a book out of each of its lines', async () => {
    const { stage, process } = await started();
    const line = (size: number) =>
      `{"type":"depth","exchange":"e","symbol":"S","data":{"bids":[[1,${size}]],"asks":[],"isSnapshot":${size === 1}}}`;
    for (let size = 1; size <= 3; size++) process(line(size));
    expect(stage.book(0)?.bids).toEqual([[1, 3]]);
  });

  it('refuses after a stop, as processData does', async () => {
    const { dataFlow, process } = await started();
    await dataFlow.stop();
    expect(process(TRADE)).toBe(false);
    expect(dataFlow.getStats().errorsByCode).toEqual({ INVALID_STATE: 1 });
  });
});
