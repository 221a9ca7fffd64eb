import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('../support/ndjson-stdin.fixture.ts', import.meta.url));

it('lets the process end after a stop, though standard input stays open', async () => {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.write('{"a":1}\n{"a":2}\n');
  // Nobody ends the standard input: a process that hangs on to it lets this test run out of time.
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect([status, said]).toEqual([0, 'published 2']);
});
