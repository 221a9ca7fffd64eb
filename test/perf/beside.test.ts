import { describe, expect, it } from 'vitest';
import { besideRows } from '../../perf/lib/beside.ts';
import type { Delivery } from '../../perf/lib/delivery.ts';

function delivery(server: string, cpuUsPerDelivery: number, besideOf?: string): Delivery {
  const report = {
    deliveriesPerS: 1_000,
    latencyUs: { p50: 1_000 * cpuUsPerDelivery, p99: 5_000 },
    server: { cpuUsPerDelivery, residentMib: 100 },
  } as unknown as Delivery['report'];
  return { server, report, messagesPerWrite: 1, ...(besideOf === undefined ? {} : { besideOf }) };
}

describe('besideRows', () => {
  it('takes ratios within a round, and the one in the middle', () => {
    const round = (here: number, there: number) => [
      delivery('tickcast adaptive', here),
      delivery('beside adaptive', there, 'tickcast adaptive'),
      delivery('plain ws', 9),
    ];
    // The machine is twice as slow in the second round, for both.
    const rows = besideRows([round(1, 1), round(2.2, 2), round(1.5, 1)]);
    expect(rows).toEqual([
      {
        server: 'tickcast adaptive',
        beside: 'beside adaptive',
        'CPU/delivery': 1.1,
        'least of rounds': 1,
        'most of rounds': 1.5,
        'deliveries/s': 1,
        p50: 1.1,
        p99: 1,
        RSS: 1,
      },
    ]);
  });

  it('has nothing to say where nothing was beside', () => {
    expect(besideRows([[delivery('tickcast adaptive', 1)]])).toEqual([]);
    expect(besideRows([])).toEqual([]);
  });
});
