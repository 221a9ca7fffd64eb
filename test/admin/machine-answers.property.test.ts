import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstanceAnswers } from '../../src/admin/instance-answers.ts';
import { MachineAnswers } from '../../src/admin/machine-answers.ts';
import type { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { COUNTERS, GAUGES } from '../../src/telemetry/statistics-block.ts';
import { peersOf, testAnswers } from '../support/admin-answers.ts';
import { FakeAdminContext, FakeInstruments } from '../support/fake-admin-context.ts';

/**
 * However the shards of a gateway are spread over instances, and whichever of them is asked: the answer is the same as if
 * all shards were one instance's.
 */
interface ShardContent {
  counters: number[];
  gauges: number[];
  closes: number[];
  /** Data type, count, bytes, latency in µs. */
  deliveries: [number, number, number, number][];
  merged: [number, number][];
  dropped: [number, number, number][];
  publications: number;
}

const count = (max = 10_000) => fc.nat({ max });
const slot = fc.nat({ max: 5 });
const content: fc.Arbitrary<ShardContent> = fc.record({
  counters: fc.array(count(), { minLength: COUNTERS.length, maxLength: COUNTERS.length }),
  gauges: fc.array(count(900_000), { minLength: GAUGES.length, maxLength: GAUGES.length }),
  closes: fc.array(fc.nat({ max: 31 }), { maxLength: 5 }),
  deliveries: fc.array(fc.tuple(slot, count(50), count(1_000), count(5_000_000)), { maxLength: 8 }),
  merged: fc.array(fc.tuple(slot, count()), { maxLength: 3 }),
  dropped: fc.array(fc.tuple(slot, fc.nat({ max: 4 }), count()), { maxLength: 3 }),
  publications: count(),
});

function fill(block: StatisticsBlock, { counters, gauges, closes, deliveries, merged, dropped }: ShardContent): void {
  for (const [index, name] of COUNTERS.entries()) block.add(name, counters[index]!);
  for (const [index, name] of GAUGES.entries()) block.set(name, gauges[index]!);
  for (const row of closes) block.addClose(row);
  for (const delivery of deliveries) block.addDeliveries(...delivery);
  for (const each of merged) block.addMerged(...each);
  for (const each of dropped) block.addDropped(...each);
}

const OPTIONS = { limits: { connections: 0, pendingBytes: 1_000_000 } };
const MIB = 1024 * 1024;

/** An instance with these shards, 10 s after its start. */
function instanceOf(process: number, shards: readonly ShardContent[]): InstanceAnswers {
  const context = new FakeAdminContext(OPTIONS, shards.length);
  Object.assign(context.instance, { process });
  const instruments = new FakeInstruments();
  const { answers } = testAnswers(context, instruments);
  for (const [index, shard] of shards.entries()) fill(context.block(index), shard);
  for (const { publications } of shards) context.ringFigures.publications += publications;
  instruments.rss = shards.length * 50 * MIB;
  instruments.cpu = shards.length * 1_000_000;
  instruments.pass(10_000);
  return answers;
}

const split = fc.array(fc.array(content, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });

describe('the answer of one of several instances', () => {
  it('has the statistics that one instance with all shards would have', async () => {
    await fc.assert(
      fc.asyncProperty(split, async (parts) => {
        const whole = await new MachineAnswers(instanceOf(0, parts.flat()), peersOf()).statistics('machine');
        const [own, ...others] = parts.map((shards, process) => instanceOf(process, shards));
        const together = await new MachineAnswers(own!, peersOf(...others)).statistics('machine');
        expect(steady(together)).toEqual(steady(whole));
        expect(together.shards.map(({ process, index }) => [process, index])).toEqual(
          parts.flatMap((shards, process) => shards.map((_, index) => [process, index])),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('has the same statistics whichever is asked', async () => {
    await fc.assert(
      fc.asyncProperty(split, fc.nat(), async (parts, turn) => {
        const instances = parts.map((shards, process) => instanceOf(process, shards));
        const at = turn % instances.length;
        const asked = [...instances.slice(at), ...instances.slice(0, at)];
        const first = await new MachineAnswers(instances[0]!, peersOf(...instances.slice(1))).statistics('machine');
        const any = await new MachineAnswers(asked[0]!, peersOf(...asked.slice(1))).statistics('machine');
        expect(steady(any)).toEqual(steady(first));
        expect(any.instances).toEqual(first.instances);
      }),
      { numRuns: 30 },
    );
  });

  it('has the counters and the latency histogram that one instance with all shards would have', async () => {
    await fc.assert(
      fc.asyncProperty(split, async (parts) => {
        const whole = await new MachineAnswers(instanceOf(0, parts.flat()), peersOf()).metrics('machine');
        const [own, ...others] = parts.map((shards, process) => instanceOf(process, shards));
        const together = await new MachineAnswers(own!, peersOf(...others)).metrics('machine');
        expect(samplesOfAll(together)).toEqual(samplesOfAll(whole));
      }),
      { numRuns: 15 },
    );
  });
});

/** What does not depend on whose a shard is. */
function steady({
  shards: _shards,
  instances: _instances,
  ...answer
}: {
  shards: unknown;
  instances: unknown;
}): object {
  return answer;
}

/** Samples of the gateway that are not those of one shard or one process; sums of fractions differ in their last digits. */
function samplesOfAll(text: string): [string, string][] {
  const isOfOne = /process="|^tickcast_(health|instances|memory_used_ratio)/;
  const isOfAll = (line: string) => /^tickcast_/.test(line) && !isOfOne.test(line);
  return text
    .split('\n')
    .filter(isOfAll)
    .map((line) => line.split(' ') as [string, string])
    .map(([name, value]) => [name, Number(value).toPrecision(12)]);
}
