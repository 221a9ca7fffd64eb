import { fileProblems } from './check-files.ts';
import { crossProblems } from './cross-checks.ts';
import { OPTIONS, type Option } from './options.ts';
import { readArguments } from './read-arguments.ts';
import { type Environment, readEnvironment } from './read-environment.ts';
import { type ReadFile, readConfigFile } from './read-file.ts';
import { readTree, type TreeNode } from './read-tree.ts';
import { configurationError, type Problem, type Reading, valueProblem } from './reading.ts';
import { type Config, type ConfigOverrides, configSchema } from './schema.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Where each value that was given came from, by the option's name; options at their default are missing. */
  readonly origins: ReadonlyMap<string, string>;
}

export interface ConfigInputs {
  /** The arguments behind the program's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** For tests; the file system's by default. */
  readonly readFile?: ReadFile;
}

/**
 * The configuration of the program: default < `--config FILE` < environment < flag. Every value that was given is
 * checked, also one that another overrides.
 * @throws TickcastError INVALID_OPTION or CONFIG_FILE_UNREADABLE: all problems, a line each
 */
export function loadConfig({ argv, env, readFile }: ConfigInputs): LoadedConfig {
  const flags = readArguments(argv);
  const layers: Reading[] = [readEnvironment(env), flags];
  if (flags.file !== undefined) layers.unshift(readConfigFile(flags.file, readFile));
  return assemble(layers, fileProblems);
}

/**
 * The configuration of an embedded gateway: the defaults and what differs from them. Takes a whole configuration too.
 * Keys that are undefined count as missing. The overrides are copied, never frozen.
 * @throws TickcastError INVALID_OPTION: all problems, a line each
 */
export function createConfig(overrides: ConfigOverrides = {}): Config {
  return assemble([readTree(overrides, expandObject, 'Gateway options')]).config;
}

type Check = (config: Config, origins: ReadonlyMap<string, string>) => Problem[];

/** Puts the layers upon each other, later ones on top. */
function assemble(layers: readonly Reading[], check: Check = () => []): LoadedConfig {
  const problems = layers.flatMap((layer) => layer.problems);
  const values = new Map<Option, unknown>();
  const origins = new Map<string, string>();
  const failed = new Set<string>();
  for (const { option, value, origin } of layers.flatMap((layer) => layer.given)) {
    if (option.schema.safeParse(value).success) {
      values.set(option, value);
      origins.set(option.name, origin);
    } else {
      problems.push(valueProblem(option, value, origin));
      failed.add(option.name);
    }
  }
  const config = deepFreeze(configSchema.parse(nest(values)));
  problems.push(...crossProblems(config, origins, failed));
  // A file is worth a look only once the rest is right.
  if (problems.length === 0) problems.push(...check(config, origins));
  if (problems.length > 0) throw configurationError(problems);
  return { config, origins };
}

/** The nested object that the schema takes: every option, given or at its default. */
function nest(values: ReadonlyMap<Option, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const option of OPTIONS) {
    const keys = option.name.split('.');
    const last = keys.pop()!;
    let node = root;
    for (const key of keys) {
      node[key] ??= {};
      node = node[key] as Record<string, unknown>;
    }
    node[last] = values.has(option) ? values.get(option) : option.default;
  }
  return root;
}

function expandObject(node: unknown): TreeNode {
  if (!isPlainObject(node)) return { value: node };
  return { entries: Object.entries(node).filter(([, child]) => child !== undefined) };
}

function isPlainObject(node: unknown): node is Record<string, unknown> {
  if (typeof node !== 'object' || node === null) return false;
  const prototype: unknown = Object.getPrototypeOf(node);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) deepFreeze(child);
    Object.freeze(value);
  }
  return value;
}
