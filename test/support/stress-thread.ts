import { Worker } from 'node:worker_threads';

/** A thread of a stress test, that posts one message when it is done. */
export class StressThread {
  readonly result: Promise<unknown>;
  readonly #worker: Worker;

  constructor(entry: URL, task: object) {
    this.#worker = new Worker(entry, { workerData: task, execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } });
    this.result = new Promise((resolve, reject) => {
      this.#worker.once('message', resolve);
      this.#worker.once('error', reject);
      this.#worker.once('exit', (code) => reject(new Error(`the thread ended with ${code} and without a result`)));
    });
    // It is awaited later, if at all.
    this.result.catch(() => {});
  }

  /** Resolves when the threads have counted the word at `index` up to `count`. */
  static async countReaches(words: Int32Array, index: number, count: number): Promise<void> {
    for (let value = 0; value < count; value = Atomics.load(words, index)) {
      const change = Atomics.waitAsync(words, index, value, 1_000);
      if (change.async) await change.value;
    }
  }

  stop(): Promise<number> {
    return this.#worker.terminate();
  }
}
