const API_TIMEOUT_MS = 10_000;

/**
 * The sum of one metric over its labels, from the gateway's Prometheus text.
 * @param text answer of GET /api/websocket/metrics
 * @param label only where this stands among the labels, as `reason="slowConsumer"`
 * @returns 0 where there is no such metric
 */
export function metricTotal(text: string, name: string, label = ''): number {
  let total = 0;
  for (const line of text.split('\n')) {
    const end = line.indexOf('{') < 0 ? line.indexOf(' ') : line.indexOf('{');
    if (line.slice(0, end) !== name || !line.includes(label)) continue;
    total += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return total;
}

/** Data messages in a socket write, on average since the gateway at `port` started; 0 before the first. */
export async function messagesPerWrite(port: number): Promise<number> {
  const text = await readApi(port, 'metrics');
  const writes = metricTotal(text, 'tickcast_socket_writes_total');
  return writes > 0 ? metricTotal(text, 'tickcast_messages_forwarded_total') / writes : 0;
}

/** What a gateway says of the clients that it could not serve at their pace. */
export interface SlowFigures {
  open: number;
  /** Connections that are not served live now, and what waits for them. */
  behind: number;
  pendingMessages: number;
  pendingMib: number;
  /** Publications, one for each recipient, since the gateway started. */
  delivered: number;
  merged: number;
  dropped: number;
  closedAsSlow: number;
}

/** @param text answer of GET /api/websocket/metrics */
export function slowFigures(text: string): SlowFigures {
  const total = (name: string, label?: string) => metricTotal(text, `tickcast_${name}`, label);
  return {
    open: total('connections_open'),
    behind: total('connections_behind'),
    pendingMessages: total('pending_messages'),
    pendingMib: total('pending_bytes') / 1024 ** 2,
    delivered: total('messages_forwarded_total'),
    merged: total('messages_merged_total'),
    dropped: total('messages_dropped_total'),
    closedAsSlow: total('connections_closed_total', 'reason="slowConsumer"'),
  };
}

/** What stands at `/api/websocket/NAME` of the gateway at `port`, and of no other one on its port, whatever the status. */
export async function readApi(port: number, name: 'metrics' | 'stats' | 'health'): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/websocket/${name}?scope=instance`, {
    signal: AbortSignal.timeout(API_TIMEOUT_MS),
    headers: { connection: 'close' },
  });
  return response.text();
}
