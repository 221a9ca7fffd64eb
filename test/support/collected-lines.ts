import type { Logger, LogLevel } from '../../src/telemetry/logger.ts';

export interface CollectedLine {
  level: LogLevel;
  fields: Record<string, unknown>;
  message: string;
}

/** A logger that keeps what it is told. */
export function collectingLogger(): Logger & { lines: CollectedLine[] } {
  const lines: CollectedLine[] = [];
  const method = (level: LogLevel) => (fields: Record<string, unknown>, message: string) => {
    lines.push({ level, fields, message });
  };
  return {
    lines,
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
  };
}
