import type { RecordFields, Transmitter } from '../ring/transmitter.ts';
import { TEXT, writeFrameHeader } from './frame-header.ts';
import type { RegisteredTopic } from './topic-registry.ts';

/** UTF-8 takes at most three bytes for a UTF-16 unit. */
export const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Writes texts as WebSocket frames straight into the ring. The caller has made room for `claimBytes(text)` bytes. */
export class FrameWriter {
  /** Bytes of the frame that was written last, header included. */
  frameBytes = 0;
  readonly #transmitter: Transmitter;

  constructor(transmitter: Transmitter) {
    this.#transmitter = transmitter;
  }

  /** Room that the text is claimed with, in bytes of payload: what it takes at most. */
  claimBytes(text: string): number {
    return Math.min(text.length * UTF8_BYTES_PER_UNIT_MAX, this.#transmitter.payloadBytesMax);
  }

  /** Commits a record of this text, which fits the ring. Receivers see it after the next `publish`. Returns its position. */
  commit(text: string, fields: RecordFields): number {
    const transmitter = this.#transmitter;
    const most = this.claimBytes(text);
    const at = transmitter.claim(most);
    const payloadBytes = transmitter.data.write(text, at, most);
    this.frameBytes = payloadBytes + writeFrameHeader(transmitter.data, at, payloadBytes, TEXT);
    return transmitter.commit(payloadBytes, this.frameBytes, fields);
  }
}

/**
 * Text of a frame. `seq` and `prevSeq` stand last, so that a chain can be mended without parsing it (see frame-tail.ts).
 * @param fields JSON of the payload's fields behind those that name the topic, each with a comma in front
 */
export function frameText(topic: RegisteredTopic, fields: string, nowMs: number, seq: number, prevSeq: number): string {
  const rest = topic.headHasFields ? fields : fields.slice(1);
  return `${topic.head}${rest}},"timestamp":${nowMs},"seq":${seq},"prevSeq":${prevSeq}}`;
}
