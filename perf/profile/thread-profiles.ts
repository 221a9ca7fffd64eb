import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProfileDirectory, shownPath } from '../lib/profile-directory.ts';
import { formatTable, type Row } from '../lib/table.ts';
import { topAllocations } from './allocation-profile.ts';
import { topFunctions } from './cpu-profile.ts';
import { type InspectedThread, Inspector } from './inspector.ts';

export type ProfileKind = 'cpu' | 'allocation';

interface Method {
  /** What it does before and behind the time that is profiled, in this order. */
  begin: readonly [method: string, params: object][];
  end: string;
  ending: string;
  openWith: string;
  top(json: string, seconds: number): Row[];
}

const FUNCTIONS_SHOWN = 12;
/** One sample for each so many bytes allocated: V8's own 512 KiB would miss a thread that allocates little. */
const ALLOCATION_INTERVAL_BYTES = 32 * 1024;

const METHODS: Record<ProfileKind, Method> = {
  cpu: {
    begin: [
      ['Profiler.enable', {}],
      ['Profiler.start', {}],
    ],
    end: 'Profiler.stop',
    ending: 'cpuprofile',
    openWith: "load into the Performance panel of a browser's developer tools, or open in VS Code",
    top: (json) => topFunctions(json, FUNCTIONS_SHOWN),
  },
  allocation: {
    begin: [
      [
        'HeapProfiler.startSampling',
        {
          samplingInterval: ALLOCATION_INTERVAL_BYTES,
          includeObjectsCollectedByMajorGC: true,
          includeObjectsCollectedByMinorGC: true,
        },
      ],
    ],
    end: 'HeapProfiler.stopSampling',
    ending: 'heapprofile',
    openWith: "load into the Memory panel of a browser's developer tools",
    top: (json, seconds) => topAllocations(json, seconds, FUNCTIONS_SHOWN),
  },
};

/** The profile of one thread, and the text that tells of it. */
export interface ThreadProfile {
  thread: string;
  file: string;
  rows: Row[];
}

/**
 * Profiles all threads of a process that runs, for some seconds, and writes a file for each below perf/profiles.
 * @param inspectPort see `Inspector.open`
 */
export async function profileThreads(
  kind: ProfileKind,
  pid: number,
  inspectPort: number,
  seconds: number,
): Promise<ThreadProfile[]> {
  const inspector = await Inspector.open(pid, inspectPort);
  try {
    const { threads } = inspector;
    await Promise.all(threads.map((thread) => begin(kind, thread)));
    await sleep(seconds * 1000);
    const directory = createProfileDirectory(kind);
    return await Promise.all(threads.map((thread) => end(kind, thread, directory, seconds)));
  } finally {
    await inspector.close();
  }
}

/** What came out, and how to look at it. */
export function profilesText(kind: ProfileKind, profiles: readonly ThreadProfile[]): string {
  const tables = profiles.map(({ thread, rows }) => `${thread}\n\n${formatTable(rows)}\n`);
  return [...tables, ...profiles.map(({ file }) => shownPath(file)), METHODS[kind].openWith].join('\n');
}

async function begin(kind: ProfileKind, thread: InspectedThread): Promise<void> {
  for (const [method, params] of METHODS[kind].begin) await thread.request(method, params);
}

async function end(
  kind: ProfileKind,
  thread: InspectedThread,
  directory: string,
  seconds: number,
): Promise<ThreadProfile> {
  const { end: method, ending, top } = METHODS[kind];
  const { profile } = await thread.request<{ profile: object }>(method);
  const json = JSON.stringify(profile);
  const file = `${directory}/${thread.name}.${ending}`;
  writeFileSync(file, json);
  return { thread: thread.name, file, rows: top(json, seconds) };
}
