import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../lib/child-process.ts';
import { freePort } from '../lib/free-port.ts';
import { leafProcess } from '../lib/process-tree.ts';
import { createProfileDirectory, shownPath } from '../lib/profile-directory.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { GATEWAY_FILE, gatewayArguments, isHealthy, waitUntilReady } from '../lib/server-process.ts';
import { keepPrimaryEvents } from './primary-trace.ts';
import type { ProfileLoad } from './profile-options.ts';
import { profiledOptions, profileProblems, runProfileLoad, statusOf } from './profile-run.ts';

export type ClinicTool = 'doctor' | 'flame' | 'bubbleprof' | 'heapprofiler';

/** For the drain and the report: clinic works through everything it has gathered. */
const REPORT_TIMEOUT_MS = 180_000;
/** Coming down before the load's last sockets are gone would show up in the profile. */
const REST_MS = 500;
const CLINIC_FILE = `${PROJECT_DIRECTORY}node_modules/clinic/bin.js`;
const LEAVE_IN_ORDER = `${PROJECT_DIRECTORY}perf/profile/leave-in-order.ts`;

/**
 * Runs the gateway in one of clinic's tools under a load of its own, and leaves the report below perf/profiles. Clinic sees
 * the primary thread only. Returns the exit status.
 */
export async function runClinic(tool: ClinicTool, load: ProfileLoad): Promise<number> {
  const directory = createProfileDirectory(tool);
  const port = await freePort();
  const clinic = startClinic(tool, directory, gatewayCommand(port, load));
  await waitUntilReady(clinic, () => isHealthy(port));
  const report = await runProfileLoad(port, load);
  await sleep(REST_MS);
  process.kill(leafProcess(clinic.pid, String(port)), 'SIGINT');
  const problems = [...(await clinicProblems(tool, clinic)), ...(await profileProblems(port, report))];
  if (tool === 'bubbleprof' && problems.length === 0) problems.push(...(await drawBubbles(directory)));
  const page = fileIn(directory, '.html');
  if (page === undefined) problems.push(`clinic ${tool} has left no report in ${shownPath(directory)}`);
  else if (problems.length === 0) console.log(summaryOf(tool, report.deliveriesPerS, page));
  return statusOf(problems);
}

function gatewayCommand(port: number, load: ProfileLoad): string[] {
  const options = gatewayArguments(port, profiledOptions(load));
  return ['node', '--import', LEAVE_IN_ORDER, `${PROJECT_DIRECTORY}${GATEWAY_FILE}`, ...options];
}

/** Some tools leave working files where they are started. */
function startClinic(tool: ClinicTool, directory: string, command: readonly string[]): Child {
  const args = ['--open=false', '--dest', '.', ...(tool === 'bubbleprof' ? ['--collect-only'] : []), '--', ...command];
  return new Child(process.execPath, [CLINIC_FILE, tool, ...args], {
    cwd: directory,
    env: clinicEnvironment(),
    group: 'killed',
  });
}

/** Waits for clinic's end. */
async function clinicProblems(tool: ClinicTool, clinic: Child): Promise<string[]> {
  await clinic.endWithin(REPORT_TIMEOUT_MS);
  const { exitCode, signalCode } = clinic.process;
  if (exitCode === 0) return [];
  return [`clinic ${tool} ended with ${exitCode ?? signalCode}:\n${clinic.output}`];
}

/** Makes bubbleprof's page of the primary's part of what it has gathered. */
async function drawBubbles(directory: string): Promise<string[]> {
  const data = fileIn(directory, '.clinic-bubbleprof');
  const trace = data === undefined ? undefined : fileIn(data, '-traceevent');
  if (data === undefined || trace === undefined) return ['clinic bubbleprof has gathered nothing'];
  keepPrimaryEvents(trace);
  const args = [CLINIC_FILE, 'bubbleprof', '--open=false', '--visualize-only', data];
  return clinicProblems('bubbleprof', new Child(process.execPath, args, { cwd: directory, env: clinicEnvironment() }));
}

function summaryOf(tool: ClinicTool, deliveriesPerS: number, page: string): string {
  const mib = (statSync(page).size / 1024 ** 2).toFixed(1);
  return [
    `clinic ${tool}: the primary thread, at ${deliveriesPerS} deliveries/s`,
    `${shownPath(page)}  (${mib} MiB; a page, to be opened in a browser)`,
  ].join('\n');
}

function fileIn(directory: string, ending: string): string | undefined {
  const name = readdirSync(directory).find((file) => file.endsWith(ending));
  return name === undefined ? undefined : `${directory}/${name}`;
}

/** `node` is the one that this runs on; clinic asks nobody for permission to report what it is used for. */
function clinicEnvironment(): NodeJS.ProcessEnv {
  const path = `${PROJECT_DIRECTORY}node_modules/.bin:${process.env.PATH ?? ''}`;
  return { ...process.env, PATH: path, NODE_OPTIONS: '', NO_INSIGHT: '1' };
}
