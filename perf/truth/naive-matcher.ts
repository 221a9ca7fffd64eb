import type { TopicName } from '../../src/ring/topic-directory.ts';

/** A filter as a client gives it. */
export interface GivenFilter {
  exchange?: string | string[];
  symbols?: string | string[];
  dataTypes?: string | string[];
}

/**
 * Whether a filter wants a topic, read straight off the protocol's sentence and as slow as it likes: a second opinion that
 * shares nothing with the gateway's index but that sentence.
 */
export function naivelyMatches({ exchange, symbols, dataTypes }: GivenFilter, topic: TopicName): boolean {
  return (
    allows(exchange, topic.exchange, (wanted, name) => wanted.toLowerCase() === name.toLowerCase()) &&
    allows(symbols, topic.symbol, (wanted, name) => bareSymbol(wanted) === bareSymbol(name)) &&
    allows(dataTypes, topic.dataType, (wanted, name) => {
      const [want, have] = [usualType(wanted), usualType(name)];
      return want === have || (want === 'kline' && have.startsWith('kline_'));
    })
  );
}

function allows(
  list: string | string[] | undefined,
  name: string | null,
  equal: (wanted: string, name: string) => boolean,
): boolean {
  const wanted = list === undefined ? [] : [list].flat();
  if (wanted.length === 0) return true;
  return name !== null && wanted.some((one) => equal(one, name));
}

function bareSymbol(symbol: string): string {
  return [...symbol.toLowerCase()].filter((character) => !'/-_'.includes(character)).join('');
}

function usualType(type: string): string {
  if (type === 'trades') return 'trade';
  if (type === 'orderbook') return 'depth';
  return type === '24hrTicker' ? 'ticker' : type;
}
