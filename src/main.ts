#!/usr/bin/env node
/**
 * The command line. Runs on the primary thread: options in, a running gateway out. Status 0: stopped as asked; 1: the
 * machine refused (a port that is taken, a shard that does not start) or something broke; 2: an option or a file that
 * cannot be used; 130 and 143: a second SIGINT or SIGTERM. Of `compare`, those of compare/outcome.ts.
 */
import './util/die-on-rejection.ts';
import { nodeTooOld } from './util/node-version.ts';

// Everything else is imported once the handlers stand and the version will do: a module that fails to load must end the
// process, and `--help` waits for no thread pool.
const tooOld = nodeTooOld(process.versions.node);
if (tooOld !== undefined) {
  process.stderr.write(`${tooOld}\n`);
  process.exit(1);
}
const { runCommandLine } = await import('./command-line.ts');
await runCommandLine(process.argv.slice(2), process.env);
