import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import type { Source, SourceSink, SourceState } from '../../src/source/source.ts';
import { SourceRunner } from '../../src/source/source-runner.ts';
import { type CollectedLine, collectingLogger } from '../support/collected-lines.ts';

/** A source that does what the test says, and remembers the sink of each start. */
class ScriptedSource implements Source {
  readonly name = 'scripted';
  readonly sinks: SourceSink[] = [];
  stops = 0;
  onStart: () => void | Promise<void> = () => {};
  onStop: () => void | Promise<void> = () => {};

  start(sink: SourceSink): void | Promise<void> {
    this.sinks.push(sink);
    return this.onStart();
  }

  stop(): void | Promise<void> {
    this.stops++;
    return this.onStop();
  }

  getState(): SourceState {
    return { name: this.name, status: 'active', published: 3, bytesRead: 4, rejected: 5, lastPublicationMs: 6 };
  }

  get sink(): SourceSink {
    return this.sinks.at(-1) as SourceSink;
  }
}

let source: ScriptedSource;
let runner: SourceRunner;
let lines: CollectedLine[];
let published: [Publication, number][];
let congested: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  published = [];
  congested = false;
  source = new ScriptedSource();
  const logger = collectingLogger();
  lines = logger.lines;
  runner = new SourceRunner(source, {
    publish: (publication, dueUs) => published.push([publication, dueUs]),
    publishText: () => {},
    takesTexts: () => false,
    congested: () => congested,
    logger,
    restartDelayMs: 100,
    restartDelayMaxMs: 1_000,
  });
});

afterEach(async () => {
  source.onStop = () => {};
  await runner.stop();
  vi.useRealTimers();
});

const logged = (message: string) => lines.filter((line) => line.message === message);
const settle = () => vi.advanceTimersByTimeAsync(0);

async function start(): Promise<void> {
  runner.start();
  await settle();
}

/** Lets the source fail, and returns how long it takes until it is started again. */
async function restartDelayMs(): Promise<number> {
  const starts = source.sinks.length;
  source.sink.failed(new Error('broken'));
  await settle();
  for (let ms = 0; ms < 5_000; ms += 50) {
    if (source.sinks.length > starts) return ms;
    await vi.advanceTimersByTimeAsync(50);
  }
  return Number.POSITIVE_INFINITY;
}

describe('SourceRunner', () => {
  it('passes publications on with when they were due, which is now where the source does not say', async () => {
    await start();
    const publication = { type: 'trade' };
    source.sink.publish(publication, 123);
    source.sink.publish(publication);
    expect(published[0]).toEqual([publication, 123]);
    expect(published[0]?.[0]).toBe(publication);
    expect(Math.abs((published[1]?.[1] as number) - Date.now() * 1_000)).toBeLessThan(5_000_000);
  });

  it('tells the source whether to wait', async () => {
    await start();
    expect(source.sink.congested()).toBe(false);
    congested = true;
    expect(source.sink.congested()).toBe(true);
  });

  it("reports the source's figures with its own view of the status", async () => {
    expect(runner.getState().status).toBe('idle');
    await start();
    expect(runner.getState()).toEqual({
      name: 'scripted',
      status: 'active',
      published: 3,
      bytesRead: 4,
      rejected: 5,
      lastPublicationMs: 6,
      restarts: 0,
    });
    expect(logged('Source started')).toHaveLength(1);
  });

  it('starts once', async () => {
    await start();
    expect(() => runner.start()).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    expect(source.sinks).toHaveLength(1);
  });

  it('restarts a source that failed, with pauses that double up to the longest', async () => {
    await start();
    const delays = [];
    for (let failure = 0; failure < 6; failure++) delays.push(await restartDelayMs());
    expect(delays).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(source.stops).toBe(6);
    expect(runner.getState()).toMatchObject({ status: 'active', restarts: 6 });
  });

  it('begins with the short pause again when the source has published for a while', async () => {
    await start();
    await restartDelayMs();
    await restartDelayMs();
    source.sink.publish({});
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await restartDelayMs()).toBe(100);
  });

  it('keeps doubling for a source that starts but never publishes', async () => {
    await start();
    await restartDelayMs();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await restartDelayMs()).toBe(200);
  });

  it('restarts a source that did not start, whether it threw or rejected', async () => {
    source.onStart = () => {
      throw new Error('no file');
    };
    await start();
    expect(runner.getState()).toMatchObject({ status: 'failed', lastError: { message: 'no file' } });
    source.onStart = () => Promise.reject(new Error('no port'));
    await vi.advanceTimersByTimeAsync(100);
    expect(runner.getState()).toMatchObject({ status: 'failed', lastError: { message: 'no port' } });
    source.onStart = () => {};
    await vi.advanceTimersByTimeAsync(200);
    expect(runner.getState()).toMatchObject({ status: 'active', restarts: 2 });
    expect(logged('Source failed').map(({ level, fields }) => [level, fields.restartInMs])).toEqual([
      ['error', 100],
      ['error', 200],
    ]);
  });

  it('takes nothing from a source that has failed', async () => {
    await start();
    const dead = source.sink;
    dead.failed(new Error('broken'));
    dead.publish({});
    dead.failed(new Error('again'));
    dead.ended();
    await vi.advanceTimersByTimeAsync(1_000);
    dead.publish({});
    expect(published).toEqual([]);
    expect(logged('Source failed')).toHaveLength(1);
    expect(runner.getState().status).toBe('active');
  });

  it('does not restart a source that has ended', async () => {
    await start();
    source.sink.ended();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runner.getState().status).toBe('ended');
    expect(source.sinks).toHaveLength(1);
    expect(source.stops).toBe(1);
    expect(logged('Source ended')[0]?.fields).toMatchObject({ published: 3, rejected: 5 });
  });

  it('takes an end within the start for an end', async () => {
    source.onStart = () => source.sink.ended();
    await start();
    expect(runner.getState().status).toBe('ended');
  });

  it('stops the source and takes nothing from it any more', async () => {
    await start();
    const stopping = runner.stop();
    source.sink.publish({});
    await stopping;
    await runner.stop();
    expect(published).toEqual([]);
    expect(source.stops).toBe(1);
    expect(runner.getState().status).toBe('stopped');
  });

  it('does not restart after a stop', async () => {
    await start();
    source.sink.failed(new Error('broken'));
    await runner.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(source.sinks).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops in bounded time whatever the source does', async () => {
    await start();
    source.onStop = () => new Promise(() => {});
    const stopped = vi.fn();
    void runner.stop().then(stopped);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stopped).toHaveBeenCalled();
    expect(logged('Source did not stop in time')).toHaveLength(1);
  });

  it('stops a source whose stop throws', async () => {
    await start();
    source.onStop = () => {
      throw new Error('stuck');
    };
    await runner.stop();
    expect(logged('Source stop failed')).toHaveLength(1);
  });

  it('stops a source that is still starting', async () => {
    source.onStart = () => new Promise(() => {});
    await start();
    expect(runner.getState().status).toBe('starting');
    await runner.stop();
    expect(source.stops).toBe(1);
  });

  it('has nothing to stop before the start', async () => {
    await runner.stop();
    expect(source.stops).toBe(0);
  });

  it('starts again after a stop', async () => {
    await start();
    await runner.stop();
    await start();
    expect(runner.getState().status).toBe('active');
    await runner.stop();
    expect(source.stops).toBe(2);
  });

  it('logs ten rejects in full, then a count every ten seconds', async () => {
    await start();
    for (let line = 1; line <= 25; line++) {
      source.sink.reject({ code: 'SOURCE_LINE_INVALID', message: `Line ${line} is bad`, detail: { line } });
    }
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(10);
    expect(logged('Line 1 is bad')[0]?.fields).toEqual({ source: 'scripted', code: 'SOURCE_LINE_INVALID', line: 1 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(logged('Source input rejected')).toMatchObject([{ level: 'warn', fields: { rejected: 15 } }]);
    source.sink.reject({ code: 'SOURCE_LINE_INVALID', message: 'still bad' });
    expect(logged('still bad')).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(logged('Source input rejected')).toHaveLength(2);
  });

  it('logs rejects in full again after a quiet while', async () => {
    await start();
    for (let line = 0; line < 11; line++) source.sink.reject({ code: 'X', message: 'bad' });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(vi.getTimerCount()).toBe(0);
    source.sink.reject({ code: 'X', message: 'bad once more' });
    expect(logged('bad once more')).toHaveLength(1);
  });

  it('logs what it has counted when it stops', async () => {
    await start();
    for (let line = 0; line < 12; line++) source.sink.reject({ code: 'X', message: 'bad' });
    await runner.stop();
    expect(logged('Source input rejected')).toMatchObject([{ fields: { rejected: 2 } }]);
  });
});
