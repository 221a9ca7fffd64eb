/** What each thread, shards included, allocates on its JavaScript heap: where the work of the garbage collector comes from. */
import { profileLoadOrExit } from './profile-options.ts';
import { runThreads } from './run-threads.ts';

process.exit(await runThreads('allocation', profileLoadOrExit('profile:allocation')));
