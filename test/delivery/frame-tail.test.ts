import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FrameTail, textOfFrame, withTail } from '../../src/delivery/frame-tail.ts';
import { frameHeaderBytes, textFrame } from '../../src/frame/frame-header.ts';
import { textsOf } from '../support/received-frames.ts';

/** A data frame's text whose payload says this, and as a frame in the middle of other bytes. */
function frameIn(payload: unknown, prevSeq = 7) {
  const text = JSON.stringify({ type: 'trade', payload, timestamp: 1, seq: 9, prevSeq });
  const frame = textFrame(text);
  const start = 5;
  const bytes = Buffer.concat([Buffer.from('"a":1'), frame, Buffer.from(',"b":2}')]);
  return { text, bytes, start, end: start + frame.length };
}

function rewritten(payload: unknown, tail: FrameTail, prevSeq?: number): string {
  const { bytes, start, end } = frameIn(payload, prevSeq);
  const before = Buffer.from(bytes);
  const texts = textsOf(withTail(bytes, start, end, tail));
  expect(bytes.equals(before), 'what was read from stays as it was').toBe(true);
  expect(texts).toHaveLength(1);
  return texts[0]!;
}

function expected(payload: unknown, { prevSeq, merged = 0, snapshot, resumeSeq }: FrameTail): string {
  return JSON.stringify({
    type: 'trade',
    payload,
    timestamp: 1,
    seq: 9,
    prevSeq,
    ...(merged > 0 ? { merged } : {}),
    ...(snapshot ? { snapshot } : {}),
    ...(resumeSeq === undefined ? {} : { resumeSeq }),
  });
}

const tail: fc.Arbitrary<FrameTail> = fc.record(
  {
    prevSeq: fc.oneof(fc.nat(20), fc.constant(Number.MAX_SAFE_INTEGER)),
    merged: fc.nat(20_000),
    snapshot: fc.boolean(),
    resumeSeq: fc.oneof(fc.nat(20), fc.constant(Number.MAX_SAFE_INTEGER)),
  },
  { requiredKeys: ['prevSeq'] },
);

describe('withTail', () => {
  it('replaces what stands behind prevSeq, in the order of the protocol', () => {
    const all = { prevSeq: 3, merged: 2, snapshot: true, resumeSeq: 1 };
    expect(rewritten({ a: 1 }, all)).toBe(
      '{"type":"trade","payload":{"a":1},"timestamp":1,"seq":9,"prevSeq":3,"merged":2,"snapshot":true,"resumeSeq":1}',
    );
    expect(rewritten({ a: 1 }, { prevSeq: 0 })).toBe(expected({ a: 1 }, { prevSeq: 0 }));
  });

  it('leaves out what says nothing, but not a resumeSeq of 0', () => {
    expect(rewritten({}, { prevSeq: 1, merged: 0, snapshot: false })).toBe(expected({}, { prevSeq: 1 }));
    expect(rewritten({}, { prevSeq: 1, resumeSeq: 0 })).toMatch(/"prevSeq":1,"resumeSeq":0}$/);
  });

  it('is not misled by a payload that looks like a tail', () => {
    const payload = { text: '"prevSeq":5}', prevSeq: 5, seq: { prevSeq: [1, { prevSeq: 2 }] }, 'a"prevSeq":': ':' };
    expect(rewritten(payload, { prevSeq: 8, merged: 1 })).toBe(expected(payload, { prevSeq: 8, merged: 1 }));
  });

  it('gives a frame of every class of length the header of its new length', () => {
    // With another tail some of these are of another class than they were, either way.
    for (const around of [125, 126, 65_535, 65_536]) {
      for (let length = around - 60; length <= around + 5; length++) {
        const bare = JSON.stringify({ type: 'trade', payload: '', timestamp: 1, seq: 9, prevSeq: 123_456 }).length;
        const payload = 'x'.repeat(Math.max(0, length - bare));
        for (const next of [{ prevSeq: 1 }, { prevSeq: 1, merged: 9_999, snapshot: true, resumeSeq: 9_999_999 }]) {
          expect(rewritten(payload, next, 123_456)).toBe(expected(payload, next));
        }
      }
    }
  });

  it('keeps text of any kind', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 3 }),
        fc.string({ unit: 'binary', maxLength: 200 }),
        tail,
        (value, text, next) => {
          const payload = { value, text };
          expect(rewritten(payload, next)).toBe(expected(payload, next));
        },
      ),
    );
  });
});

describe('textOfFrame', () => {
  it('reads the text behind a header of any length', () => {
    for (const length of [0, 125, 126, 65_535, 65_536, 70_000]) {
      const { text, bytes, start, end } = frameIn('ü'.repeat(length / 2));
      expect([2, 4, 10]).toContain(frameHeaderBytes(Buffer.byteLength(text)));
      expect(textOfFrame(bytes, start, end)).toBe(text);
    }
  });
});
