import { type LoadOptions, loadArguments } from '../load/load-options.ts';
import type { LoadReport } from '../load/load-report.ts';
import { Child } from './child-process.ts';
import { PROJECT_DIRECTORY } from './server-process.ts';

const GENERATOR_FILE = 'perf/load/main.ts';

/** Runs the load generator in a process of its own and returns what it reports. Throws where it reports nothing. */
export async function runLoad(options: Partial<LoadOptions>): Promise<LoadReport> {
  const child = new Child(process.execPath, [GENERATOR_FILE, ...loadArguments(options)], { cwd: PROJECT_DIRECTORY });
  let text = '';
  child.process.stdout?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await child.end();
  const line = text.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`the load generator reported nothing:\n${child.output}`);
  return JSON.parse(line) as LoadReport;
}
