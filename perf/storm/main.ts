/**
 * A storm's command line: clients that leave and come back, on 127.0.0.1; prints one JSON line. Exit status 0: all came
 * back and caught up; 1: some did not; 2: an option is wrong.
 */
import { errorMessage } from '../../src/util/errors.ts';
import { storm } from './storm.ts';
import { parseStormOptions, type StormOptions, stormUsage } from './storm-options.ts';

function readOptions(): StormOptions {
  try {
    return parseStormOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${errorMessage(error)}\n${stormUsage()}`);
    process.exit(2);
  }
}

const report = await storm(readOptions());
// Exiting before the pipe has taken the line would cut it.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(report.caughtUp < report.clients ? 1 : 0));
