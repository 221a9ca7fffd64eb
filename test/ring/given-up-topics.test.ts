import { describe, expect, it } from 'vitest';
import { NO_POSITION } from '../../src/ring/layout.ts';
import type { TopicNumbers } from '../../src/ring/topic-directory.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';
import { TestTopics } from '../support/test-topics.ts';

function topicsOf(count: number): TestTopics {
  const topics = new TestTopics(count);
  for (let topic = 0; topic < count; topic++) topics.add('binance', `S${topic}`, 'trade');
  return topics;
}

describe('a topic whose latest value is given up', () => {
  it('has no position any more, and keeps the numbers of its newest publication', () => {
    const { writer, reader } = topicsOf(1);
    writer.setLatest(0, 4_096);
    writer.setBook(0, 2_048);
    expect(reader.givenUp(0)).toBeUndefined();
    writer.giveUp(0, { seq: 7, ordinal: 3, slot: 2, policy: 1 });
    expect([reader.latest(0), reader.book(0)]).toEqual([NO_POSITION, NO_POSITION]);
    expect(reader.givenUp(0)).toEqual({ seq: 7, ordinal: 3, slot: 2, policy: 1 });
    writer.setLatest(0, 8_192);
    expect(reader.latest(0)).toBe(8_192);
  });

  it.each<TopicNumbers>([
    { seq: 1, ordinal: 0, slot: 0, policy: 0 },
    { seq: Number.MAX_SAFE_INTEGER, ordinal: 2 ** 32 - 1, slot: 2 ** 15 - 1, policy: 3 },
    { seq: 2 ** 32, ordinal: 2 ** 31, slot: 1, policy: 2 },
  ])('keeps them whole: %j', (numbers) => {
    const { writer, reader } = topicsOf(1);
    writer.giveUp(0, numbers);
    expect(reader.givenUp(0)).toEqual(numbers);
  });

  it('disturbs no other, nor their names', () => {
    const { writer, reader } = topicsOf(300);
    const numbers = (topic: number) => ({ seq: topic + 1, ordinal: topic * 3, slot: topic % 9, policy: topic % 4 });
    for (let topic = 0; topic < 300; topic += 2) writer.giveUp(topic, numbers(topic));
    for (let topic = 0; topic < 300; topic++) {
      expect(reader.givenUp(topic)).toEqual(topic % 2 === 0 ? numbers(topic) : undefined);
      expect(reader.name(topic).symbol).toBe(`S${topic}`);
    }
  });

  it('shows its old numbers, none, or its new ones at every step of the writer, and never a part of each', () => {
    const { writer, reader } = topicsOf(1);
    const [old, fresh] = [
      { seq: 7, ordinal: 3, slot: 2, policy: 1 },
      { seq: 90, ordinal: 8, slot: 4, policy: 2 },
    ];
    writer.giveUp(0, old);
    const seen: (TopicNumbers | undefined)[] = [];
    const look = () => void seen.push(reader.givenUp(0));
    withAtomicsHooks({ before: look, after: look }, () => writer.giveUp(0, fresh));
    for (const numbers of seen) expect([old, undefined, fresh]).toContainEqual(numbers);
    expect(new Set(seen.map((numbers) => numbers?.seq))).toEqual(new Set([7, undefined, 90]));
  });

  it('shows none to a reader whom the writer has overtaken', () => {
    const { writer, reader } = topicsOf(1);
    const old = { seq: 7, ordinal: 3, slot: 2, policy: 1 };
    for (let step = 1; step <= 4; step++) {
      writer.giveUp(0, old);
      let calls = 0;
      const before = () => {
        if (++calls === step) writer.giveUp(0, { seq: 90, ordinal: 8, slot: 4, policy: 2 });
      };
      let numbers: TopicNumbers | undefined;
      withAtomicsHooks({ before }, () => {
        numbers = reader.givenUp(0);
      });
      expect([undefined, { seq: 90, ordinal: 8, slot: 4, policy: 2 }]).toContainEqual(numbers);
    }
  });
});
