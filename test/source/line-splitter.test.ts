import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/source/line-splitter.ts';
import { linesInPieces } from '../support/lines-in-pieces.ts';

const lines = (text: string | Buffer, cuts: number[] = [], lineBytesMax = 100) =>
  linesInPieces(Buffer.from(text), cuts, lineBytesMax);

const everywhere = (text: string | Buffer) => Array.from({ length: Buffer.from(text).length }, (_, index) => index);

describe('LineSplitter', () => {
  it('cuts lines at LF and CRLF and numbers them', () => {
    expect(lines('one\ntwo\r\nthree\n')).toEqual([
      ['line', 1, 'one', true],
      ['line', 2, 'two', true],
      ['line', 3, 'three', true],
    ]);
  });

  it('passes over empty lines, but counts them', () => {
    expect(lines('\n\r\none\n\n\ntwo\n')).toEqual([
      ['line', 3, 'one', true],
      ['line', 6, 'two', true],
    ]);
  });

  it('keeps a partial line until the rest comes', () => {
    const splitter = new LineSplitter(100);
    splitter.push(Buffer.from('{"a"'));
    expect(splitter.next()).toBe('none');
    splitter.push(Buffer.from(':1}\n{'));
    expect([splitter.next(), splitter.text]).toEqual(['line', '{"a":1}']);
    expect(splitter.next()).toBe('none');
  });

  it('gives the last line without an end when the stream ends, and says so', () => {
    expect(lines('one\ntwo')).toEqual([
      ['line', 1, 'one', true],
      ['line', 2, 'two', false],
    ]);
    expect(lines('one\r')).toEqual([['line', 1, 'one', false]]);
    expect(lines('')).toEqual([]);
  });

  it('puts together characters that were cut apart', () => {
    const text = 'ä€😀\n日本\n';
    expect(lines(text, everywhere(text))).toEqual([
      ['line', 1, 'ä€😀', true],
      ['line', 2, '日本', true],
    ]);
  });

  it('reports a line that is not UTF-8 and goes on', () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0xc3, 0x28, 0x0a]), Buffer.from('b\n')]);
    expect(lines(bytes)).toEqual([
      ['line', 1, 'a', true],
      ['invalidUtf8', 2, '', true],
      ['line', 3, 'b', true],
    ]);
  });

  it('takes a line of just the limit, whatever ends it', () => {
    for (const text of ['12345\n', '12345\r\n', '12345']) {
      for (const cuts of [[], everywhere(text)]) {
        expect(lines(text, cuts, 5)).toEqual([['line', 1, '12345', text.length > 5]]);
      }
    }
  });

  it('reports a line over the limit once, skips it to its end, and goes on', () => {
    for (const long of ['123456', '12345\rx', '1'.repeat(500)]) {
      for (const cuts of [[], everywhere(long)]) {
        expect(lines(`${long}\nnext\n`, cuts, 5)).toEqual([
          ['tooLong', 1, '', true],
          ['line', 2, 'next', true],
        ]);
      }
    }
  });

  it('reports a line over the limit as soon as it is, not at its end', () => {
    const splitter = new LineSplitter(5);
    splitter.push(Buffer.from('123456'));
    expect(splitter.next()).toBe('tooLong');
    expect(splitter.next()).toBe('none');
    splitter.push(Buffer.from('789'));
    expect(splitter.next()).toBe('none');
    splitter.end();
    expect(splitter.next()).toBe('none');
  });

  it('refuses a piece while the one before has not been read', () => {
    const splitter = new LineSplitter(5);
    splitter.push(Buffer.from('1\n2\n'));
    splitter.next();
    expect(() => splitter.push(Buffer.from('3'))).toThrow('has been read');
  });
});
