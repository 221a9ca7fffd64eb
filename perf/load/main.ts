/**
 * The load generator's command line: opens WebSocket connections to a server on 127.0.0.1, counts what it delivers and
 * prints one JSON line. Exit status 0: all opened; 1: some did not; 2: an option is wrong.
 */
import { errorMessage } from '../../src/util/errors.ts';
import type { LoadMark } from './generator-messages.ts';
import { load } from './load.ts';
import { type LoadOptions, loadUsage, parseLoadOptions } from './load-options.ts';

function readOptions(): LoadOptions {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    console.log(loadUsage());
    process.exit(0);
  }
  try {
    return parseLoadOptions(args);
  } catch (error) {
    console.error(`${errorMessage(error)}\n${loadUsage()}`);
    process.exit(2);
  }
}

/** Tells whoever started this process with a channel when counting begins and ends. */
function tell(mark: LoadMark): void {
  process.send?.(mark);
}

const report = await load(readOptions(), { onStart: () => tell('started'), onEnd: () => tell('ended') });
// Exiting before the pipe has taken the line would cut it.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(report.failed > 0 ? 1 : 0));
