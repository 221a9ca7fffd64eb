import type { PublicationText } from '../dataflow/publication-text.ts';
import type { RecordFields, Transmitter } from '../ring/transmitter.ts';
import { putBytes, putInteger } from '../util/ascii.ts';
import { TEXT, writeFrameHeader } from './frame-header.ts';
import type { TextTopic } from './text-topics.ts';

/** Writes the fields that front ends look for at the top of a payload; see dataflow/hoisted-text.ts. */
export type PutHoisted = (text: PublicationText, type: string | null, into: Uint8Array, at: number) => number;

const CLOSE_OBJECT = 0x7d;
const PREV_SEQ_KEY = Buffer.from(',"prevSeq":');

/** What surrounds a text: envelope and tail, and hoisted fields but for strings, which are parts of the text. */
const AROUND_BYTES_MAX = 2_048;

/** Writes publications that are texts as WebSocket frames straight into the ring: what a text holds is copied as it is. */
export class TextFrameWriter {
  /** Bytes of the frame that was written last, header included. */
  frameBytes = 0;
  readonly #transmitter: Transmitter;
  readonly #putHoisted: PutHoisted;
  /** `,"timestamp":…,"seq":` as it is at `#stampedMs`. */
  #stamp: Uint8Array = new Uint8Array();
  #stampedMs = -1;

  constructor(transmitter: Transmitter, putHoisted: PutHoisted) {
    this.#transmitter = transmitter;
    this.#putHoisted = putHoisted;
  }

  /** Room that the text is claimed with, in bytes of payload: what it takes at most. */
  claimBytes(text: PublicationText): number {
    return 2 * (text.end - text.start) + AROUND_BYTES_MAX;
  }

  /** As `FrameWriter.commit`: the frame that `frameText` describes, with the payload's fields in the order of the text. */
  commit(text: PublicationText, { topic, head }: TextTopic, nowMs: number, fields: RecordFields): number {
    const transmitter = this.#transmitter;
    const { data } = transmitter;
    const at = transmitter.claim(this.claimBytes(text));
    let end = putBytes(data, at, head);
    text.bytes.copy(data, end, text.start, text.end - 1);
    end += text.end - 1 - text.start;
    end = this.#putHoisted(text, topic.dataType, data, end);
    data[end] = CLOSE_OBJECT;
    end = putBytes(data, end + 1, this.#stampOf(nowMs));
    end = putInteger(data, end, fields.seq);
    end = putBytes(data, end, PREV_SEQ_KEY);
    end = putInteger(data, end, fields.prevSeq);
    data[end] = CLOSE_OBJECT;
    const payloadBytes = end + 1 - at;
    this.frameBytes = payloadBytes + writeFrameHeader(data, at, payloadBytes, TEXT);
    return transmitter.commit(payloadBytes, this.frameBytes, fields);
  }

  #stampOf(nowMs: number): Uint8Array {
    if (nowMs !== this.#stampedMs) {
      this.#stamp = Buffer.from(`,"timestamp":${nowMs},"seq":`);
      this.#stampedMs = nowMs;
    }
    return this.#stamp;
  }
}
