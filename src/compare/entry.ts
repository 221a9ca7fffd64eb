import type { ComparedTopic } from './compared-topic.ts';
import type { SentPublication } from './differences.ts';
import type { Identity } from './identity.ts';
import type { Side } from './side.ts';

/** A publication as it came. */
export interface Arrival extends SentPublication {
  readonly topic: ComparedTopic;
  readonly identity: Identity;
  /** Length of the message's text. */
  readonly bytes: number;
  /** How many further publications of the topic this message stands for. */
  readonly merged: number;
  /** On a clock that only grows, the same for both servers. */
  readonly arrivedMs: number;
}

const PENDING = -1;
const SETTLED = -2;

/** A publication of one server, until it is known what has become of it on the other one. */
export class Entry {
  readonly side: Side;
  readonly topic: ComparedTopic;
  readonly identity: Identity;
  readonly arrivedMs: number;
  readonly merged: number;
  /** Publications of the topic, right before this one, of which the server said that they will not come. */
  readonly dropped: number;
  /** The how-manieth of its topic on its side it is, from 0. */
  readonly ordinal: number;
  #sent: SentPublication | undefined;
  #bytes: number;
  #partner = PENDING;
  #firstMs: number;

  constructor(side: Side, arrival: Arrival, ordinal: number, dropped: number) {
    this.side = side;
    this.topic = arrival.topic;
    this.identity = arrival.identity;
    this.arrivedMs = arrival.arrivedMs;
    this.merged = arrival.merged;
    this.dropped = dropped;
    this.ordinal = ordinal;
    this.#sent = { type: arrival.type, payload: arrival.payload, derived: arrival.derived };
    this.#bytes = arrival.bytes;
    this.#firstMs = arrival.arrivedMs;
  }

  /** Nothing is known of it yet, and its text is still held. */
  get isPending(): boolean {
    return this.#partner === PENDING;
  }

  get isPaired(): boolean {
    return this.#partner >= 0;
  }

  /** Bytes of text that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ordinal of its partner on the other side. */
  get partner(): number {
    return this.#partner;
  }

  /** When the publication first came, from whichever server. */
  get firstMs(): number {
    return this.#firstMs;
  }

  /** Settles it. @param partner none where it has none @returns what it held until now */
  settle(partner?: Entry): SentPublication {
    const sent = this.#sent!;
    this.#partner = partner?.ordinal ?? SETTLED;
    this.#firstMs = Math.min(this.arrivedMs, partner?.arrivedMs ?? this.arrivedMs);
    this.#sent = undefined;
    this.#bytes = 0;
    return sent;
  }
}
