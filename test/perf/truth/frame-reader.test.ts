import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../../perf/truth/frame-reader.ts';
import { clientFrame } from '../../support/raw-client.ts';

function reading() {
  const texts: string[] = [];
  const control: string[] = [];
  const faults: string[] = [];
  const reader = new FrameReader({
    onText: (text) => {
      texts.push(text);
      if (text === 'stop') reader.stop();
    },
    onControl: (opcode, payload) => control.push(`${opcode} ${Buffer.from(payload)}`),
    onInvalid: (reason) => faults.push(reason),
  });
  return { reader, texts, control, faults };
}

const frame = (text: string, opcode = 1) => clientFrame(text, { opcode, masked: false });
const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(66_000), 'é'];

describe('a frame reader', () => {
  it.each([1, 7, 1_000, 1_000_000])('hands on whole texts that come in pieces of %i bytes', (size) => {
    const read = reading();
    const bytes = Buffer.concat([...texts.map((text) => frame(text)), frame('x', 9)]);
    for (let at = 0; at < bytes.length; at += size) read.reader.push(bytes.subarray(at, at + size));
    expect(read.texts).toEqual(texts);
    expect(read.control).toEqual(['9 x']);
    expect(read.faults).toEqual([]);
  });

  it('hands on nothing more once it is stopped, though it has it', () => {
    const read = reading();
    read.reader.push(Buffer.concat([frame('a'), frame('stop'), frame('b')]));
    read.reader.push(frame('c'));
    expect(read.texts).toEqual(['a', 'stop']);
  });

  it.each([
    ['a masked frame', clientFrame('a')],
    ['a fragment', clientFrame('a', { fin: false, masked: false })],
    ['a binary frame', frame('a', 2)],
  ])('refuses %s', (_what, bytes) => {
    const read = reading();
    read.reader.push(bytes);
    read.reader.push(frame('b'));
    expect(read.texts).toEqual([]);
    expect(read.faults).toHaveLength(1);
  });
});
