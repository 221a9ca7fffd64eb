import { TickcastError } from '../util/errors.ts';
import { exchangeOfUrl, knownHosts } from './recording-exchange.ts';
import { type RecordingLine, RecordingReader } from './recording-reader.ts';

/** A file that has nothing in the format by then is no recording. */
const LINES_MAX = 1_000;

/** How a recording begins: whose it is, as a tardis-dev id that may yet be unknown there, and when, µs since the epoch. */
export interface RecordingBeginning {
  exchange: string;
  timeUs: number;
}

/**
 * Reads the first line of a recording that is in the format.
 * @param exchange whose it is; empty: told by the host of that line
 * @throws TickcastError RECORDING_UNREADABLE for a file that cannot be read, has no such line, or does not tell whose it is
 */
export async function beginningOf(file: string, exchange: string): Promise<RecordingBeginning> {
  const line = await firstLine(file);
  return { exchange: exchange === '' ? exchangeOf(file, line) : exchange, timeUs: line.timeUs };
}

export function unplayable(file: string, reason: string): TickcastError {
  return new TickcastError('RECORDING_UNREADABLE', `Cannot play the recording ${file}: ${reason}`, { file });
}

type FormattedLine = Exclude<RecordingLine, { kind: 'unreadable' }>;

async function firstLine(file: string): Promise<FormattedLine> {
  const reader = await RecordingReader.open(file);
  try {
    while ((await reader.read()) !== undefined) {
      for (let line = reader.next(); line !== undefined; line = reader.next()) {
        if (line.kind !== 'unreadable') return line;
        if (reader.lineNumber >= LINES_MAX)
          throw unplayable(file, `its first ${LINES_MAX} lines are not in the format`);
      }
    }
  } finally {
    await reader.close();
  }
  throw unplayable(file, 'no line of it is in the format');
}

function exchangeOf(file: string, line: FormattedLine): string {
  if (line.kind === 'received') {
    const reason =
      'it does not begin with a wss://HOST line that tells the exchange; name it by source.recording.exchange';
    throw unplayable(file, reason);
  }
  const exchange = exchangeOfUrl(line.url);
  if (exchange !== undefined) return exchange;
  const allowed = `name it by source.recording.exchange; hosts that are known: ${knownHosts().join(', ')}`;
  throw unplayable(file, `the exchange at ${line.url} is not known; ${allowed}`);
}
