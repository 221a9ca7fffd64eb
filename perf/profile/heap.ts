/** What holds the memory that the primary thread allocated: clinic heapprofiler on the gateway under load. */
import { runClinic } from './clinic.ts';
import { profileLoadOrExit } from './profile-options.ts';

process.exit(await runClinic('heapprofiler', profileLoadOrExit('profile:heap')));
