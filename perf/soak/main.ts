/**
 * A soak: the gateway under pm2 for a long time, with clients that come, read slowly, vanish and come back, crashes and
 * deploys. Exit status 0: nothing grows and everything is accounted for; 1: something does or is not, and what; 2: an option
 * is wrong. Ctrl-C ends it early, with a report.
 */
import { relative } from 'node:path';
import { errorMessage } from '../../src/util/errors.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { formatTable } from '../lib/table.ts';
import { parseSoakOptions, type SoakOptions, soakUsage } from './soak-options.ts';
import { soakSections, writeSoakReport } from './soak-report.ts';
import { runSoak, type SoakRun } from './soak-run.ts';
import { failures } from './verdicts.ts';

/** Ctrl-C reaches everything in the terminal's foreground, and npm then passes its own on: one key, two signals. */
const NPM_ECHO_MS = 500;

function readOptions(): SoakOptions {
  try {
    return parseSoakOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${errorMessage(error)}\n${soakUsage()}`);
    process.exit(2);
  }
}

function print(run: SoakRun): number {
  const directory = relative(PROJECT_DIRECTORY, writeSoakReport(run));
  for (const { title, rows } of soakSections(run)) console.log(`\n${title}\n\n${formatTable(rows)}`);
  console.log(`\n${directory}/report.md, report.json, samples.ndjson and pictures`);
  const found = failures(run);
  for (const failure of found) console.error(`FAILED ${failure}`);
  return found.length > 0 ? 1 : 0;
}

/** Given at the first SIGINT or SIGTERM. At the second this process ends, and with it all that it has started. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  let firstMs = 0;
  const onSignal = () => {
    if (!stopping.signal.aborted) {
      firstMs = performance.now();
      console.error('ending early; once more to end at once');
      stopping.abort();
    } else if (performance.now() - firstMs > NPM_ECHO_MS) process.exit(1);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stopping.signal;
}

const options = readOptions();
const stopping = stopSignal();
console.log(`soak of ${options.minutes} minutes, seed ${options.seed}`);
try {
  process.exitCode = print(await runSoak(options, stopping));
} catch (error) {
  console.error(`FAILED ${error instanceof Error ? error.stack : errorMessage(error)}`);
  process.exitCode = 1;
}
process.exit();
