import { readdirSync } from 'node:fs';
import { Child } from '../lib/child-process.ts';
import { freePort, GATEWAY_FILE, gatewayArguments, PROJECT_DIRECTORY } from '../lib/server-process.ts';
import { profiledOptions, profileEnvironment, profileUnderLoad, readProfileLoad } from './profile-run.ts';

/**
 * Whether a tool passes an interrupt on to the gateway by itself. One that does not is interrupted together with it, as
 * by Ctrl-C in a terminal. The gateway must get one only: at the second it leaves without a drain.
 */
const RELAYS_INTERRUPT = { doctor: true, flame: false } as const;
const REPORT_DIRECTORY = '.clinic';

/**
 * Runs the gateway in clinic under a load of its own, and leaves the report in .clinic/. Clinic sees the primary thread
 * only. Returns the exit status.
 * @param args `--connections`, `--rate`, `--seconds`
 */
export async function runClinic(tool: keyof typeof RELAYS_INTERRUPT, args: readonly string[]): Promise<number> {
  const load = readProfileLoad(args);
  const port = await freePort();
  const gateway = ['node', GATEWAY_FILE, ...gatewayArguments(port, profiledOptions(load))];
  const clinic = `${PROJECT_DIRECTORY}node_modules/.bin/clinic`;
  const child = new Child(clinic, [tool, '--open=false', '--dest', REPORT_DIRECTORY, '--', ...gateway], {
    cwd: PROJECT_DIRECTORY,
    env: profileEnvironment(),
    group: RELAYS_INTERRUPT[tool] ? 'killed' : 'signalled',
  });
  const { deliveriesPerS } = await profileUnderLoad(child, port, load);
  console.log(`${deliveriesPerS} deliveries/s under clinic ${tool}\n${child.output}`);
  const pages = readdirSync(`${PROJECT_DIRECTORY}${REPORT_DIRECTORY}`).filter((name) => name.endsWith(`${tool}.html`));
  console.log(pages.map((name) => `${REPORT_DIRECTORY}/${name}`).join('\n'));
  return child.process.exitCode === 0 && pages.length > 0 ? 0 : 1;
}
