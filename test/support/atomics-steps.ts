const OPERATIONS = ['load', 'store', 'add', 'exchange', 'compareExchange'] as const;

export type AtomicsOperation = (typeof OPERATIONS)[number];

export interface AtomicsHooks {
  /** Runs before each `Atomics` call of `work`. */
  before?: (operation: AtomicsOperation) => void;
  /** Runs after each `Atomics` call of `work`. */
  after?: (operation: AtomicsOperation) => void;
}

/**
 * Runs `work` with hooks between its steps: an `Atomics` call is where one thread's memory meets another's, so a hook there
 * plays the other threads. `Atomics` is itself again while a hook runs, and afterwards.
 */
export function withAtomicsHooks<T>(hooks: AtomicsHooks, work: () => T): T {
  const originals = OPERATIONS.map((name) => Atomics[name] as (...parameters: unknown[]) => unknown);
  const target = Atomics as unknown as Record<AtomicsOperation, unknown>;
  const put = (functions: readonly unknown[]) => {
    for (const [i, name] of OPERATIONS.entries()) target[name] = functions[i];
  };
  const wrappers = OPERATIONS.map((name, i) => (...parameters: unknown[]) => {
    put(originals);
    hooks.before?.(name);
    const result = Reflect.apply(originals[i]!, Atomics, parameters);
    hooks.after?.(name);
    put(wrappers);
    return result;
  });
  put(wrappers);
  try {
    return work();
  } finally {
    put(originals);
  }
}
