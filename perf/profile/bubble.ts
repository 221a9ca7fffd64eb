/** What the primary thread waits for, by asynchronous operation: clinic bubbleprof on the gateway under load. */
import { runClinic } from './clinic.ts';
import { profileLoadOrExit } from './profile-options.ts';

process.exit(
  await runClinic('bubbleprof', profileLoadOrExit('profile:bubble', { connections: 100, rate: 500, seconds: 5 })),
);
