import { type SupplementMapper, symbolIn } from './market-event.ts';

const PERCENT = 100;

/**
 * Coinbase's `ticker` messages say more than the best prices that tardis-dev takes from them: the last price and the day's
 * figures. Fields after Coinbase Exchange's documentation of its WebSocket channels.
 */
export const coinbaseMapper: SupplementMapper = {
  map(message) {
    if (message.type !== 'ticker') return undefined;
    const price = numberOf(message.price);
    const open = numberOf(message.open_24h);
    return {
      type: 'ticker',
      symbol: symbolIn(message.product_id),
      timestamp: Date.parse(String(message.time)),
      fields: {
        lastPrice: price,
        bidPrice: numberOf(message.best_bid),
        askPrice: numberOf(message.best_ask),
        change24h: changePercent(open, price),
        volume24h: numberOf(message.volume_24h),
        high24h: numberOf(message.high_24h),
        low24h: numberOf(message.low_24h),
      },
    };
  },
};

function numberOf(value: unknown): number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? Number(value) : undefined;
}

/** To two decimals; undefined where there was no price to begin with. */
function changePercent(open: number | undefined, price: number | undefined): number | undefined {
  if (!open || price === undefined) return undefined;
  return Math.round((price / open - 1) * PERCENT * 100) / 100;
}
