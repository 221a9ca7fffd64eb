import type { LoadMark } from '../load/generator-messages.ts';
import { type LoadOptions, loadArguments } from '../load/load-options.ts';
import type { LoadReport } from '../load/load-report.ts';
import type { LoadMarks } from '../load/load-run.ts';
import { Child } from './child-process.ts';
import { PROJECT_DIRECTORY } from './project-directory.ts';

const GENERATOR_FILE = 'perf/load/main.ts';

/** Runs the load generator in a process of its own and returns what it reports. Throws where it reports nothing. */
export async function runLoad(options: Partial<LoadOptions>, marks: LoadMarks = {}): Promise<LoadReport> {
  const onMessage = (mark: unknown) => {
    if (mark === ('started' satisfies LoadMark)) marks.onStart?.();
    if (mark === ('ended' satisfies LoadMark)) marks.onEnd?.();
  };
  return (await runForReport(GENERATOR_FILE, loadArguments(options), onMessage)) as LoadReport;
}

/** Runs a script of this repository that prints one JSON line in the end, and returns that. */
export async function runForReport(
  file: string,
  args: readonly string[],
  onMessage: (message: unknown) => void = () => {},
): Promise<unknown> {
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const child = new Child(process.execPath, [file, ...args], { cwd: PROJECT_DIRECTORY, stdio: [...stdio] });
  let text = '';
  child.process.stdout?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.process.on('message', onMessage);
  await child.end();
  const line = text.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`${file} reported nothing:\n${child.output}`);
  return JSON.parse(line);
}
