import { open } from 'node:fs/promises';
import { configurationError, problem } from '../config/reading.ts';
import { errorMessage } from '../util/errors.ts';
import { readCompareArguments } from './compare-arguments.ts';
import { compareHelp } from './compare-help.ts';
import type { CompareOptions } from './compare-options.ts';
import { Comparison } from './comparison.ts';
import { EXIT_NO_RESULT } from './outcome.ts';
import type { Report } from './report.ts';
import { reportText } from './report-text.ts';

/** What the command needs of the program around it. */
export interface CompareSurroundings {
  /** Standard output. */
  readonly print: (text: string) => void;
  /** Standard error, lines under the program's name. */
  readonly report: (text: string) => void;
  /** Calls back when the user wants it to end early. */
  readonly onEnding: (end: () => void) => void;
}

/**
 * `tickcast compare`. Resolves with the exit status.
 * @param argv behind `compare` @throws TickcastError INVALID_OPTION for arguments that cannot be used, each named
 */
export async function runCompare(
  argv: readonly string[],
  { print, report, onEnding }: CompareSurroundings,
): Promise<number> {
  const { isHelp, options, problems } = readCompareArguments(argv);
  if (isHelp) {
    print(compareHelp());
    return 0;
  }
  if (problems.length > 0) throw configurationError(problems);
  const file = await ReportFile.open(options.report);
  const ending = new AbortController();
  onEnding(() => ending.abort());
  const result = await new Comparison(options).run(ending.signal, () => report(startText(options)));
  print(options.json ? jsonOf(result) : reportText(result));
  try {
    await file?.write(jsonOf(result));
  } catch (error) {
    report(`--report: ${options.report} cannot be written: ${errorMessage(error)}`);
    return EXIT_NO_RESULT;
  }
  return result.exitStatus;
}

function startText(options: CompareOptions): string {
  const { seconds, settle, 'warm-up': warmUp } = options;
  return `connected to both servers; the report comes in ${seconds + settle + warmUp} s, Ctrl-C ends earlier`;
}

function jsonOf(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** Opened before the comparison, so that a path that cannot be written is told at once. */
class ReportFile {
  readonly #file: Awaited<ReturnType<typeof open>>;

  private constructor(file: Awaited<ReturnType<typeof open>>) {
    this.#file = file;
  }

  static async open(path: string | undefined): Promise<ReportFile | undefined> {
    if (path === undefined) return undefined;
    try {
      return new ReportFile(await open(path, 'w'));
    } catch (error) {
      throw configurationError([problem('--report', `cannot be written: ${errorMessage(error)}`, path)]);
    }
  }

  async write(text: string): Promise<void> {
    try {
      await this.#file.writeFile(text);
    } finally {
      await this.#file.close();
    }
  }
}
