import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A small invented recording of the tests' own. */
export function inventedRecording(name: string): string {
  return fileURLToPath(new URL(`recordings/${name}.ws`, import.meta.url));
}

/** A real recording, which lies beside the repository or where TICKCAST_RECORDINGS says; undefined where it is missing. */
export function realRecording(name: string): string | undefined {
  const folder = process.env.TICKCAST_RECORDINGS ?? `${root}../shared/recordings`;
  const file = `${folder}/${name}.ws`;
  return existsSync(file) ? file : undefined;
}
