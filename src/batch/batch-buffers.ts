/**
 * The memory of batches: buffers of a power of two bytes, taken and given back. A buffer that a socket still holds is not
 * given back; the garbage collector has it when the last socket has let go.
 */
const SMALLEST_BYTES = 4 * 1024;
const LARGEST_POOLED_BYTES = 1024 * 1024;
const SMALLEST_BITS = Math.log2(SMALLEST_BYTES);
const CLASSES = Math.log2(LARGEST_POOLED_BYTES) - SMALLEST_BITS + 1;

export class BatchBuffers {
  readonly #free: Buffer[][] = Array.from({ length: CLASSES }, () => []);
  /** How many of each class nobody has needed since the last `ease`. */
  readonly #idle: number[] = new Array(CLASSES).fill(0);
  readonly #pooledBytesMax: number;
  #pooledBytes = 0;

  /** @param pooledBytesMax bytes kept for later at most */
  constructor(pooledBytesMax: number) {
    this.#pooledBytesMax = pooledBytesMax;
  }

  /** Bytes that wait for their next use. */
  get pooledBytes(): number {
    return this.#pooledBytes;
  }

  /** A buffer of at least `bytes` bytes with anything in it. */
  take(bytes: number): Buffer {
    const index = classOf(bytes);
    const buffer = index < CLASSES ? this.#free[index]!.pop() : undefined;
    if (buffer === undefined) return Buffer.allocUnsafeSlow(SMALLEST_BYTES * 2 ** index);
    this.#pooledBytes -= buffer.length;
    this.#idle[index] = Math.min(this.#idle[index]!, this.#free[index]!.length);
    return buffer;
  }

  /** The caller, and every socket, is done with it. */
  giveBack(buffer: Buffer): void {
    const index = classOf(buffer.length);
    if (index >= CLASSES || this.#pooledBytes + buffer.length > this.#pooledBytesMax) return;
    this.#pooledBytes += buffer.length;
    this.#free[index]!.push(buffer);
  }

  /** Call once a second: lets go of half of what nobody has needed since the last call, so that a peak is not kept. */
  ease(): void {
    for (let index = 0; index < CLASSES; index++) {
      const free = this.#free[index]!;
      for (let spare = Math.ceil(this.#idle[index]! / 2); spare > 0; spare--) {
        this.#pooledBytes -= free.pop()!.length;
      }
      this.#idle[index] = free.length;
    }
  }

  /** Lets go of all that is kept for later; returns how many bytes that was. */
  trim(): number {
    const bytes = this.#pooledBytes;
    for (const free of this.#free) free.length = 0;
    this.#idle.fill(0);
    this.#pooledBytes = 0;
    return bytes;
  }
}

function classOf(bytes: number): number {
  return Math.max(0, 32 - Math.clz32(Math.max(bytes, 1) - 1) - SMALLEST_BITS);
}
