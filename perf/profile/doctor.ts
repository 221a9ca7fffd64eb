/** What kind of trouble the primary thread has, if any: clinic doctor on the gateway under load. */
import { runClinic } from './clinic.ts';
import { profileLoadOrExit } from './profile-options.ts';

process.exit(await runClinic('doctor', profileLoadOrExit('profile:doctor')));
