import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionPoolManager } from '../../src/batch/connection-pool-manager.ts';
import { FixedPolicy, type FlushPolicy } from '../../src/batch/flush-policy.ts';
import type { TopicTable } from '../../src/delivery/topic-table.ts';
import { allocateRing } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { WakeUpReceiver, WakeUpSender } from '../../src/ring/wake-up.ts';
import { DutyCycle } from '../../src/shard/duty-cycle.ts';
import type { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';
import { type Choose, everyChoice } from '../support/every-choice.ts';
import { publishRecord, setPositions } from '../support/ring-records.ts';

/*
 * The one thing that must not happen: a receiver sleeps, something published waits for it, and no message is under way.
 * Allowed besides: a message to a receiver that is at work already, or that has read what the message was for.
 */
const PUBLICATIONS = 2;
/** Used again by each run, from its beginning. */
const RING = allocateRing(0);

describe('wake-up in every interleaving', () => {
  it('reaches a sleeper that steps between the sender’s own steps', () => {
    const seen = new Set<string>();
    const runs = everyChoice((choose) => {
      const { transmitter, sender, sleeper } = scene();
      const before = () => sleeper.steps(choose(SLEEPER_STEPS + 1));
      withAtomicsHooks({ before }, () => {
        for (let seq = 1; seq <= PUBLICATIONS; seq++) {
          publishRecord(transmitter, seq, 8);
          sender.wake('up');
        }
      });
      const { posts, raised } = sleeper;
      check(posts <= raised, `${posts} messages for ${raised} raised flags`);
      sleeper.settle();
      check(sleeper.received === PUBLICATIONS, `asleep after ${sleeper.received} records, with ${posts} messages`);
      seen.add(`${posts} messages`);
    });
    expect(runs).toBeGreaterThan(1_000);
    expect([...seen].sort()).toEqual(['0 messages', '1 messages', '2 messages']);
  });

  describe('reaches a shard', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it.each([
      ['that flushes at once', () => new FixedPolicy(1_000, 0)],
      ['that lets messages gather in the ring', () => new EverySecondTurn()],
    ])('%s', (_name, policy) => {
      // The clock too: a pass that took long would read less, and no run could be made twice.
      vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout', 'performance'] });
      const posts = new Set<number>();
      const runs = everyChoice((choose) => {
        const shard = new SteppedShard(policy(), choose);
        shard.runUntilAsleep();
        check(
          shard.recordsRead === PUBLICATIONS,
          `asleep after ${shard.recordsRead} records, ${shard.posted} messages`,
        );
        posts.add(shard.posted);
      });
      expect(runs).toBeGreaterThan(1_000);
      expect(posts.size).toBe(PUBLICATIONS + 1);
    });
  });
});

/** One time round the sleeper's states, so that one choice can take it from anywhere to anywhere. */
const SLEEPER_STEPS = 4;

/** Reads, raises its flag, looks again, sleeps: the protocol of the receiving side, one `Atomics` call a step. */
class Sleeper {
  received = 0;
  raised = 0;
  posts = 0;
  #state: 'reading' | 'raising' | 'looking' | 'asleep' = 'reading';
  #messages = 0;
  readonly #receiver: Receiver;
  readonly #flag: WakeUpReceiver;

  constructor(receiver: Receiver, flag: WakeUpReceiver) {
    this.#receiver = receiver;
    this.#flag = flag;
  }

  postMessage(): void {
    this.posts++;
    this.#messages++;
  }

  steps(count: number): void {
    for (let i = 0; i < count; i++) this.#step();
  }

  settle(): void {
    while (this.#state !== 'asleep' || this.#messages > 0) this.#step();
  }

  #step(): void {
    switch (this.#state) {
      case 'reading':
        this.received += this.#receiver.receive(() => {});
        this.#state = 'raising';
        return;
      case 'raising':
        this.#flag.raise();
        this.raised++;
        this.#state = 'looking';
        return;
      case 'looking':
        this.#state = this.#receiver.drained ? 'asleep' : 'reading';
        if (this.#state === 'reading') this.#flag.lower();
        return;
      default:
        if (this.#messages === 0) return;
        this.#messages--;
        this.#state = 'reading';
    }
  }
}

function scene() {
  setPositions(RING, 0);
  const sleeper = new Sleeper(new Receiver(RING), new WakeUpReceiver(RING, 0));
  const sender = new WakeUpSender(RING);
  sender.attach(0, sleeper);
  return { transmitter: new Transmitter(RING), sender, sleeper };
}

/** A shard's duty cycle; before each of its `Atomics` calls, and between its turns, the primary does what it chooses. */
class SteppedShard {
  posted = 0;
  #handled = 0;
  readonly #primary: (() => void)[] = [];
  readonly #choose: Choose;
  readonly #duty: DutyCycle;
  readonly #statistics = new StatisticsBlock(StatisticsBlock.allocate());

  constructor(policy: FlushPolicy, choose: Choose) {
    this.#choose = choose;
    setPositions(RING, 0);
    this.#duty = new DutyCycle({
      receiver: new Receiver(RING),
      wakeUp: new WakeUpReceiver(RING, 0),
      subscriptions: { match: () => [] } as unknown as SubscriptionManager,
      pool: {
        isPassing: false,
        served: 0,
        dueInMs: () => undefined,
        flush: () => true,
      } as unknown as ConnectionPoolManager,
      policy,
      statistics: this.#statistics,
      table: { observe: () => {} } as unknown as TopicTable,
      delivery: { watchReplays: () => {} },
      catchUp: {
        start: () => check(false, 'nobody is lapped here'),
        isOpen: () => false,
        makeUp: () => {},
      },
    });
    const transmitter = new Transmitter(RING);
    const sender = new WakeUpSender(RING);
    sender.attach(0, { postMessage: () => void this.posted++ });
    for (let seq = 1; seq <= PUBLICATIONS; seq++) {
      this.#primary.push(
        () => void publishRecord(transmitter, seq, 8),
        () => sender.wake('up'),
      );
    }
  }

  get recordsRead(): number {
    return this.#statistics.get('recordsRead');
  }

  runUntilAsleep(): void {
    this.#stepThrough(() => this.#duty.turn());
    for (;;) {
      this.#letPrimaryStep();
      if (this.posted > this.#handled) {
        this.#handled++;
        this.#stepThrough(() => this.#duty.turn());
      } else if (vi.getTimerCount() > 0) {
        this.#stepThrough(() => vi.advanceTimersToNextTimer());
      } else if (this.#primary.length > 0) {
        this.#primary.shift()!();
      } else {
        return;
      }
    }
  }

  #stepThrough(work: () => void): void {
    withAtomicsHooks({ before: () => this.#letPrimaryStep() }, work);
  }

  #letPrimaryStep(): void {
    if (this.#primary.length === 0) return;
    const steps = this.#choose(this.#primary.length + 1);
    for (const step of this.#primary.splice(0, steps)) step();
  }
}

/** Waits a millisecond at every other turn, as a policy does whose last flush has just been. */
class EverySecondTurn implements FlushPolicy {
  readonly gathersInRing = true;
  readonly classes = 1;
  readonly messagesMax = 1_000;
  readonly gatherMs = 1;
  #waits = false;

  delayMs(): number {
    this.#waits = !this.#waits;
    return this.#waits ? 1 : 0;
  }

  classOf(): number {
    return 0;
  }

  cameLate(): void {}

  passed(): 'load' {
    return 'load';
  }
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
