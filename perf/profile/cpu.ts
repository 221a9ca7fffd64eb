/**
 * Profiles every thread of the gateway, shards included, with Node's own sampler: one .cpuprofile a thread in
 * .clinic/cpu-…/, to be opened in a browser's developer tools, and the functions that took most printed here.
 *
 * use: node perf/profile/cpu.ts [--connections N] [--rate N] [--seconds N]
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { Child } from '../lib/child-process.ts';
import { freePort, GATEWAY_FILE, gatewayArguments, PROJECT_DIRECTORY } from '../lib/server-process.ts';
import { formatTable } from '../lib/table.ts';
import { topFunctions } from './cpu-profile.ts';
import { profiledOptions, profileEnvironment, profileUnderLoad, readProfileLoad } from './profile-run.ts';

const FUNCTIONS_SHOWN = 15;

const load = readProfileLoad(process.argv.slice(2));
const port = await freePort();
const directory = `${PROJECT_DIRECTORY}.clinic/cpu-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
mkdirSync(directory, { recursive: true });
const profiler = ['--cpu-prof', `--cpu-prof-dir=${directory}`];
const child = new Child(
  process.execPath,
  [...profiler, GATEWAY_FILE, ...gatewayArguments(port, profiledOptions(load))],
  { cwd: PROJECT_DIRECTORY, env: profileEnvironment() },
);
const report = await profileUnderLoad(child, port, load);
console.log(`${report.deliveriesPerS} deliveries/s under the profiler`);
const files = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'));
for (const file of files) {
  console.log(`\n${directory}/${file}\n`);
  console.log(formatTable(topFunctions(readFileSync(`${directory}/${file}`, 'utf8'), FUNCTIONS_SHOWN)));
}
if (files.length === 0) console.error(`no profile was written\n${child.output}`);
process.exit(files.length > 0 ? 0 : 1);
