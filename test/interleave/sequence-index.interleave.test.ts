import { describe, expect, it } from 'vitest';
import { allocateSequenceIndex, SequenceIndexReader, SequenceIndexWriter } from '../../src/ring/sequence-index.ts';
import { everyChoice } from '../support/every-choice.ts';
import { type Effect, EffectRecorder } from '../support/memory-effects.ts';

/*
 * The writer sets an entry while a shard looks an older one up that stands in the same place. Of the writer's fields any may
 * be visible and any other not yet, but for what stands before the number, an `Atomics` call: who sees that sees them.
 *
 * Allowed: the older publication's own topic and position, or -1; as the newest, one whose topic and position can be read.
 */
const RING_BYTES = 2_048;
/** Where a field begins, that becomes visible at once: the newest seq, and of an entry position, topic and number. */
const FIELDS = [0, 8, 12];
const ENTRY_BYTES = 16;

describe('sequence index, part of an entry written', () => {
  it.each([1, 2 ** 31 - 20, 2 ** 32 - 20])(
    'never tells the topic or the position of another publication, from seq %i on',
    (first) => {
      const memory = allocateSequenceIndex(RING_BYTES);
      const writer = new SequenceIndexWriter(memory);
      const reader = new SequenceIndexReader(memory);
      const over = first + memory.entries;
      for (let seq = first; seq < over; seq++) writer.set(seq, seq * 8, seq % 1_000);
      const recorder = new EffectRecorder([memory.memory]);
      const fields = recorder.record(() => writer.set(over, over * 8 + 4, 4_711)).flatMap(fieldsOf);
      const number = fields.findIndex(({ atomic }) => atomic);
      const replay = recorder.replay(fields);
      const newest = new Set<number>();
      const runs = everyChoice((choose) => {
        replay.rewind();
        const visible = fields.map(() => choose(2) === 1);
        if (visible[number]) visible.fill(true, 0, number);
        for (const each of visible) {
          if (each) replay.run(1);
          else replay.skip(1);
        }
        for (let seq = first; seq < over; seq++) {
          expect([-1, seq % 1_000]).toContain(reader.topic(seq));
          expect([-1, seq * 8]).toContain(reader.position(seq));
        }
        const told = reader.newest();
        newest.add(told);
        const expected = told === over ? [4_711, over * 8 + 4] : [told % 1_000, told * 8];
        expect([reader.topic(told), reader.position(told)]).toEqual(expected);
      });
      expect(fields.length).toBe(4);
      expect(runs).toBe(16);
      expect(newest).toEqual(new Set([over - 1, over]));
    },
  );
});

function fieldsOf(effect: Effect): Effect[] {
  const { offset, bytes } = effect;
  const fields: Effect[] = [];
  for (let from = 0; from < bytes.length; ) {
    let to = from + 1;
    while (to < bytes.length && !FIELDS.includes((offset + to) % ENTRY_BYTES)) to++;
    fields.push({ ...effect, offset: offset + from, bytes: bytes.subarray(from, to) });
    from = to;
  }
  return fields;
}
