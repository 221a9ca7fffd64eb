import type { LogLevel } from './logger.ts';

/** From the least to the most urgent. */
const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** Whether a line of `level` is logged where `least` is configured. */
export function isLogged(level: LogLevel, least: LogLevel | 'silent'): boolean {
  return least !== 'silent' && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}
