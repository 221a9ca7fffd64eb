import { EVERY } from '../../src/delivery/delivery-policy.ts';
import type { HeldFrame } from '../../src/delivery/held-frame.ts';
import { textFrame } from '../../src/frame/frame-header.ts';

export interface PublicationOptions {
  /** A code of delivery/delivery-policy.ts. */
  policy?: number;
  data?: object;
  slot?: number;
  dueUs?: number;
}

interface Numbers {
  seq: number;
  ordinal: number;
}

const NOTHING_YET: Numbers = { seq: 0, ordinal: 0 };

/** Publications numbered as the primary numbers them, as the frames that a shard would hold of them. */
export class FrameSource {
  /** Of the newest publication. */
  seq = 0;
  readonly #last = new Map<number, Numbers>();

  publish(topic: number, { policy = EVERY, data = {}, slot = 0, dueUs = 0 }: PublicationOptions = {}): HeldFrame {
    const { seq: prevSeq, ordinal } = this.last(topic);
    const seq = ++this.seq;
    this.#last.set(topic, { seq, ordinal: ordinal + 1 });
    const payload = { type: 'depth', symbol: `S${topic}`, data };
    const bytes = textFrame(JSON.stringify({ type: 'depth', payload, timestamp: 1, seq, prevSeq }));
    return { bytes, topic, slot, policy, seq, prevSeq, ordinal: ordinal + 1, dueUs };
  }

  /** The topic's newest publication. */
  last(topic: number): Numbers {
    return this.#last.get(topic) ?? NOTHING_YET;
  }
}
