import { describe, expect, it } from 'vitest';
import { RingViews, TAIL_INDEX } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { SequenceIndexReader } from '../../src/ring/sequence-index.ts';
import { TopicDirectoryReader } from '../../src/ring/topic-directory.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';
import { everyChoice } from '../support/every-choice.ts';
import { FrameStage, type PlacedRecord } from '../support/frame-stage.ts';
import { EffectRecorder, inHalves, type Replay } from '../support/memory-effects.ts';
import { faultOf } from '../support/ring-records.ts';

/*
 * What a publication does to the ring, the topic directory and the sequence index, step by step, while a shard looks a topic
 * up: its count, name, latest position, and the record there; or a publication by its number.
 *
 * Allowed: a counted topic has its whole name; its latest position is that of one of its records, or none, and never one
 * before a record that was received already; a record read there is whole, or may have been overwritten. What was received
 * is in the index, and what the index calls the newest is no older.
 */
const PUBLICATIONS = [
  { exchange: 'x', symbol: 'A', type: 'trade', data: 'a'.repeat(4_500) },
  { exchange: 'x', symbol: 'B', type: 'ticker', data: 'b'.repeat(4_500) },
  { exchange: 'x', symbol: 'A', type: 'trade', data: 'c'.repeat(4_500) },
];

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
      const published = scene.published.find((record) => record.at === position);
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
      const received: PlacedRecord[] = [];
      const take = () => {
        const published = scene.published[shard.receiver.seq - 1]!;
        const fault = faultOf(shard.receiver, published);
        check(fault === undefined, `seq ${shard.receiver.seq}: ${fault}`);
        received.push(published);
      };
      shard.stepThrough(() => shard.receiver.receive(take));
      counts.add(received.length);
      for (const { topic, at, seq } of received) {
        check(topic < shard.directory.count(), 'the topic of a record is in the directory');
        check(shard.directory.latest(topic) >= at, 'the latest is no older than what was received');
        check(shard.index.topic(seq) === topic, `the index has seq ${seq}`);
        check(shard.index.position(seq) === at, `the index knows where seq ${seq} stands`);
        check(shard.index.newest() >= seq, 'the newest is no older than what was received');
      }
    });
    expect(counts).toEqual(new Set([0, 1, 2, 3]));
  });

  it('let a shard go on at the newest publication that the index knows', () => {
    const scene = new Scene();
    const seen = new Set<string>();
    everyChoice((choose) => {
      const shard = scene.shard(choose);
      const { receiver, index } = shard;
      shard.step();
      const newest = shard.stepThrough(() => index.newest());
      if (newest === 0) return void seen.add('nothing yet');
      const published = scene.published[newest - 1]!;
      check(index.position(newest) === published.at, `the index knows where seq ${newest} stands`);
      check(index.topic(newest) === published.topic, `the index knows the topic of seq ${newest}`);
      receiver.moveTo(index.position(newest));
      const received: number[] = [];
      const count = shard.stepThrough(() => receiver.receive(({ seq }) => received.push(seq)));
      check(receiver.lapped === 0, 'nobody is lapped here');
      check(count === 0 || received[0] === newest, `seq ${received[0]} after moving to ${newest}`);
      seen.add(count === 0 ? 'not published yet' : `from ${newest}`);
    });
    expect(seen).toEqual(new Set(['nothing yet', 'not published yet', 'from 1', 'from 2', 'from 3']));
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
        const seq = scene.published.find((record) => record.at === position)?.seq ?? 0;
        const newestBelow = scene.published.findLast((record) => record.topic === topic && record.at < tail);
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
  readonly published: PlacedRecord[] = [];
  readonly #stage = new FrameStage({ ringBytes: 64 * 1024, topicsMax: 4 });
  readonly #replay: Replay;
  readonly #steps: number;

  constructor() {
    const { ring, directoryMemory, indexMemory } = this.#stage;
    const recorder = new EffectRecorder([ring.memory, directoryMemory.memory, indexMemory.memory]);
    const effects = recorder.record(() => {
      for (const publication of PUBLICATIONS) this.#stage.publish(publication);
    });
    this.published.push(...this.#stage.records());
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
}

class SteppedShard {
  readonly receiver: Receiver;
  readonly directory: TopicDirectoryReader;
  readonly index: SequenceIndexReader;
  readonly #replay: Replay;
  readonly #choose: (options: number) => number;
  #budget: number;

  constructor(stage: FrameStage, replay: Replay, budget: number, choose: (options: number) => number) {
    this.receiver = new Receiver(stage.ring);
    this.directory = new TopicDirectoryReader(stage.directoryMemory);
    this.index = new SequenceIndexReader(stage.indexMemory);
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
