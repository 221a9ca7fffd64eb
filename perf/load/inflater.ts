import { createInflateRaw } from 'node:zlib';
import { nowUs } from '../../src/util/clock.ts';

/** What a sender takes off the end of a message, RFC 7692 §7.2.2. */
const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** The beginning of each message of a deflate stream that keeps its context, and when its last byte had come. */
export class Inflater {
  readonly #inflate = createInflateRaw();
  #head: Buffer | undefined;

  constructor(onMessage: (head: Uint8Array, readUs: number) => void, onInvalid: (reason: string) => void) {
    this.#inflate.on('data', (chunk: Buffer) => {
      this.#head ??= chunk;
    });
    this.#inflate.on('error', (error) => onInvalid(error.message));
    this.#ended = (readUs) => {
      if (this.#head !== undefined) onMessage(this.#head, readUs);
      this.#head = undefined;
    };
  }

  readonly #ended: (readUs: number) => void;

  /** Takes the next bytes of a message, which are copied. @param isLast whether the message ends with them */
  push(bytes: Uint8Array, isLast: boolean): void {
    this.#inflate.write(Buffer.from(bytes));
    if (!isLast) return;
    const readUs = nowUs();
    this.#inflate.write(TRAILER);
    this.#inflate.flush(() => this.#ended(readUs));
  }

  close(): void {
    this.#inflate.close();
  }
}
