/** Profiles every thread of a gateway that runs already, without a restart; see docs/profiling.md. */
import { errorMessage } from '../../src/util/errors.ts';
import { numberOption } from '../load/number-option.ts';
import { numbersOrExit } from './profile-options.ts';
import { profilesText, profileThreads } from './thread-profiles.ts';

const OPTIONS = [
  numberOption('pid', 'pid', 1, 4_194_304, 0, 'the gateway’s process'),
  numberOption('seconds', 'seconds', 1, 120, 10, 'how long', false),
  numberOption('inspect-port', 'inspectPort', 1, 65_535, 9_229, 'the process’s --inspect-port'),
  numberOption('allocation', 'allocation', 0, 1, 0, '1: what is allocated, rather than CPU time'),
];

const { pid = 0, seconds = 10, inspectPort = 9_229, allocation } = numbersOrExit('profile:attach', OPTIONS);
const kind = allocation === 1 ? 'allocation' : 'cpu';
try {
  console.log(profilesText(kind, await profileThreads(kind, pid, inspectPort, seconds)));
} catch (error) {
  console.error(`FAILED ${errorMessage(error)}`);
  process.exit(1);
}
