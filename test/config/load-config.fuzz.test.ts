import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { effectiveYaml } from '../../src/config/config-yaml.ts';
import { createConfig, type LoadedConfig, loadConfig } from '../../src/config/load-config.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { environmentVariable } from '../../src/config/read-environment.ts';
import { type Config, type ConfigOverrides, configSchema } from '../../src/config/schema.ts';
import { TickcastError } from '../../src/util/errors.ts';
import { seedOfRun } from '../support/seeded-random.ts';

const seed = seedOfRun('configuration');
const bounds = { seed, numRuns: 3_000, interruptAfterTimeLimit: 5_000 };

const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);
const POISON = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
const SECRET = 'Zq7-never-to-be-seen';

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...OPTIONS.map((option) => option.name)) },
  fc.constantFrom(
    ...POISON,
    ...POISON.map((key) => `server.${key}`),
    'server',
    'source.simulator',
    'config',
    'help',
    '',
  ),
  fc.string({ maxLength: 12 }),
);
const text = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    '-1',
    'true',
    'false',
    'auto',
    'max',
    'trade',
    'trade,depth',
    '1e9',
    '0x1',
    'NaN',
    '/ws',
    '{}',
    '[',
    '&a *a',
    '*a',
  ),
  fc.integer().map(String),
  fc.double().map(String),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const argument = fc.oneof(
  fc.tuple(name, text).map(([key, value]) => [`--${key}`, value]),
  fc.tuple(name, text).map(([key, value]) => [`--${key}=${value}`]),
  name.map((key) => [`--${key}`]),
  text.map((value) => [value]),
);
const argv = fc.array(argument, { maxLength: 6 }).map((parts) => parts.flat());
const variable = fc.oneof(
  fc.constantFrom(...OPTIONS.map(environmentVariable)),
  name.map((key) => `tickcast__${key.replaceAll('.', '__')}`),
  fc.string({ maxLength: 12 }),
);
const env = fc.array(fc.tuple(variable, text), { maxLength: 6 }).map((entries) => Object.fromEntries(entries));
const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('node'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc
    .array(
      fc.tuple(
        fc.oneof(
          name,
          name.map((key) => key.split('.')[0]!),
          name.map((key) => key.split('.').at(-1)!),
        ),
        tie('node'),
      ),
      { maxLength: 5 },
    )
    // Through JSON, where __proto__ is a key like others.
    .map((entries) =>
      JSON.parse(
        `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${JSON.stringify(child) ?? 'null'}`).join(',')}}`,
      ),
    ),
}));
const yaml = fc.oneof(
  tree.node.map((node) => JSON.stringify(node)),
  fc
    .array(
      fc.tuple(fc.nat(6), name, text).map(([indent, key, value]) => `${' '.repeat(indent)}${key}: ${value}`),
      { maxLength: 8 },
    )
    .map((lines) => lines.join('\n')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

/** The configuration, or undefined where it was refused with all due form. */
function outcome<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(TickcastError);
    const { code, message, detail } = thrown as TickcastError;
    expect(['INVALID_OPTION', 'CONFIG_FILE_UNREADABLE']).toContain(code);
    expect(message.split('\n')).toHaveLength((detail as { problems: unknown[] }).problems.length);
    return undefined;
  }
}

function expectValid(config: Config): void {
  expect(configSchema.safeParse(config).success).toBe(true);
  expect(Object.isFrozen(config.source.simulator)).toBe(true);
}

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
});

it('gives a valid configuration or an error that names each problem on its line, whatever it is given', () => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(argv, env, yaml, fc.boolean(), (args, environment, file, withFile) => {
      const all = withFile ? ['--config', 'c.yaml', ...args] : args;
      const loaded = outcome(() => loadConfig({ argv: all, env: environment, readFile: () => file }));
      if (loaded === undefined) refused++;
      else {
        accepted++;
        expectValid(loaded.config);
      }
    }),
    bounds,
  );
  expect(accepted).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
});

it('does so for the overrides of an embedding program', () => {
  fc.assert(
    fc.property(
      fc.oneof(tree.node, fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true })),
      (overrides) => {
        const config = outcome(() => createConfig(overrides as ConfigOverrides));
        if (config !== undefined) expectValid(config);
      },
    ),
    bounds,
  );
});

it('reads one value the same from a flag and from the environment', () => {
  fc.assert(
    fc.property(fc.constantFrom(...OPTIONS), text, (option, value) => {
      const fromFlag = outcome(() => loadConfig({ argv: [`--${option.name}=${value}`], env: {} }));
      const fromEnvironment = outcome(() => loadConfig({ argv: [], env: { [environmentVariable(option)]: value } }));
      expect(fromEnvironment?.config).toEqual(fromFlag?.config);
    }),
    bounds,
  );
});

it('prints every configuration so that it can be read again', () => {
  const setting = fc
    .constantFrom(...OPTIONS.filter((option) => !option.secret))
    .chain((option) => fc.tuple(fc.constant(option), text));
  fc.assert(
    fc.property(fc.array(setting, { maxLength: 4 }), (settings) => {
      const args = settings.map(([option, value]) => `--${option.name}=${value}`);
      const loaded = outcome<LoadedConfig>(() => loadConfig({ argv: args, env: {} }));
      if (loaded === undefined) return;
      const again = loadConfig({ argv: ['--config', 'c.yaml'], env: {}, readFile: () => effectiveYaml(loaded) });
      expect(again.config).toEqual(loaded.config);
    }),
    bounds,
  );
});

it('never shows the value of the token', () => {
  const beside = fc.constantFrom('', ' ', '\n', '"', ' "', ': ', '\t');
  fc.assert(
    fc.property(beside, beside, argv, fc.nat(3), (before, after, others, where) => {
      const token = `${before}${SECRET}${after}`;
      const inputs = [
        { argv: ['--admin.token', token, ...others] },
        { argv: [...others, `--admin.token=${token}`] },
        { argv: others, env: { TICKCAST__ADMIN__TOKEN: token } },
        {
          argv: ['--config', 'c.yaml', ...others], // On a line of its own it could only be a name, and unknown names are shown.
          readFile: () => `admin:\n  token: ${token.trimStart()}\n`,
        },
      ][where]!;
      try {
        expect(effectiveYaml(loadConfig({ env: {}, ...inputs }))).not.toContain(SECRET);
      } catch (thrown) {
        if (!(thrown instanceof TickcastError)) throw thrown;
        expect(thrown.message + JSON.stringify(thrown.detail)).not.toContain(SECRET);
      }
    }),
    bounds,
  );
});
