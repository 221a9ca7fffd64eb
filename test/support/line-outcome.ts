import { PassThrough } from 'node:stream';
import { expect, vi } from 'vitest';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';
import { ProxyWebSocketOutputChannel } from '../../src/dataflow/proxy-websocket-output-channel.ts';
import { NdjsonSource } from '../../src/source/ndjson.ts';
import type { SourceSink, TextSink } from '../../src/source/source.ts';
import { FrameStage } from './frame-stage.ts';

/** What becomes of lines: frames as a client reads them, and what is counted and told. */
export async function outcomeOf(lines: readonly string[], cuts: readonly number[], asText: boolean, lineBytes = 400) {
  const stage = new FrameStage({ hoists: true, ringBytes: 2 ** 24, payloadBytesMax: 100_000 });
  const dataFlow = new DataFlowManager();
  dataFlow.registerChannel(new ProxyWebSocketOutputChannel(stage.publisher));
  await dataFlow.start();
  const problems: unknown[] = [];
  let ended = false;
  let texts = 0;
  const sink: SourceSink & Partial<TextSink> = {
    publish: (publication, _dueUs, number) => void dataFlow.processData(publication, 'test', 1, number),
    congested: () => false,
    reject: (problem) => problems.push(problem),
    ended: () => {
      ended = true;
    },
    failed: (error) => problems.push(error),
  };
  if (asText) {
    sink.takesTexts = () => dataFlow.takesTexts;
    sink.publishText = (found, _dueUs, number) => {
      const parse = vi.spyOn(found, 'parse');
      dataFlow.processText(found, 'test', 1, number);
      if (parse.mock.calls.length === 0) texts++;
      parse.mockRestore();
    };
  }
  const stream = new PassThrough();
  const options = { port: 0, path: '', connect: '', numbering: '', lineBytes, connections: 1 };
  const source = new NdjsonSource(options, stream);
  await source.start(sink);
  const bytes = Buffer.from(lines.join('\n'));
  let begin = 0;
  for (const end of [...cuts].filter((cut) => cut < bytes.length).sort((a, b) => a - b)) {
    stream.write(bytes.subarray(begin, end));
    begin = end;
  }
  stream.end(bytes.subarray(begin));
  await vi.waitFor(() => expect(ended).toBe(true), { timeout: 20_000, interval: 1 });
  const frames = stage.frames().map((frame) => ({ ...frame, timestamp: 0 }));
  const { totalProcessed, totalSent, errorsByCode } = dataFlow.getStats();
  const { published, rejected } = source.getState();
  return { texts, told: { frames, problems, totalProcessed, totalSent, errorsByCode, published, rejected } };
}

/** -0 is 0 where JavaScript prints it. */
export function asRead(told: unknown): unknown {
  return JSON.parse(JSON.stringify(told));
}
