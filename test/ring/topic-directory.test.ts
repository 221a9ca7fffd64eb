import { describe, expect, it } from 'vitest';
import { NO_POSITION } from '../../src/ring/layout.ts';
import {
  allocateTopicDirectory,
  TOPIC_NAME_BYTES_MAX,
  type TopicDirectoryMemory,
  TopicDirectoryReader,
  TopicDirectoryWriter,
  type TopicName,
} from '../../src/ring/topic-directory.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';

describe('topic directory', () => {
  it('gives ids from 0 in the order of adding', () => {
    const { writer, reader } = directoryOf(4);
    expect(reader.count()).toBe(0);
    expect([add(writer, 'A'), add(writer, 'B'), add(writer, 'C')]).toEqual([0, 1, 2]);
    expect([writer.size, reader.count()]).toEqual([3, 3]);
    expect(reader.name(1)).toEqual({ exchange: 'binance', symbol: 'B', dataType: 'trade' });
  });

  it.each<TopicName>([
    { exchange: 'binance', symbol: 'BTC/USDT', dataType: 'trade' },
    { exchange: null, symbol: null, dataType: null },
    { exchange: null, symbol: 'null', dataType: 'null' },
    { exchange: '', symbol: '', dataType: '' },
    { exchange: 'börse', symbol: '日経225🚀', dataType: 'kline_1m' },
    { exchange: '__proto__', symbol: 'constructor', dataType: 'toString' },
    { exchange: '"],[', symbol: '\\\u0000\n\u2028', dataType: '\ud800 alone' },
  ])('keeps the name %j as it is', (name) => {
    const { writer, reader } = directoryOf(2);
    add(writer, 'before');
    expect(reader.name(writer.add(name))).toEqual(name);
  });

  it('refuses one topic too many, and keeps the others', () => {
    const { writer, reader } = directoryOf(2);
    expect([add(writer, 'A'), add(writer, 'B'), add(writer, 'C')]).toEqual([0, 1, -1]);
    expect([writer.size, reader.count()]).toEqual([2, 2]);
    expect(reader.name(1).symbol).toBe('B');
  });

  it('takes the longest name and refuses one byte more, without using up a topic', () => {
    const { writer, reader } = directoryOf(2);
    const rest = JSON.stringify(['binance', '', 'trade']).length;
    const longest = 'x'.repeat(TOPIC_NAME_BYTES_MAX - rest);
    expect(add(writer, `${longest}x`)).toBe(-1);
    expect(add(writer, longest)).toBe(0);
    // Bytes count, not characters.
    expect(add(writer, 'ä'.repeat(longest.length / 2 + 1))).toBe(-1);
    expect(reader.count()).toBe(1);
    expect(reader.name(0).symbol).toBe(longest);
  });

  it('refuses a name for which the text has no room, takes a shorter one, and keeps the others', () => {
    const { writer, reader } = directoryOf(2_000);
    const long = (i: number) => `${i}`.padEnd(900, '.');
    let count = 0;
    while (add(writer, long(count)) >= 0) count++;
    expect(count).toBeGreaterThan(100);
    expect(count).toBeLessThan(2_000);
    expect(add(writer, 'short')).toBe(count);
    expect(reader.count()).toBe(count + 1);
    for (let i = 0; i < count; i++) expect(reader.name(i).symbol).toBe(long(i));
    expect(reader.name(count).symbol).toBe('short');
  });

  it('holds as many topics of common length as it was made for', () => {
    const { writer, reader } = directoryOf(5_000);
    for (let i = 0; i < 5_000; i++) expect(add(writer, `SYMBOL-${i}-USDT-PERPETUAL`)).toBe(i);
    expect(reader.name(4_999).symbol).toBe('SYMBOL-4999-USDT-PERPETUAL');
  });

  it('says no latest position before the first, then the newest', () => {
    const { writer, reader } = directoryOf(2);
    add(writer, 'A');
    add(writer, 'B');
    expect([reader.latest(0), reader.latest(1)]).toEqual([-1, -1]);
    writer.setLatest(1, 2 ** 52 + 8);
    expect([reader.latest(0), reader.latest(1)]).toEqual([-1, 2 ** 52 + 8]);
    writer.setLatest(1, 2 ** 52 + 128);
    expect(reader.latest(1)).toBe(2 ** 52 + 128);
  });

  it('says no position of a book before the first, then the newest, apart from the latest record', () => {
    const { writer, reader } = directoryOf(3);
    for (const symbol of ['A', 'B', 'C']) add(writer, symbol);
    writer.setLatest(1, 800);
    expect([0, 1, 2].map((topic) => reader.book(topic))).toEqual([-1, -1, -1]);
    writer.setBook(1, 2 ** 52 + 8);
    writer.setBook(2, 0);
    expect([0, 1, 2].map((topic) => reader.book(topic))).toEqual([-1, 2 ** 52 + 8, 0]);
    expect([0, 1, 2].map((topic) => reader.latest(topic))).toEqual([-1, 800, -1]);
    writer.setBook(1, NO_POSITION);
    expect([reader.book(1), reader.latest(1)]).toEqual([-1, 800]);
  });

  it('knows of no topic that it was given up, until it is', () => {
    const { writer, reader } = directoryOf(3);
    for (const symbol of ['A', 'B', 'C']) add(writer, symbol);
    writer.setLatest(1, 800);
    writer.setBook(1, 400);
    expect([0, 1, 2].map((topic) => reader.givenUp(topic))).toEqual([undefined, undefined, undefined]);
    const newest = { seq: 2 ** 52 + 1, ordinal: 2 ** 32 - 1, slot: 15, policy: 3 };
    writer.giveUp(1, newest);
    expect([reader.latest(1), reader.book(1)]).toEqual([NO_POSITION, NO_POSITION]);
    expect([0, 1, 2].map((topic) => reader.givenUp(topic))).toEqual([undefined, newest, undefined]);
    writer.giveUp(1, { ...newest, seq: 7, ordinal: 2, slot: 0, policy: 0 });
    expect(reader.givenUp(1)).toEqual({ seq: 7, ordinal: 2, slot: 0, policy: 0 });
  });

  it('tells of a topic that is given up what is true before, nothing, or what is true then', () => {
    const { writer, reader } = directoryOf(1);
    add(writer, 'A');
    const first = { seq: 5, ordinal: 1, slot: 1, policy: 0 };
    const second = { seq: 9, ordinal: 2, slot: 2, policy: 2 };
    writer.giveUp(0, first);
    writer.setLatest(0, 80);
    const told: unknown[] = [];
    const look = () => {
      const position = reader.latest(0);
      const givenUp = reader.givenUp(0);
      told.push(givenUp);
      if (position === NO_POSITION) expect(givenUp).toEqual(second);
    };
    withAtomicsHooks({ before: look, after: look }, () => writer.giveUp(0, second));
    expect(new Set(told.map((each) => JSON.stringify(each)))).toEqual(
      new Set([JSON.stringify(first), undefined, JSON.stringify(second)]),
    );
    // And in the midst of the look itself.
    for (let step = 1; step <= 4; step++) {
      writer.giveUp(0, first);
      let steps = 0;
      const before = () => {
        if (++steps === step) writer.giveUp(0, second);
      };
      const seen = withAtomicsHooks({ before }, () => reader.givenUp(0));
      expect([first, undefined, second]).toContainEqual(seen);
    }
  });

  it('keeps positions and names of all its topics apart', () => {
    const { writer, reader } = directoryOf(1_000);
    for (let topic = 0; topic < 1_000; topic++) {
      add(writer, `S${topic}`);
      writer.setLatest(topic, topic * 8);
      writer.giveUp(topic, { seq: topic + 1, ordinal: topic + 2, slot: 3, policy: 1 });
      writer.setLatest(topic, topic * 8);
      writer.setBook(topic, topic * 16);
    }
    for (let topic = 0; topic < 1_000; topic++) {
      expect([reader.name(topic).symbol, reader.latest(topic), reader.book(topic)]).toEqual([
        `S${topic}`,
        topic * 8,
        topic * 16,
      ]);
      expect(reader.givenUp(topic)).toEqual({ seq: topic + 1, ordinal: topic + 2, slot: 3, policy: 1 });
    }
  });

  it('counts a topic only when its name and its empty positions stand', () => {
    const { writer, reader, directory } = directoryOf(2);
    const count = new Int32Array(directory.memory, 0, 1);
    writer.setLatest(1, 4_711);
    writer.setBook(1, 4_711);
    add(writer, 'A');
    const counts: number[] = [];
    const before = () => {
      counts.push(reader.count());
      // All of it is written by now, though nobody may look yet.
      count[0] = 2;
      expect(reader.name(1)).toEqual({ exchange: 'binance', symbol: 'B', dataType: 'trade' });
      expect([reader.latest(1), reader.book(1)]).toEqual([-1, -1]);
      count[0] = 1;
    };
    withAtomicsHooks({ before, after: () => void counts.push(reader.count()) }, () => add(writer, 'B'));
    expect(counts).toEqual([1, 2]);
  });

  it('has no name for an id that it has not given', () => {
    const { writer, reader } = directoryOf(2);
    add(writer, 'A');
    expect(() => reader.name(1)).toThrow('topic id');
    expect(() => reader.name(-1)).toThrow('topic id');
  });
});

function directoryOf(topicsMax: number) {
  const directory: TopicDirectoryMemory = allocateTopicDirectory(topicsMax);
  return { directory, writer: new TopicDirectoryWriter(directory), reader: new TopicDirectoryReader(directory) };
}

function add(writer: TopicDirectoryWriter, symbol: string): number {
  return writer.add({ exchange: 'binance', symbol, dataType: 'trade' });
}
