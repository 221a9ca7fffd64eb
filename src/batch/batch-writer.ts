import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { nowUs } from '../util/clock.ts';
import { type Batch, NO_SLOT } from './batch.ts';
import type { BatchBuffers } from './batch-buffers.ts';

export interface WriterParts {
  statistics: StatisticsBlock;
  /** A connection whose socket holds more than this after a write has fallen behind, bytes. */
  highWaterBytes: number;
  /** It has, and is to leave the `members` of its cohort. */
  fellBehind: (connection: PooledConnection) => void;
}

const NOTHING = Buffer.alloc(0);

/** Frames back to back, and where each ends: those of a batch, or of a compressed stream that runs beside it. */
interface Frames {
  readonly bytes: Buffer;
  readonly ends: readonly number[];
  held: boolean;
  startOf(index: number): number;
}

/** Members that get the same frames. */
class Run {
  batch: Batch | undefined;
  frames: Frames | undefined;
  /** By index in the batch: from the first up to, and without, the last. */
  from = 0;
  to = 0;
  publications = 0;
  recipients = 0;
  bytes: Buffer = NOTHING;
  /** The same bytes in a buffer of their own. */
  exact: Buffer | undefined;

  begin(batch: Batch, frames: Frames, from: number): void {
    this.batch = batch;
    this.frames = frames;
    this.from = from;
    this.to = batch.messages;
    this.publications = batch.publicationsFrom(from);
    this.bytes = frames.bytes.subarray(frames.startOf(from), frames.ends[batch.messages - 1]);
  }

  /** Where the buffer is not much larger than the bytes, they are as good as exact. */
  exactBytes(): Buffer {
    const { bytes } = this;
    if ((this.frames as Frames).bytes.length <= 2 * bytes.length) return bytes;
    if (this.exact === undefined) {
      this.exact = Buffer.allocUnsafeSlow(bytes.length);
      bytes.copy(this.exact);
    }
    return this.exact;
  }

  /**
   * Counts the frames as delivered to each of the recipients. Latency runs to now, when the last of them has been written,
   * so what the statistics say is an upper bound for the others.
   */
  end(statistics: StatisticsBlock): void {
    const { batch, frames, recipients } = this;
    if (batch === undefined || frames === undefined) return;
    const now = nowUs();
    let bytes = 0;
    for (let i = this.from; i < this.to; i++) {
      const slot = batch.slots[i] as number;
      if (slot === NO_SLOT) continue;
      const frameBytes = (frames.ends[i] as number) - frames.startOf(i);
      statistics.addDeliveries(slot, recipients, frameBytes, now - (batch.dues[i] as number));
      bytes += frameBytes;
    }
    statistics.add('messagesForwarded', this.publications * recipients);
    statistics.add('bytesForwarded', bytes * recipients);
    statistics.add('socketWrites', recipients);
    this.batch = undefined;
    this.frames = undefined;
    this.recipients = 0;
    this.bytes = NOTHING;
    this.exact = undefined;
  }
}

/**
 * Writes batches to sockets, one write a member. Members that get the same frames, one after the other, are a run: what the
 * frames are is looked up, and counted, once for all of them. A run ends by itself where other frames begin.
 */
export class BatchWriter {
  readonly #parts: WriterParts;
  readonly #buffers: BatchBuffers;
  readonly #plain = new Run();
  readonly #compressed = new Run();

  /** @param buffers for compressed frames */
  constructor(parts: WriterParts, buffers: BatchBuffers) {
    this.#parts = parts;
    this.#buffers = buffers;
  }

  /** Writes what the batch holds and the member, who is of its cohort, has not had. There is something. */
  write(batch: Batch, member: PooledConnection): void {
    const { socket, stream } = member;
    const run = stream === undefined ? this.#plain : this.#compressed;
    const frames = stream ?? batch;
    const from = member.cursor - batch.base;
    if (frames !== run.frames || from !== run.from || batch.messages !== run.to) {
      run.end(this.#parts.statistics);
      stream?.follow(batch, this.#buffers);
      run.begin(batch, frames, from);
    }
    // A socket that is behind keeps its bytes for a while: then only these, not the larger buffer they stand in.
    const bytes = socket.writableLength > 0 ? run.exactBytes() : run.bytes;
    socket.write(bytes);
    run.recipients++;
    member.cursor = batch.base + batch.messages;
    member.messagesSent += run.publications;
    member.bytesSent += bytes.length;
    const pendingBytes = socket.writableLength;
    if (pendingBytes === 0) return;
    if (bytes === run.bytes) frames.held = true;
    const { highWaterBytes, fellBehind } = this.#parts;
    if (pendingBytes > highWaterBytes) fellBehind(member);
  }

  /** Counts what has been written. Call before a batch is changed. */
  endRuns(): void {
    const { statistics } = this.#parts;
    this.#plain.end(statistics);
    this.#compressed.end(statistics);
  }
}
