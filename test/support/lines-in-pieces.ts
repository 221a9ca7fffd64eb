import { LineSplitter } from '../../src/source/line-splitter.ts';

/** Everything a splitter says of `bytes`, cut into pieces at the given offsets. */
export function linesInPieces(bytes: Buffer, cuts: readonly number[], lineBytesMax: number): unknown[] {
  const splitter = new LineSplitter(lineBytesMax);
  const found: unknown[] = [];
  const take = () => {
    for (let verdict = splitter.next(); verdict !== 'none'; verdict = splitter.next()) {
      found.push([verdict, splitter.lineNumber, splitter.text, splitter.terminated]);
    }
  };
  const ends = [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b);
  let begin = 0;
  // One buffer for all pieces, overwritten each time, as a reader of files does.
  const piece = Buffer.alloc(bytes.length);
  for (const end of [...ends, bytes.length]) {
    const length = bytes.copy(piece, 0, begin, end);
    splitter.push(piece.subarray(0, length));
    take();
    begin = end;
  }
  splitter.end();
  take();
  return found;
}
