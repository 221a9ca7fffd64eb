import { textFrame } from '../frame/frame-header.ts';
import type { LatestFrame } from '../frame/frame-publisher.ts';
import type { Receiver, RecordCursor } from '../ring/receiver.ts';
import type { TopicDirectoryReader } from '../ring/topic-directory.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import type { DutyCycle } from './duty-cycle.ts';
import type { PrimaryLink } from './primary-link.ts';

export interface CatchUpParts {
  receiver: Receiver;
  directory: TopicDirectoryReader;
  duty: DutyCycle;
  link: PrimaryLink;
  log: Logger;
  statistics: StatisticsBlock;
}

/** Topics asked of the primary at a time. */
const ASK_MAX = 4_096;

/**
 * What a shard does when the transmitter has run over it: it goes on from the tail, and so that nobody stays stale, the
 * latest value of every topic that moved meanwhile is read again from the ring, or, where it has been overwritten too,
 * asked of the primary.
 */
export class CatchUp {
  readonly #parts: CatchUpParts;

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
  }

  /**
   * Call with the receiver at the tail, before it reads on.
   * @param from position up to which this shard has read: what a topic had before it is known here
   */
  start(from: number): void {
    const { receiver, directory, duty, link, log, statistics } = this.#parts;
    const tail = receiver.position;
    const unreadable: number[] = [];
    let reread = 0;
    for (let topic = 0; topic < directory.count(); topic++) {
      const position = directory.latest(topic);
      // Beyond the tail it comes by itself.
      if (position < from || position >= tail) continue;
      if (!receiver.readAt(position)) {
        unreadable.push(topic);
      } else if (receiver.seq > duty.lastSeqOf(topic)) {
        duty.deliver(receiver);
        reread++;
      }
    }
    for (let at = 0; at < unreadable.length; at += ASK_MAX) {
      link.send({ kind: 'latest', topics: unreadable.slice(at, at + ASK_MAX) });
    }
    const lapped = statistics.get('lapped');
    log.warn(
      { lapped, reread, asked: unreadable.length },
      'WebSocket shard lapped by the ring, latest values read again',
    );
  }

  /**
   * The primary has answered. What it sent may stand in the ring as well, further on than this shard has read; so that is
   * read first, and what has been seen by then is as new or newer, and stays.
   */
  answered(frames: readonly LatestFrame[]): void {
    const { duty } = this.#parts;
    duty.drain();
    for (const frame of frames) if (frame.seq > duty.lastSeqOf(frame.topic)) duty.deliver(cursorOf(frame));
    duty.turn();
  }
}

function cursorOf({ topic, seq, dueUs, slot, text }: LatestFrame): RecordCursor {
  const bytes = textFrame(text);
  return { bytes, frameStart: 0, frameEnd: bytes.length, topic, slot, seq, dueUs, previous: -1 };
}
