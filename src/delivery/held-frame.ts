import type { RecordCursor } from '../ring/receiver.ts';

/** One publication's frame, copied out of the ring once for all clients of a shard that still have to get it. */
export interface HeldFrame {
  readonly bytes: Buffer;
  readonly topic: number;
  readonly slot: number;
  readonly policy: number;
  readonly seq: number;
  readonly prevSeq: number;
  readonly ordinal: number;
  readonly dueUs: number;
}

export function holdFrame(record: RecordCursor): HeldFrame {
  const { bytes, frameStart, frameEnd, topic, slot, policy, seq, prevSeq, ordinal, dueUs } = record;
  const copy = Buffer.allocUnsafeSlow(frameEnd - frameStart);
  bytes.copy(copy, 0, frameStart, frameEnd);
  return { bytes: copy, topic, slot, policy, seq, prevSeq, ordinal, dueUs };
}
