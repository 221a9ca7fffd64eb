export interface CrashLoopParts {
  /** Crashes in a row that make a loop; 0: never one. */
  count: number;
  /** Time that a shard has to stay up for its crashes to be forgotten, ms. */
  windowMs: number;
  began: (crashes: number) => void;
  ended: () => void;
}

/** Tells a shard that crashes again and again from one that has crashed. It is judged by how long it stays up in between. */
export class CrashLoop {
  readonly #parts: CrashLoopParts;
  #crashes = 0;
  #settling: NodeJS.Timeout | undefined;
  #isLooping = false;

  constructor(parts: CrashLoopParts) {
    this.#parts = parts;
  }

  get isLooping(): boolean {
    return this.#isLooping;
  }

  cameUp(): void {
    this.stop();
    this.#settling = setTimeout(() => this.#settled(), this.#parts.windowMs).unref();
  }

  crashed(): void {
    this.stop();
    this.#crashes++;
    const { count, began } = this.#parts;
    if (this.#isLooping || count === 0 || this.#crashes < count) return;
    this.#isLooping = true;
    began(this.#crashes);
  }

  stop(): void {
    clearTimeout(this.#settling);
  }

  #settled(): void {
    this.#crashes = 0;
    if (!this.#isLooping) return;
    this.#isLooping = false;
    this.#parts.ended();
  }
}
