/** Where the CPU time of the primary thread goes: clinic flame on the gateway under load. */
import { runClinic } from './clinic.ts';
import { profileLoadOrExit } from './profile-options.ts';

process.exit(await runClinic('flame', profileLoadOrExit('profile:flame')));
