import { Writable } from 'node:stream';

/**
 * The writing half of a TCP socket whose peer reads only while the gate is open. Like a socket it keeps what it cannot
 * pass on by reference, not as a copy: bytes that change while it waits arrive changed. It says `drain` whenever the last
 * of what it kept has gone, however little that was.
 */
export class GatedSocket extends Writable {
  readonly remoteAddress = '203.0.113.7';
  /** Stands for what the peer has sent. */
  bytesRead = 0;
  /** What has been passed on, one piece a write. */
  readonly pieces: Buffer[] = [];
  #isOpen = true;
  #waiting: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1 });
  }

  /** From now on nothing is passed on. */
  shut(): void {
    this.#isOpen = false;
  }

  /** Passes on what waits, and everything from now on. */
  open(): void {
    this.#isOpen = true;
    this.passOne();
  }

  /** Passes on the oldest write that waits. */
  passOne(): void {
    const pass = this.#waiting;
    this.#waiting = undefined;
    pass?.();
  }

  get received(): Buffer {
    return Buffer.concat(this.pieces);
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const pass = () => {
      this.pieces.push(Buffer.from(bytes));
      done();
    };
    if (this.#isOpen) pass();
    else this.#waiting = pass;
  }
}
