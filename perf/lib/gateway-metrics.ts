/**
 * The sum of one metric over its labels, from the gateway's Prometheus text.
 * @param text answer of GET /api/websocket/metrics
 * @returns 0 where there is no such metric
 */
export function metricTotal(text: string, name: string): number {
  let total = 0;
  for (const line of text.split('\n')) {
    const end = line.indexOf('{') < 0 ? line.indexOf(' ') : line.indexOf('{');
    if (line.slice(0, end) === name) total += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return total;
}

/** Data messages in a socket write, on average since the gateway at `port` started; 0 before the first. */
export async function messagesPerWrite(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/api/websocket/metrics`, { headers: { connection: 'close' } });
  const text = await response.text();
  const writes = metricTotal(text, 'tickcast_socket_writes_total');
  return writes > 0 ? metricTotal(text, 'tickcast_messages_forwarded_total') / writes : 0;
}
