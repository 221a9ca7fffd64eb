import type { Publication } from '../../src/dataflow/publication.ts';
import { beginningOf } from '../../src/source/recording-beginning.ts';
import { RecordingReader } from '../../src/source/recording-reader.ts';
import { loadTardisMappers, TardisNormaliser } from '../../src/source/tardis-normaliser.ts';

/** All publications of a recording, in order, without any pace. A last line that is cut off says nothing. */
export async function recordedPublications(file: string): Promise<Publication[]> {
  const { exchange, timeUs } = await beginningOf(file, '');
  const normaliser = new TardisNormaliser(await loadTardisMappers(), exchange, timeUs);
  const reader = await RecordingReader.open(file);
  const publications: Publication[] = [];
  try {
    while ((await reader.read()) !== undefined) {
      for (let line = reader.next(); line !== undefined; line = reader.next()) {
        if (line.kind !== 'received' || reader.mayBeCut) continue;
        publications.push(...normaliser.normalise(JSON.parse(line.text), line.timeUs, line.timeUs));
      }
    }
  } finally {
    await reader.close();
  }
  return publications;
}
