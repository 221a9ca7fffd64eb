/**
 * Compares what the gateway sends with what a page says it sends. Values that differ from run to run are compared by
 * their type: names that are made up (each has to be the same wherever the page writes the same) and figures.
 */
const NAMES = new Set(['connectionId', 'sessionId', 'clientId', 'filterId', 'epoch', 'proxyVersion']);
const FIGURES = new Set([
  'timestamp',
  'serverTime',
  'uptime',
  'lastActivity',
  'lastUpdate',
  'avgDuration',
  'averageConnectionDuration',
  'matchOperations',
  'cpu',
  'cpuUsage',
  'memoryUsage',
]);
/** Stands for a value that the text describes. */
const ANYTHING = '…';

export class DocumentedMessages {
  readonly #actualOf = new Map<string, string>();

  /** How a message differs from the documented one; nothing where it does not. */
  differences(documented: unknown, actual: unknown): string[] {
    const isData = typeof documented === 'object' && documented !== null && 'seq' in documented;
    return this.#compare('', documented, actual, (path) => !isData || path === '.timestamp');
  }

  /** The text with the names that the gateway has given instead of the documented ones. */
  withActualNames(text: string): string {
    let result = text;
    for (const [documented, actual] of this.#actualOf) {
      result = result.replaceAll(JSON.stringify(documented), JSON.stringify(actual));
    }
    return result;
  }

  #compare(path: string, documented: unknown, actual: unknown, mayVary: (path: string) => boolean): string[] {
    if (documented === ANYTHING && actual !== undefined) return [];
    const unlike = [`${path}: ${JSON.stringify(actual)} instead of ${JSON.stringify(documented)}`];
    if (kindOf(documented) !== kindOf(actual)) return unlike;
    if (typeof documented === 'object' && documented !== null) {
      const [a, b] = [documented as Record<string, unknown>, actual as Record<string, unknown>];
      const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
      return keys.flatMap((key) => this.#compare(`${path}.${key}`, a[key], b[key], mayVary));
    }
    const key = path.slice(path.lastIndexOf('.') + 1);
    if (typeof documented === 'number' && FIGURES.has(key) && mayVary(path)) return [];
    if (typeof documented === 'string' && NAMES.has(key)) return this.#isNamed(documented, actual) ? [] : unlike;
    return documented === actual ? [] : unlike;
  }

  #isNamed(documented: string, actual: unknown): boolean {
    const known = this.#actualOf.get(documented);
    if (known === undefined && typeof actual === 'string') this.#actualOf.set(documented, actual);
    return known === undefined || known === actual;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}
