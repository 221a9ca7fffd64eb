import { parse } from 'yaml';

/** Variables that begin with `TICKCAST_`: the options of the gateway, and what ecosystem.config.js reads besides. */
export type Settings = Readonly<Record<string, string>>;

/** What pm2 tells of one instance, as far as it is read here. */
export interface Listed {
  readonly name: string;
  readonly pm2_env: {
    readonly pm_cwd: string;
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, unknown>>;
  };
}

/** What the checked configuration decides of how pm2 runs it. */
interface Checked {
  readonly shards: 'auto' | number;
  readonly shutdown: { readonly timeoutMs: number };
}

/** pm2 kills this long after the shutdown has to be over. */
const KILL_AFTER_MS = 5_000;
/** Made by `derivedSettings`, never asked for by an operator. */
const KILL_TIMEOUT = 'TICKCAST_KILL_TIMEOUT';
const DERIVED_SHARDS = 'TICKCAST_DERIVED_SHARDS';
const SECRET = /TOKEN$/i;

/** Those of an environment. Options may be written in any case. */
export function settingsOf(env: Readonly<Record<string, unknown>>): Settings {
  const own = Object.entries(env).filter(
    ([name, value]) =>
      /^TICKCAST_/i.test(name) && name !== KILL_TIMEOUT && name !== DERIVED_SHARDS && value !== undefined,
  );
  return Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
}

/**
 * What the instances were started with, less what was only derived. Their arguments say which file they read, pm2 where and
 * how many they are: the variables may have been overtaken, by a reload past these scripts or by `pm2 scale`.
 */
export function runningSettings(instances: readonly [Listed, ...Listed[]]): Settings {
  const { pm_cwd, args = [], env = {} } = instances[0].pm2_env;
  const { TICKCAST_CONFIG: _config, ...settings } = settingsOf(env);
  if (env[DERIVED_SHARDS]) delete (settings as Record<string, string>).TICKCAST__SHARDS;
  const file = args[args.indexOf('--config') + 1];
  return {
    ...settings,
    ...(args.includes('--config') && file !== undefined ? { TICKCAST_CONFIG: file } : {}),
    TICKCAST_HOME: pm_cwd,
    TICKCAST_INSTANCES: String(instances.length),
  };
}

/** What a reload cannot change, and what does. pm2 goes on with the path and the number of the instances. */
export const FIXED: Settings = {
  TICKCAST_HOME: 'npm run cluster:stop and cluster:start',
  TICKCAST_INSTANCES: 'npx pm2 scale tickcast N',
};

/** What differs, one word each; secrets by name only. Empty where nothing does. */
export function changes(before: Settings, after: Settings): string[] {
  return Object.keys(after)
    .filter((name) => after[name] !== before[name])
    .map((name) => `${name}=${SECRET.test(name) ? '(hidden)' : after[name]}`);
}

/**
 * What ecosystem.config.js is to take from a configuration that has been checked, since it reads no YAML itself.
 * @param printed by `--print-config`
 */
export function derivedSettings(printed: string, settings: Settings): Settings {
  const { shards, shutdown } = parse(printed) as Checked;
  const areGiven = Object.keys(settings).some((name) => name.toUpperCase() === 'TICKCAST__SHARDS');
  return {
    [KILL_TIMEOUT]: String(shutdown.timeoutMs + KILL_AFTER_MS),
    // pm2 forgets no variable in a reload: empty where it does not apply.
    [DERIVED_SHARDS]: areGiven ? '' : String(shards),
  };
}
