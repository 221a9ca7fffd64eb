import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('python-client.py', import.meta.url));
/** The one that Debian's packages are for. */
const PYTHON = '/usr/bin/python3';

/** A client in Python that subscribes to everything, and ends with the test. */
export function inflateInPython(port: number, frames: number): { subscribed: Promise<void>; texts: Promise<string[]> } {
  const child = spawn(PYTHON, [SCRIPT, String(port), String(frames)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const texts: string[] = [];
  const { promise: subscribed, resolve, reject } = Promise.withResolvers<void>();
  lines.once('line', (extensions) => {
    if (extensions === 'permessage-deflate') resolve();
    else reject(new Error(`agreed on ${JSON.stringify(extensions)}`));
    lines.on('line', (line) => texts.push(line));
  });
  const ended = once(child, 'close').then(([code]) => {
    reject(new Error(`the Python client ended with ${code} before it had subscribed`));
    if (code !== 0) throw new Error(`the Python client ended with ${code}`);
    return texts;
  });
  ended.catch(() => {});
  return { subscribed, texts: ended };
}
