import type { Delivery } from './delivery.ts';
import { medianOf, msOf, ratioOf } from './figures.ts';
import { gitCommit } from './machine.ts';
import type { Row } from './table.ts';

/** @param directory the other checkout */
export function besideTitle(directory: string, rounds: number): string {
  return `This checkout over the one beside it (${gitCommit(directory)}), the middle one of ${rounds} ratios of one round each`;
}

/**
 * What was measured here over what was measured with the other checkout. Both were run one after the other in each
 * round, so a ratio is taken within a round, and the one in the middle of all rounds counts.
 * @param rounds of each round the deliveries of all servers
 */
export function besideRows(rounds: readonly (readonly Delivery[])[]): Row[] {
  const others = (rounds[0] ?? []).filter(({ besideOf }) => besideOf !== undefined);
  return others.map(({ server, besideOf = '' }) => {
    const pairs = rounds.map((round) => [find(round, besideOf), find(round, server)] as const);
    const middle = (of: (delivery: Delivery) => number) =>
      medianOf(pairs.map(([here, there]) => ratioOf(of(here), of(there))));
    const each = pairs.map(([here, there]) => ratioOf(cpu(here), cpu(there)));
    return {
      server: besideOf,
      beside: server,
      'CPU/delivery': middle(cpu),
      'least of rounds': Math.min(...each),
      'most of rounds': Math.max(...each),
      'deliveries/s': middle(({ report }) => report.deliveriesPerS),
      p50: middle(({ report }) => msOf(report.latencyUs.p50)),
      p99: middle(({ report }) => msOf(report.latencyUs.p99)),
      RSS: middle(({ report }) => report.server?.residentMib ?? 0),
    };
  });
}

function cpu({ report }: Delivery): number {
  return report.server?.cpuUsPerDelivery ?? 0;
}

function find(round: readonly Delivery[], server: string): Delivery {
  return round.find((delivery) => delivery.server === server) as Delivery;
}
