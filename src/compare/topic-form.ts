import type { TopicName } from '../ring/topic-directory.ts';
import { dataTypeForm, exchangeForm, isKlineOfInterval, symbolForm } from '../subscription/normal-form.ts';
import { asFields, type Fields } from './fields.ts';

const KLINE = 'kline';

/**
 * The topic of a publication in the form in which names are compared, so that `BTC/USDT` and `btcusdt`, or `kline_1m`
 * and a `kline` whose data says `1m`, are the same topic on both servers.
 */
export function topicForm(type: string | undefined, payload: Fields): TopicName {
  return {
    exchange: typeof payload.exchange === 'string' ? exchangeForm(payload.exchange) : null,
    symbol: typeof payload.symbol === 'string' ? symbolForm(payload.symbol) : null,
    dataType: type === undefined ? null : withInterval(dataTypeForm(type), payload),
  };
}

/** For people: what there is of the three names. */
export function topicText({ exchange, symbol, dataType }: TopicName): string {
  return [exchange, symbol, dataType].filter((name) => name !== null).join(' ') || '(no topic)';
}

function withInterval(form: string, payload: Fields): string {
  if (form !== KLINE && !isKlineOfInterval(form)) return form;
  const interval = asFields(payload.data)?.interval;
  return typeof interval === 'string' && interval !== '' ? `${KLINE}_${interval}` : form;
}
