import { errorMessage } from '../../src/util/errors.ts';
import { Child } from '../lib/child-process.ts';
import { freePort } from '../lib/free-port.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { GATEWAY_FILE, gatewayArguments, isHealthy, waitUntilReady } from '../lib/server-process.ts';
import type { ProfileLoad } from './profile-options.ts';
import { profiledOptions, profileProblems, runProfileLoad, statusOf } from './profile-run.ts';
import { type ProfileKind, profilesText, profileThreads, type ThreadProfile } from './thread-profiles.ts';

/** How much longer the load lasts, so that its end is not part of the profile. */
const MARGIN_S = 1;

/**
 * Runs the gateway under a load of its own and profiles each of its threads while the load lasts, without its coming up and
 * its end. Returns the exit status.
 */
export async function runThreads(kind: ProfileKind, load: ProfileLoad): Promise<number> {
  const [port, inspectPort] = [await freePort(), await freePort()];
  const gateway = [GATEWAY_FILE, ...gatewayArguments(port, profiledOptions(load))];
  const child = new Child(process.execPath, [`--inspect-port=${inspectPort}`, ...gateway], { cwd: PROJECT_DIRECTORY });
  await waitUntilReady(child, () => isHealthy(port));
  let profiling: Promise<ThreadProfile[] | Error> | undefined;
  const onStart = () => {
    // Nobody waits for it before the load has ended, so a failure is returned.
    profiling = profileThreads(kind, child.pid, inspectPort, load.seconds).catch((error) => error);
  };
  const report = await runProfileLoad(port, { ...load, seconds: load.seconds + MARGIN_S }, { onStart });
  const profiles = (await profiling) ?? new Error('the load has not begun');
  await child.stop();
  const problems = await profileProblems(port, report);
  if (child.process.exitCode !== 0) problems.push(`the gateway ended with ${child.process.exitCode}:\n${child.output}`);
  if (profiles instanceof Error) return statusOf([errorMessage(profiles), ...problems]);
  if (profiles.length < 1 + load.shards) problems.push(`only ${profiles.length} threads were profiled`);
  console.log(`${report.deliveriesPerS} deliveries/s under the profiler\n\n${profilesText(kind, profiles)}`);
  return statusOf(problems);
}
