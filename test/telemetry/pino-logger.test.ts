import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../src/telemetry/pino-logger.ts';
import { TickcastError } from '../../src/util/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickcast-log-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));
}

async function run(name: string, ...args: string[]): Promise<{ output: string; code: number | null }> {
  const child = spawn(process.execPath, [fixture(name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  return { output, code };
}

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

describe('the log', () => {
  it('writes JSON lines with an upper-case level first, then the time, and the message last', async () => {
    const { output, code } = await run('log-and-end');
    expect(code).toBe(0);
    const lines = linesOf(output);
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['DEBUG', 'WARN', 'ERROR', 'FATAL']);
    for (const line of lines) {
      expect(line).toMatch(/^\{"level":"[A-Z]+","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",/);
      expect(Object.keys(JSON.parse(line)).at(-1)).toBe('msg');
    }
    expect(JSON.parse(lines[0]!)).toMatchObject({ detail: { deep: [1, null] }, msg: 'debug line' });
    expect(JSON.parse(lines[1]!)).toMatchObject({ text: 'two\nlines "quoted"' });
    expect(JSON.parse(lines[3]!)).toMatchObject({ shard: 3, connections: 2, msg: 'percent %s %d stays' });
  });

  it('answers to the operator’s grep for failures', async () => {
    const { output } = await run('log-and-end');
    expect(linesOf(output).filter((line) => /ERROR.*WebSocket.*failed/.test(line))).toHaveLength(1);
  });

  it('tells an error with its type, stack and cause', async () => {
    const { output } = await run('log-and-end');
    const { err } = JSON.parse(linesOf(output)[2]!);
    expect(err).toMatchObject({ type: 'TypeError', message: expect.stringContaining('a cause') });
    expect(err.stack).toMatch(/TypeError: a cause\n {4}at .*log-and-end[\s\S]*of it/);
  });

  it('writes the same to a file, behind what the file held', async () => {
    const file = join(folder, 'app.log');
    const first = await run('log-and-end', file);
    await run('log-and-end', file);
    expect(first.output).toBe('');
    const levels = linesOf(readFileSync(file, 'utf8')).map((line) => JSON.parse(line).level);
    expect(levels).toEqual(['DEBUG', 'WARN', 'ERROR', 'FATAL', 'DEBUG', 'WARN', 'ERROR', 'FATAL']);
  });

  it('goes through process.stdout, so that whoever replaces its write gets the lines', () => {
    const written: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    });
    createLogger({ level: 'info', file: '' }).info({ n: 1 }, 'hello');
    vi.restoreAllMocks();
    expect(written.map((line) => JSON.parse(line))).toMatchObject([{ level: 'INFO', n: 1, msg: 'hello' }]);
  });

  it('survives a reader that has gone away', async () => {
    const child = spawn(process.execPath, [fixture('log-until-told')], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    expect({ told, code }).toEqual({ told: 'survived\n', code: 0 });
  });

  it('stays silent when it is told to', () => {
    const file = join(folder, 'app.log');
    const log = createLogger({ level: 'silent', file });
    log.fatal({}, 'nothing');
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('writes fields that JSON does not know', () => {
    const file = join(folder, 'app.log');
    const circle: Record<string, unknown> = { big: 12n };
    circle.self = circle;
    createLogger({ level: 'info', file }).info({ circle }, 'odd');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ level: 'INFO', msg: 'odd' });
  });
});

describe('log.file', () => {
  it('is opened again under its name after a rotation', async () => {
    const file = join(folder, 'app.log');
    const log = createLogger({ level: 'info', file });
    log.info({}, 'before');
    renameSync(file, `${file}.1`);
    log.info({}, 'to the old one');
    log.reopen();
    log.info({}, 'after');
    await log.flush();
    expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/before[\s\S]*to the old one/);
    expect(linesOf(readFileSync(file, 'utf8')).map((line) => JSON.parse(line).msg)).toEqual(['after']);
  });

  it('stays in use when it cannot be opened again, and says so', () => {
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const moved = `${folder}-moved`;
    const log = createLogger({ level: 'info', file: join(folder, 'app.log') });
    renameSync(folder, moved);
    try {
      log.reopen();
      log.info({}, 'kept');
      expect(String(told.mock.calls[0]?.[0])).toMatch(
        /^tickcast: log\.file: .*app\.log cannot be opened again: .*ENOENT/,
      );
      expect(readFileSync(join(moved, 'app.log'), 'utf8')).toMatch(/kept/);
    } finally {
      renameSync(moved, folder);
    }
  });

  it('stops the start by name when it cannot be written', () => {
    const file = join(folder, 'missing', 'app.log');
    let thrown: unknown;
    try {
      createLogger({ level: 'info', file });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TickcastError);
    expect(thrown).toMatchObject({ code: 'INVALID_OPTION' });
    expect((thrown as Error).message).toContain('log.file');
    expect((thrown as Error).message).toContain(file);
    expect((thrown as Error).message).toContain('ENOENT');
  });
});

describe('a full disk', () => {
  const full = '/dev/full';

  it.runIf(process.platform === 'linux')(
    'costs the lines, which are counted, is told once, and nothing else',
    async () => {
      const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      const log = createLogger({ level: 'info', file: full });
      for (let n = 0; n < 100; n++) log.info({ n }, 'line');
      expect(told).toHaveBeenCalledTimes(1);
      expect(String(told.mock.calls[0]?.[0])).toMatch(/^tickcast: log\.file: \/dev\/full cannot be written: .*ENOSPC/);
      expect(log.linesLost()).toBe(100);
      await log.flush();
    },
  );

  it.runIf(process.platform === 'linux')('costs the lines of standard output, counted and told once too', async () => {
    const out = openSync(full, 'w');
    const child = spawn(process.execPath, [fixture('log-and-count')], { stdio: ['ignore', out, 'pipe'] });
    closeSync(out);
    let told = '';
    child.stderr?.on('data', (chunk) => {
      told += chunk;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(told).toMatch(/^tickcast: standard output cannot be written: ENOSPC.*\nlost 5\n$/);
  });
});
