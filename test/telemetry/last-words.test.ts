import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino, stdTimeFunctions } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';

const SPEAKER = fileURLToPath(new URL('../support/last-words.fixture.ts', import.meta.url));

interface Spoken {
  stdout: string;
  stderr: string;
}

/** What a process says whose log is as given. @param stdout a descriptor, where it is not read here */
async function lastWordsOf(
  log: { level: string; file: string },
  stdout: 'pipe' | number = 'pipe',
  pm2: Record<string, string> = {},
): Promise<Spoken> {
  const env = { ...process.env, ...pm2, LAST_WORDS_LOG: JSON.stringify(log) };
  const child = spawn(process.execPath, [SPEAKER], { env, stdio: ['ignore', stdout, 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return said;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tickcast-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A pipe that takes no more and that nobody reads: whoever writes there waits. */
function fullPipe(): number {
  const path = join(temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', [path]);
  const filling = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  for (const bytes of [Buffer.alloc(65_536), Buffer.alloc(1)]) {
    try {
      for (;;) writeSync(filling, bytes);
    } catch (thrown) {
      expect((thrown as NodeJS.ErrnoException).code).toBe('EAGAIN');
    }
  }
  const waiting = openSync(path, constants.O_RDWR);
  onTestFinished(() => [filling, waiting].forEach(closeSync));
  return waiting;
}

/** The line as the logger writes it, but for its moment and its process. */
function expectLine(text: string): void {
  let line = '';
  const options = {
    base: { pid: 1 },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label.toUpperCase() }) },
  };
  const write = (written: string) => {
    line = written;
  };
  pino(options, { write }).fatal({ silentMs: 1 }, 'last words');
  const bare = (each: string) => each.replace(/"time":"[^"]{24}","pid":\d+/, '');
  expect(bare(text)).toBe(bare(line));
  expect(bare(line)).not.toBe(line);
}

describe('last words', () => {
  it('go to standard output, as the logger writes its lines', async () => {
    const { stdout, stderr } = await lastWordsOf({ level: 'info', file: '' });
    expectLine(stdout);
    expect(stderr).toBe('');
  });

  it('go to the end of the log file, where there is one', async () => {
    const file = join(temporaryDirectory(), 'log');
    for (let time = 0; time < 2; time++) {
      expect(await lastWordsOf({ level: 'fatal', file })).toEqual({ stdout: '', stderr: '' });
    }
    const [first, second, ...more] = readFileSync(file, 'utf8').split('\n');
    for (const line of [first, second]) expectLine(`${line}\n`);
    expect(more).toEqual(['']);
  });

  it('go to the file in which pm2 keeps standard output', async () => {
    const pm2 = { pm_out_log_path: join(temporaryDirectory(), 'tickcast.log') };
    expect(await lastWordsOf({ level: 'info', file: '' }, 'pipe', pm2)).toEqual({ stdout: '', stderr: '' });
    expectLine(readFileSync(pm2.pm_out_log_path, 'utf8'));
  });

  it.each([
    ['the log file cannot be written', { level: 'info', file: '/none/such/log' }],
    ['the log is silent', { level: 'silent', file: '' }],
  ])('go to standard error where %s', async (_, log) => {
    const { stdout, stderr } = await lastWordsOf(log);
    expectLine(stderr);
    expect(stdout).toBe('');
  });

  it('go to standard error where standard output takes no more', async () => {
    expectLine((await lastWordsOf({ level: 'info', file: '' }, fullPipe())).stderr);
  });
});
