/**
 * `npm run cluster:start | cluster:reload | cluster:stop`: pm2, without its traps. What it would do to a service that runs is
 * found out first: a start does not restart what runs, a reload keeps the configuration of what runs, neither goes on
 * with a configuration that the new release refuses, and a stop stays stopped. Status 0: done; 1: refused, or pm2 failed;
 * 2: the configuration cannot be used.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyEcosystem, deleteInstances, listInstances, RELEASE } from './pm2.ts';
import { changes, derivedSettings, FIXED, runningSettings, type Settings, settingsOf } from './settings.ts';

const CHECK_MS_MAX = 60_000;
const DELETIONS_MAX = 10;
/** pm2 does not list an instance whose start is under way: it is back only between these looks, and then to be deleted again. */
const LOOKS = 4;
const LOOK_MS = 700;

const COMMANDS: Readonly<Record<string, () => number | Promise<number>>> = { start, reload, stop };

const command = COMMANDS[process.argv[2] ?? ''];
if (command === undefined) {
  say(`one of ${Object.keys(COMMANDS).join(', ')} is to be given`);
  process.exitCode = 2;
} else {
  process.exitCode = await command();
}

function start(): number {
  const running = listInstances().length;
  if (running === 0) return apply('start', settingsOf(process.env));
  say(
    `tickcast is there already, ${running} of it: npm run cluster:reload replaces them one by one, npx pm2 status shows them`,
  );
  return 1;
}

function reload(): number {
  const [first, ...others] = listInstances();
  if (first === undefined) {
    say('tickcast does not run: npm run cluster:start starts it');
    return 1;
  }
  const running = runningSettings([first, ...others]);
  const asked = settingsOf(process.env);
  for (const [name, way] of Object.entries(FIXED)) {
    if (asked[name] !== undefined && asked[name] !== running[name]) {
      say(`${name} stays ${running[name]} in a reload; it is changed by ${way}`);
    }
  }
  const kept = Object.fromEntries(Object.keys(FIXED).map((name) => [name, running[name]!]));
  const settings = { ...running, ...asked, ...kept };
  const changed = changes(running, settings);
  say(
    `reload in ${running.TICKCAST_HOME} with the settings that run${changed.length > 0 ? `, but for ${changed.join(' ')}` : ''}`,
  );
  return apply('reload', settings);
}

async function stop(): Promise<number> {
  for (let n = 0; n < DELETIONS_MAX; n++) {
    if (await isGone()) return 0;
    deleteInstances();
  }
  if (await isGone()) return 0;
  say(
    `tickcast comes back after ${DELETIONS_MAX} deletions: npx pm2 status shows it, npx pm2 kill ends all that pm2 runs`,
  );
  return 1;
}

async function isGone(): Promise<boolean> {
  for (let n = 0; n < LOOKS; n++) {
    if (n > 0) await sleep(LOOK_MS);
    if (listInstances().length > 0) return false;
  }
  return true;
}

/** Hands a configuration to pm2 that the code to be run has said yes to. */
function apply(order: 'start' | 'reload', settings: Settings): number {
  const env = { ...process.env, ...settings };
  const { status, stdout, error } = check(settings, env);
  if (status === 0) return applyEcosystem(order, { ...env, ...derivedSettings(stdout, settings) });
  say(`nothing was changed: the configuration cannot be used${error === undefined ? '' : `: ${error.message}`}`);
  return status ?? 1;
}

/** `--print-config` of the code that TICKCAST_HOME leads to, as an instance would read it. */
function check(settings: Settings, env: NodeJS.ProcessEnv) {
  const cwd = settings.TICKCAST_HOME ?? RELEASE;
  const file = settings.TICKCAST_CONFIG === undefined ? [] : ['--config', settings.TICKCAST_CONFIG];
  return spawnSync(process.execPath, [join(cwd, 'src/main.ts'), ...file, '--print-config'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    timeout: CHECK_MS_MAX,
  });
}

function say(text: string): void {
  process.stderr.write(`cluster: ${text}\n`);
}
