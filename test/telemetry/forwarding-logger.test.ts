import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createForwardingLogger,
  FORWARDED_LINES_PER_SECOND,
  type ForwardedLine,
  type ForwardingOptions,
} from '../../src/telemetry/forwarding-logger.ts';
import { TickcastError } from '../../src/util/errors.ts';

let lines: ForwardedLine[];

beforeEach(() => {
  lines = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** What it sends crosses threads, as it would for real. */
function forwarding(options: Partial<ForwardingOptions> = {}) {
  return createForwardingLogger({ level: 'info', send: (line) => lines.push(structuredClone(line)), ...options });
}

describe('a forwarding logger', () => {
  it('hands on level, fields and message', () => {
    forwarding().warn({ connectionId: 'a', nested: { list: [1, null, 'x'] } }, 'WebSocket connection opened');
    expect(lines).toEqual([
      {
        level: 'warn',
        fields: { connectionId: 'a', nested: { list: [1, null, 'x'] } },
        message: 'WebSocket connection opened',
      },
    ]);
  });

  it.each([
    ['trace', ['trace', 'debug', 'info', 'warn', 'error', 'fatal']],
    ['warn', ['warn', 'error', 'fatal']],
    ['silent', []],
  ] as const)('at level %s hands on %j', (level, passed) => {
    const log = forwarding({ level });
    for (const each of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[each]({}, each);
    expect(lines.map((line) => line.level)).toEqual(passed);
  });

  it('does not look at the fields of a line that the level keeps out', () => {
    const fields = {
      get costly(): never {
        throw new Error('looked at');
      },
    };
    forwarding().debug(fields, 'left out');
    expect(lines).toEqual([]);
  });

  it('takes errors apart, with code, detail and cause', () => {
    const cause = new Error('the reason');
    forwarding().error({ err: new TickcastError('SOURCE_FAILED', 'no more', { line: 4 }, cause) }, 'failed');
    expect(lines[0]?.fields.err).toEqual({
      type: 'TickcastError',
      message: 'no more',
      stack: expect.stringContaining('no more'),
      code: 'SOURCE_FAILED',
      detail: { line: 4 },
      cause: { type: 'Error', message: 'the reason', stack: expect.any(String) },
    });
  });

  it('hands on what cannot be posted to a thread as text', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const looped = new Error('looped');
    looped.cause = looped;
    const fields = { call: () => 1, symbol: Symbol('s'), bytes: Buffer.alloc(3), circle, looped, when: new Date(0) };
    forwarding().info(fields, 'odd');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields).toMatchObject({ symbol: 'Symbol(s)', bytes: 'Buffer(3 bytes)' });
  });

  it('suppresses what is over the budget and tells how much when the second is over', () => {
    const log = forwarding();
    for (let n = 0; n < FORWARDED_LINES_PER_SECOND + 50; n++) log.info({ n }, 'flood');
    expect(lines).toHaveLength(FORWARDED_LINES_PER_SECOND);
    vi.advanceTimersByTime(999);
    expect(lines).toHaveLength(FORWARDED_LINES_PER_SECOND);
    vi.advanceTimersByTime(1);
    expect(lines.slice(FORWARDED_LINES_PER_SECOND)).toEqual([
      { level: 'warn', fields: { suppressed: 50 }, message: '50 log lines suppressed' },
    ]);
    log.info({}, 'again');
    expect(lines.at(-1)?.message).toBe('again');
  });

  it('reports each second of a flood, and no second without one', () => {
    let counted = 0;
    const log = forwarding({ linesPerSecond: 2, countSuppressed: (suppressed) => (counted += suppressed) });
    for (let second = 0; second < 3; second++) {
      for (let n = 0; n < 5; n++) log.info({}, 'flood');
      vi.advanceTimersByTime(1_000);
    }
    for (let second = 0; second < 3; second++) {
      log.info({}, 'calm');
      vi.advanceTimersByTime(1_000);
    }
    const reports = lines.filter(({ message }) => message === '3 log lines suppressed');
    expect(reports).toHaveLength(3);
    expect(counted).toBe(3 * 3);
    expect(lines).toHaveLength(3 * 2 + 3 + 3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets a fatal line pass whatever the budget', () => {
    const log = forwarding({ linesPerSecond: 1 });
    for (let n = 0; n < 5; n++) log.info({}, 'flood');
    log.fatal({}, 'the end');
    expect(lines.map(({ message }) => message)).toEqual(['flood', 'the end']);
  });

  it('leaves lines that the level keeps out of the budget', () => {
    const log = forwarding({ linesPerSecond: 1 });
    for (let n = 0; n < 5; n++) log.debug({}, 'left out');
    log.info({}, 'first');
    expect(lines.map(({ message }) => message)).toEqual(['first']);
  });
});
