import { runCompare } from '../../src/compare/compare-command.ts';
import type { Report } from '../../src/compare/report.ts';

export interface CompareRun {
  /** Ends it early. */
  end(): void;
  /** Resolves with its exit status and report. */
  readonly ended: Promise<{ status: number; report: Report }>;
}

/**
 * `tickcast compare` in this process, which measures from the moment when both connections stand until it is ended,
 * without waiting for anything. Resolves once it measures.
 */
export async function startCompare(old: string, now: string, ...argv: string[]): Promise<CompareRun> {
  const printed: string[] = [];
  const connected = Promise.withResolvers<void>();
  let end = () => {};
  const fixed = ['--json', '--warm-up', '0', '--settle', '0', '--seconds', '600'];
  const status = runCompare(['--old', old, '--new', now, ...fixed, ...argv], {
    print: (text) => printed.push(text),
    report: () => connected.resolve(),
    onEnding: (callback) => {
      end = callback;
    },
  });
  const ended = status.then((code) => ({ status: code, report: JSON.parse(printed.join('')) as Report }));
  await Promise.race([connected.promise, ended]);
  // It begins in the turn of a timer of 0 ms.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { end: () => end(), ended };
}
