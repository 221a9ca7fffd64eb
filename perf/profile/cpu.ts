/** Where the CPU time of each thread goes, shards included, by V8's sampling profiler. */
import { profileLoadOrExit } from './profile-options.ts';
import { runThreads } from './run-threads.ts';

process.exit(await runThreads('cpu', profileLoadOrExit('profile:cpu')));
