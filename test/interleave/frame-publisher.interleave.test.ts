import { describe, expect, it } from 'vitest';
import { RingViews, TAIL_INDEX } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { TopicDirectoryReader } from '../../src/ring/topic-directory.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';
import { everyChoice } from '../support/every-choice.ts';
import { FrameStage } from '../support/frame-stage.ts';
import { EffectRecorder, inHalves, type Replay } from '../support/memory-effects.ts';
import { faultOf, type ReceivedRecord } from '../support/ring-records.ts';

/*
 * What a publication does to the ring and to the topic directory, step by step, while a shard looks a topic up: its count,
 * name, latest position, and the record there.
 *
 * Allowed: a counted topic has its whole name; its latest position is that of one of its records, or none, and never one
 * before a record that was received already; a record read there is whole, or may have been overwritten.
 */
const PUBLICATIONS = [
  { exchange: 'x', symbol: 'A', type: 'trade', data: 'a'.repeat(4_500) },
  { exchange: 'x', symbol: 'B', type: 'ticker', data: 'b'.repeat(4_500) },
  { exchange: 'x', symbol: 'A', type: 'trade', data: 'c'.repeat(4_500) },
];

interface Published extends ReceivedRecord {
  position: number;
}

describe('frame publisher and shard in every interleaving', () => {
  it('show a topic by name and a latest record that is whole', () => {
    const scene = new Scene();
    const seen = new Set<string>();
    const runs = everyChoice((choose) => {
      const shard = scene.shard(choose);
      shard.step();
      const count = shard.directory.count();
      if (count === 0) return void seen.add('no topic');
      const topic = choose(count);
      const name = shard.directory.name(topic);
      check(name.symbol === PUBLICATIONS[topic]!.symbol, `topic ${topic} is called ${name.symbol}`);
      shard.step();
      const position = shard.directory.latest(topic);
      if (position < 0) return void seen.add('a topic without a record');
      const published = scene.published.find((record) => record.position === position);
      check(published?.topic === topic, `a record of topic ${topic} stands at ${position}`);
      const read = shard.stepThrough(() => shard.receiver.readAt(position));
      check(read, 'nothing has been overwritten here');
      const fault = faultOf(shard.receiver, published);
      check(fault === undefined, `latest of topic ${topic}: ${fault}`);
      seen.add(`record ${published.seq}`);
    });
    expect(runs).toBeGreaterThan(1_000);
    const outcomes = ['a topic without a record', 'no topic', 'record 1', 'record 2', 'record 3'];
    expect([...seen].sort()).toEqual(outcomes);
  });

  it('let a shard that has received a record find it, or a newer one, as the latest of its topic', () => {
    const scene = new Scene();
    const counts = new Set<number>();
    everyChoice((choose) => {
      const shard = scene.shard(choose);
      const received: Published[] = [];
      const take = () => {
        const published = scene.published[shard.receiver.seq - 1]!;
        const fault = faultOf(shard.receiver, published);
        check(fault === undefined, `seq ${shard.receiver.seq}: ${fault}`);
        received.push(published);
      };
      shard.stepThrough(() => shard.receiver.receive(take));
      counts.add(received.length);
      for (const { topic, position } of received) {
        check(topic < shard.directory.count(), 'the topic of a record is in the directory');
        check(shard.directory.latest(topic) >= position, 'the latest is no older than what was received');
      }
    });
    expect(counts).toEqual(new Set([0, 1, 2, 3]));
  });

  it('let a shard at the tail tell by position what it will receive and what it must read again', () => {
    const scene = new Scene();
    let below = 0;
    let beyond = 0;
    everyChoice((choose) => {
      const shard = scene.shard(choose);
      shard.step();
      const tail = scene.tail();
      shard.step();
      for (let topic = 0; topic < shard.directory.count(); topic++) {
        const position = shard.directory.latest(topic);
        const seq = scene.published.find((record) => record.position === position)?.seq ?? 0;
        const newestBelow = scene.published.findLast((record) => record.topic === topic && record.position < tail);
        // What stands below the tail, and only that, is found by the directory alone.
        if (position < tail) {
          check(seq === (newestBelow?.seq ?? 0), `topic ${topic}: ${seq} below the tail`);
          below++;
        } else {
          beyond++;
        }
      }
    });
    expect(below).toBeGreaterThan(0);
    expect(beyond).toBeGreaterThan(0);
  });
});

class Scene {
  readonly published: Published[] = [];
  readonly #stage = new FrameStage({ ringBytes: 64 * 1024, topicsMax: 4 });
  readonly #replay: Replay;
  readonly #steps: number;

  constructor() {
    const { ring, directoryMemory, receiver } = this.#stage;
    const recorder = new EffectRecorder([ring.memory, directoryMemory.memory]);
    const effects = recorder.record(() => {
      for (const publication of PUBLICATIONS) this.#stage.publish(publication);
    });
    let { position } = receiver;
    for (const record of this.#stage.records()) {
      this.published.push({ ...record, position });
      position = this.#endOf(position);
    }
    const steps = inHalves(effects, false);
    this.#steps = steps.length;
    this.#replay = recorder.replay(steps);
  }

  /** A shard as it starts, before the publications; they take place between its steps. */
  shard(choose: (options: number) => number): SteppedShard {
    this.#replay.rewind();
    return new SteppedShard(this.#stage, this.#replay, this.#steps, choose);
  }

  tail(): number {
    return Number(new RingViews(this.#stage.ring).positions[TAIL_INDEX]);
  }

  #endOf(position: number): number {
    return position + new RingViews(this.#stage.ring).data.readInt32LE(position);
  }
}

class SteppedShard {
  readonly receiver: Receiver;
  readonly directory: TopicDirectoryReader;
  readonly #replay: Replay;
  readonly #choose: (options: number) => number;
  #budget: number;

  constructor(stage: FrameStage, replay: Replay, budget: number, choose: (options: number) => number) {
    this.receiver = new Receiver(stage.ring);
    this.directory = new TopicDirectoryReader(stage.directoryMemory);
    this.#replay = replay;
    this.#budget = budget;
    this.#choose = choose;
  }

  /** The primary does any number of its steps. */
  step(): void {
    const steps = this.#choose(this.#budget + 1);
    this.#replay.run(steps);
    this.#budget -= steps;
  }

  stepThrough<T>(work: () => T): T {
    return withAtomicsHooks({ before: () => this.step() }, work);
  }
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
