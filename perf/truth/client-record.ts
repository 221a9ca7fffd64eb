import type { TopicName } from '../../src/ring/topic-directory.ts';
import type { CoverageStep } from './coverage.ts';
import { GrowingNumbers } from './growing-numbers.ts';
import { GAP_REASONS } from './wire-message.ts';

/** `repeated`: what a client has passed over, since it had something newer of the topic. */
export type EventKind = 'delivered' | 'gap' | 'snapshot' | 'repeated';

/** Something that a client was told of a topic. */
export interface RecordedEvent {
  kind: EventKind;
  /** Index in the record's `topics`. */
  topic: number;
  /** Of a delivery, repeated or not: its prevSeq; of a gap: fromSeq; of a snapshot: 0. */
  from: number;
  seq: number;
  /** Of a delivery: `merged`; of a gap: its count. */
  count: number;
  /** Of a gap. */
  reason: string;
  /** `from` and `count` reach back over what the client had been told already. */
  overlaps: boolean;
}

/** A resumption that was granted. */
export interface RecordedResumption {
  step: CoverageStep;
  /** What the connection was getting already. */
  before: CoverageStep['inForce'];
  toSeq: number;
  replayed: number;
}

const WORDS = 5;
const KINDS: readonly EventKind[] = ['delivered', 'gap', 'snapshot', 'repeated'];
const OVERLAPS = 0x80;

/** All that one client was told, over all its connections, for a judge to read afterwards. Twenty bytes an event. */
export class ClientRecord {
  readonly client: string;
  /** Topics that it was told anything of. */
  readonly topics: TopicName[] = [];
  readonly steps: CoverageStep[] = [];
  readonly resumptions: RecordedResumption[] = [];
  readonly #events = new GrowingNumbers();

  constructor(client: string) {
    this.client = client;
  }

  get length(): number {
    return this.#events.length / WORDS;
  }

  add(
    kind: EventKind,
    topic: number,
    from: number,
    seq: number,
    count: number,
    reason: string,
    overlaps: boolean,
  ): void {
    const events = this.#events;
    events.push(KINDS.indexOf(kind) | (overlaps ? OVERLAPS : 0) | (Math.max(0, GAP_REASONS.indexOf(reason)) << 8));
    events.push(topic);
    events.push(from);
    events.push(seq);
    events.push(count);
  }

  *events(): Generator<RecordedEvent> {
    const events = this.#events;
    for (let at = 0; at < events.length; at += WORDS) {
      const head = events.at(at);
      yield {
        kind: KINDS[head & 0x7f] as EventKind,
        topic: events.at(at + 1),
        from: events.at(at + 2),
        seq: events.at(at + 3),
        count: events.at(at + 4),
        reason: GAP_REASONS[head >>> 8] as string,
        overlaps: (head & OVERLAPS) !== 0,
      };
    }
  }
}
