import { ConnectionPoolManager } from '../../src/batch/connection-pool-manager.ts';
import { AdaptivePolicy, type FlushPolicy } from '../../src/batch/flush-policy.ts';
import type { FromShard } from '../../src/control/messages.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateRing, RingViews, waitingIndex } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { allocateTopicDirectory, TopicDirectoryReader, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { WakeUpReceiver, WakeUpSender } from '../../src/ring/wake-up.ts';
import { CatchUp } from '../../src/shard/catch-up.ts';
import { DutyCycle } from '../../src/shard/duty-cycle.ts';
import type { PrimaryLink } from '../../src/shard/primary-link.ts';
import { isFilterProblem, parseFilter } from '../../src/subscription/filter.ts';
import { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { collectingLogger } from './collected-lines.ts';
import { GatedSocket } from './gated-socket.ts';
import type { GivenFilter } from './naive-matcher.ts';
import { textsOf } from './received-frames.ts';
import { connectionOn } from './test-connection.ts';

/** The least that a ring holds, so that it is soon lapped. */
export const SMALL_RING_BYTES = 64 * 1024;

export interface TestShardOptions {
  policy?: FlushPolicy;
  ringBytes?: number;
  topicsMax?: number;
}

/** What a client got of one publication. */
export interface Delivery {
  symbol: string;
  seq: number;
}

/** A shard's way from ring to sockets, and the publisher that fills the ring, all in one thread. */
export class TestShard {
  readonly ring;
  readonly publisher: FramePublisher;
  readonly receiver: Receiver;
  readonly directory: TopicDirectoryReader;
  readonly subscriptions: SubscriptionManager;
  readonly statistics = new StatisticsBlock(StatisticsBlock.allocate());
  readonly logger = collectingLogger();
  readonly duty: DutyCycle;
  readonly catchUp: CatchUp;
  readonly policy: FlushPolicy;
  /** Topics that the primary has been asked for, a list a message. */
  readonly asked: number[][] = [];
  /** Wake-up messages that the transmitter has sent. */
  wakes = 0;
  /** Runs when the shard has noticed that it was lapped, before it does anything about it. */
  onLapped: () => void = () => {};
  readonly #sender: WakeUpSender;
  #serial = 1;

  constructor({
    policy = new AdaptivePolicy(100_000, 10),
    ringBytes = SMALL_RING_BYTES,
    topicsMax = 64,
  }: TestShardOptions = {}) {
    this.ring = allocateRing(ringBytes);
    const topics = allocateTopicDirectory(topicsMax);
    const writer = new TopicDirectoryWriter(topics);
    this.directory = new TopicDirectoryReader(topics);
    this.#sender = new WakeUpSender(this.ring);
    this.#sender.attach(0, { postMessage: () => this.wakes++ });
    this.publisher = new FramePublisher({
      registry: new TopicRegistry(writer, Number.POSITIVE_INFINITY),
      directory: writer,
      transmitter: new Transmitter(this.ring),
      hoistedFields: () => '',
      published: () => this.#sender.wake(undefined),
      payloadBytesMax: 0,
    });
    this.policy = policy;
    const { statistics, directory } = this;
    const pool = new ConnectionPoolManager({
      statistics,
      policy,
      batchBytesMax: 1024 * 1024,
      pendingBytesMax: 0,
      pendingMessagesMax: 0,
      overLimit() {},
    });
    this.subscriptions = new SubscriptionManager(directory, pool);
    this.receiver = new Receiver(this.ring);
    const wakeUp = new WakeUpReceiver(this.ring, 0);
    const lapped = (from: number) => {
      this.onLapped();
      this.catchUp.start(from);
    };
    const { receiver, subscriptions, logger: log } = this;
    this.duty = new DutyCycle({ receiver, wakeUp, subscriptions, pool, policy, statistics, lapped });
    const link = { send: (message: FromShard) => this.#ask(message) } as PrimaryLink;
    this.catchUp = new CatchUp({ receiver, directory, duty: this.duty, link, log, statistics });
  }

  /** Publishes a trade, padded by so many characters. Returns its seq. */
  publish(symbol: string, padding = 0): number {
    const publication = { exchange: 'binance', symbol, type: 'trade', timestamp: 1, data: 'x'.repeat(padding) };
    this.publisher.publish(publication, { source: 'test', dueUs: 0, receivedAtAdded: false });
    return this.publisher.seq;
  }

  /** Publishes more than the ring holds, round robin over the symbols. */
  overrun(symbols: string[]): void {
    const from = this.publisher.bytes;
    for (let i = 0; this.publisher.bytes - from < 2 * this.ring.capacity; i++)
      this.publish(symbols[i % symbols.length]!, 500);
  }

  /** A client that gets everything, or what the filter says. */
  client(filter?: GivenFilter): GatedSocket {
    const socket = new GatedSocket();
    const connection = connectionOn(socket, { serial: this.#serial++ });
    if (filter === undefined) {
      this.subscriptions.joinFirehose(connection);
    } else {
      const parsed = parseFilter({ ...filter });
      if (isFilterProblem(parsed)) throw new Error(parsed.problem);
      this.subscriptions.addFilter(connection, parsed.terms, parsed.given);
    }
    return socket;
  }

  /** The primary answers the oldest question with what is the latest now. */
  answer(): void {
    this.catchUp.answered(this.publisher.latest(this.asked.shift() ?? []));
  }

  /** Whether the shard sleeps until it is woken. */
  get isWaiting(): boolean {
    return Atomics.load(new RingViews(this.ring).flags, waitingIndex(0)) === 1;
  }

  #ask(message: FromShard): void {
    if (message.kind === 'latest') this.asked.push(message.topics);
  }
}

/** What has come out at a socket so far. */
export function deliveriesAt(socket: GatedSocket): Delivery[] {
  return textsOf(socket.received).map((text) => {
    const { payload, seq } = JSON.parse(text) as { payload: { symbol: string }; seq: number };
    return { symbol: payload.symbol, seq };
  });
}

export function seqsAt(socket: GatedSocket): number[] {
  return deliveriesAt(socket).map(({ seq }) => seq);
}
