import { setTimeout as pause } from 'node:timers/promises';
import { effectiveYaml } from './config/config-yaml.ts';
import { type LoadedConfig, loadConfig } from './config/load-config.ts';
import { helpText } from './config/option-text.ts';
import { COMMANDS, readArguments } from './config/read-arguments.ts';
import type { Environment } from './config/read-environment.ts';
import type { Config } from './config/schema.ts';
import { VERSION } from './config/version.ts';
import { onFirstSignal, stopOnSignals } from './control/signals.ts';
import type { Gateway, GatewayParts } from './gateway.ts';
import { type ErrorCode, errorMessage, TickcastError } from './util/errors.ts';

const [COMPARE] = COMMANDS;
/** How long a process manager waits for a first publication, and how often one is looked for, ms. */
const FIRST_PUBLICATION_MS = 3_000;
const FIRST_LOOK_MS = 20;
const STATUS_MACHINE = 1;
const STATUS_ASKED = 2;
const ASKED_WRONGLY: ReadonlySet<ErrorCode> = new Set([
  'INVALID_OPTION',
  'CONFIG_FILE_UNREADABLE',
  'RECORDING_UNREADABLE',
]);

/**
 * Does what the arguments ask for. Ends the process with status 1 or 2 where that cannot be, with the reason on standard
 * error; resolves once the text is printed, the gateway runs, or two servers have been compared.
 */
export async function runCommandLine(argv: readonly string[], env: Environment): Promise<void> {
  surviveClosedOutput();
  if (argv[0] === COMPARE) return compareOrExit(argv.slice(1));
  const { action } = readArguments(argv);
  if (action === 'help') return print(helpText());
  if (action === 'version') return print(`${VERSION}\n`);
  const loaded = loadOrExit(argv, env);
  if (action === 'print-config') return print(effectiveYaml(loaded));
  await startOrExit(loaded.config);
}

async function compareOrExit(argv: readonly string[]): Promise<void> {
  try {
    const { runCompare } = await import('./compare/compare-command.ts');
    process.exitCode = await runCompare(argv, { print, report, onEnding: onFirstSignal });
  } catch (error) {
    exitWith(error, `${COMPARE} --help`);
  }
}

function loadOrExit(argv: readonly string[], env: Environment): LoadedConfig {
  try {
    return loadConfig({ argv, env });
  } catch (error) {
    return exitWith(error);
  }
}

/** Runs a gateway until a signal stops it, and tells the process manager when it is ready; ends the process where it cannot. */
export async function startOrExit(config: Config, parts: GatewayParts = {}): Promise<void> {
  let stopping = () => false;
  try {
    const { Gateway } = await import('./gateway.ts');
    const gateway = new Gateway(config, { ...parts, ownsProcess: true });
    // Before the start, so that a signal while the shards come up drains what is there.
    stopping = stopOnSignals(gateway, { timeoutMs: config.shutdown.timeoutMs, report });
    await gateway.start();
    if (process.send === undefined) return;
    // A process manager that waits for it (pm2's wait_ready) takes the old instance down then.
    await firstPublication(gateway);
    if (!stopping()) process.send('ready');
  } catch (error) {
    // While a signal's stop is under way, its outcome alone decides: a start it has cut short is no failure.
    if (!stopping()) exitWith(error);
  }
}

/** An instance that has data can prove to clients of the one before what they have missed. A quiet source is not waited for. */
async function firstPublication({ dataFlow, config }: Gateway): Promise<void> {
  if (config.source.kind === 'none') return;
  const untilMs = performance.now() + FIRST_PUBLICATION_MS;
  while (dataFlow.getStats().totalProcessed === 0 && performance.now() < untilMs) await pause(FIRST_LOOK_MS);
}

function exitWith(error: unknown, help = '--help'): never {
  const askedWrongly = error instanceof TickcastError && ASKED_WRONGLY.has(error.code);
  // An operating error's message says all there is to say; of anything else the place matters.
  report(error instanceof TickcastError ? error.message : stackOf(error));
  if (askedWrongly) process.stderr.write(`${help} lists the options and what they allow\n`);
  process.exit(askedWrongly ? STATUS_ASKED : STATUS_MACHINE);
}

function stackOf(error: unknown): string {
  return (error instanceof Error ? error.stack : undefined) ?? errorMessage(error);
}

/** Each line of the text on standard error, under the program's name. */
function report(text: string): void {
  process.stderr.write(`${text.replace(/^(?! )/gm, 'tickcast: ')}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}

/** A reader that goes away (`| head`, a log shipper that restarts) is no reason to end, and none to fill a screen. */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
