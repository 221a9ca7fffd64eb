import type { ConnectionPoolManager } from '../batch/connection-pool-manager.ts';
import type { FlushDecision, FlushPolicy } from '../batch/flush-policy.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { TopicTable } from '../delivery/topic-table.ts';
import { FRAME } from '../ring/layout.ts';
import type { Receiver, RecordCursor } from '../ring/receiver.ts';
import type { WakeUpReceiver } from '../ring/wake-up.ts';
import type { SubscriptionManager } from '../subscription/subscription-manager.ts';
import { PHASE } from '../telemetry/shard-phases.ts';
import type { CounterName, StatisticsBlock } from '../telemetry/statistics-block.ts';
import type { CatchUp } from './catch-up.ts';

export interface DutyCycleParts {
  receiver: Receiver;
  wakeUp: WakeUpReceiver;
  subscriptions: SubscriptionManager;
  pool: ConnectionPoolManager;
  policy: FlushPolicy;
  statistics: StatisticsBlock;
  table: TopicTable;
  delivery: Pick<Delivery, 'watchReplays'>;
  catchUp: Pick<CatchUp, 'start' | 'isOpen' | 'makeUp'>;
}

/** A pass stops reading after this long, so that clients' commands and handshakes get their turn. */
const READ_MS_MAX = 10;
/** A pass that writes for longer than this goes on in the next turn of the event loop. */
const TURN_MS_MAX = 15;

/** Counter of the passes after which it was so decided. */
const PASSES_OF = {
  at_once: 'passesAtOnce',
  load: 'passesByLoad',
  budget: 'passesByBudget',
  overrun: 'passesOverrun',
  fixed: 'passesFixed',
} as const satisfies Record<FlushDecision, CounterName>;

/**
 * Stage 5. The turn of a shard's thread. In: the ring. Out: batches, and when their time has come, writes. Each pass drains
 * the ring into the cohorts' batches and flushes what is due; then the shard sleeps until the next flush, or, when there is
 * nothing to wait for, until the transmitter wakes it.
 */
export class DutyCycle {
  readonly #parts: DutyCycleParts;
  readonly #take: (record: RecordCursor) => void;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #publicationsRead = 0;
  #matchOperations = 0;
  /** Of the pass under way: when it began, what it has cost so far, and when its turn of the event loop is to end, ms. */
  #passBegunMs = 0;
  #passCostMs = 0;
  #untilMs = 0;
  #stopped = false;

  constructor(parts: DutyCycleParts) {
    this.#parts = parts;
    this.#take = (record) => this.#deliver(record);
  }

  /** The shard has been woken, or has something new to think of. */
  turn(): void {
    if (this.#stopped || this.#immediate !== undefined) return;
    const { policy, pool } = this.#parts;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // With a pass still ahead, what has come since may stay in the ring: nothing is gained by reading it earlier.
    if (policy.gathersInRing && !pool.isPassing) {
      const waitMs = policy.delayMs(0, 0, performance.now());
      if (waitMs > 0) return this.#sleep(waitMs);
    }
    this.#work();
  }

  /** Reads everything that was published before the call; what comes meanwhile may wait, or a flood would never end it. */
  drain(): void {
    const { receiver } = this.#parts;
    const end = receiver.tail;
    while (receiver.position < end) this.#read(0);
  }

  /** Reads and writes everything that was published before the call. */
  flush(): void {
    this.drain();
    this.#parts.pool.flushAll();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#parts.wakeUp.lower();
  }

  /** Puts one publication into the batches of those who want it. Of a latest value, only where it stands is noted. */
  #deliver(record: RecordCursor): void {
    const { subscriptions, pool, statistics, table, catchUp } = this.#parts;
    table.observe(record);
    if (record.kind !== FRAME) return;
    this.#publicationsRead++;
    const cohorts = subscriptions.match(record.topic);
    if (cohorts.length === 0) return;
    statistics.add('recordsMatched');
    if (catchUp.isOpen(record.topic)) catchUp.makeUp(cohorts, record);
    else pool.append(cohorts, record);
  }

  /** Reads, and writes what is due: a pass, or as much of one as there is time for. */
  #work(): void {
    const { pool, policy, delivery, statistics } = this.#parts;
    const begunMs = performance.now();
    if (!pool.isPassing) {
      this.#passBegunMs = begunMs;
      this.#passCostMs = 0;
    }
    this.#untilMs = begunMs + TURN_MS_MAX;
    statistics.set('phase', PHASE.reading);
    const more = this.#read(begunMs + READ_MS_MAX);
    delivery.watchReplays();
    statistics.set('phase', PHASE.flushing);
    const isOver = pool.flush(performance.now(), policy.gathersInRing ? this.#readOn : this.#mayGoOn);
    statistics.set('phase', PHASE.idle);
    const endedMs = performance.now();
    this.#passCostMs += endedMs - begunMs;
    if (isOver) this.#decided(policy.passed(this.#passBegunMs, this.#passCostMs, pool.served));
    this.#report();
    if (more || !isOver) this.#again();
    else this.#rest(endedMs);
  }

  readonly #mayGoOn = (): boolean => performance.now() < this.#untilMs;

  /** What has come while batches are written goes to those who have not been served yet, too. */
  readonly #readOn = (): boolean => {
    const { statistics, delivery } = this.#parts;
    statistics.set('phase', PHASE.reading);
    this.#read(0);
    delivery.watchReplays();
    statistics.set('phase', PHASE.flushing);
    return this.#mayGoOn();
  };

  /** Drains the ring until `untilMs`. Returns whether there is more. */
  #read(untilMs: number): boolean {
    const { receiver, statistics, catchUp } = this.#parts;
    for (;;) {
      const { lapped: laps } = receiver;
      const count = receiver.receive(this.#take);
      if (count > 0) {
        statistics.add('recordsRead', this.#publicationsRead);
        this.#publicationsRead = 0;
      } else if (receiver.lapped !== laps) {
        statistics.add('lapped');
        catchUp.start();
      } else {
        return false;
      }
      if (performance.now() >= untilMs) return !receiver.drained;
    }
  }

  #again(): void {
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.turn();
    });
  }

  #rest(nowMs: number): void {
    const { pool, wakeUp, receiver } = this.#parts;
    const dueInMs = pool.dueInMs(nowMs);
    // What came for those already served, in a pass that is followed by the next at once.
    if (dueInMs !== undefined && dueInMs <= 0) return this.#again();
    if (dueInMs !== undefined) this.#sleep(dueInMs);
    wakeUp.raise();
    // What was published just before the flag went up has woken nobody.
    if (!receiver.drained) {
      wakeUp.lower();
      this.#again();
    }
  }

  #sleep(ms: number): void {
    clearTimeout(this.#timer);
    const dueMs = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#parts.policy.cameLate(Math.max(0, performance.now() - dueMs));
      this.turn();
    }, Math.ceil(ms));
  }

  #decided(decision: FlushDecision): void {
    this.#parts.statistics.add(PASSES_OF[decision]);
  }

  #report(): void {
    const { statistics, policy, subscriptions, receiver } = this.#parts;
    const { matchOperations } = subscriptions;
    statistics.add('matchOperations', matchOperations - this.#matchOperations);
    this.#matchOperations = matchOperations;
    statistics.set('ringPosition', receiver.position);
    statistics.set('batchDelayUs', policy.gatherMs * 1000);
    statistics.set('heartbeatMs', Date.now());
  }
}
