import { hoistedFields } from '../../src/dataflow/hoist.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { policyOf } from '../../src/delivery/delivery-policy.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateRing, FRAME } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { allocateSequenceIndex, SequenceIndexWriter } from '../../src/ring/sequence-index.ts';
import { allocateTopicDirectory, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { recordedPublications } from './recorded-publications.ts';

const RING_BYTES = 64 * 1024 * 1024;
const TOPICS_MAX = 10_000;
const CONFLATION = { latest: ['ticker', 'kline'], book: ['depth'] };

/** The frames that a gateway makes of a recording, in order, header included. */
export async function recordedFrames(file: string): Promise<Buffer[]> {
  const publications = await recordedPublications(file);
  const ring = allocateRing(RING_BYTES);
  const directory = new TopicDirectoryWriter(allocateTopicDirectory(TOPICS_MAX));
  const receiver = new Receiver(ring);
  const publisher = new FramePublisher({
    registry: new TopicRegistry(directory, (dataType) => policyOf(dataType, CONFLATION)),
    directory,
    index: new SequenceIndexWriter(allocateSequenceIndex(ring.capacity)),
    transmitter: new Transmitter(ring),
    hoistedFields,
    published: () => {},
    payloadBytesMax: 0,
  });
  const frames: Buffer[] = [];
  for (const publication of publications) {
    publisher.publish(publication, { source: 'recording', dueUs: 0, receivedAtAdded: false });
    while (!receiver.drained) {
      receiver.receive(({ kind, bytes, frameStart, frameEnd }) => {
        if (kind === FRAME) frames.push(sentAt(Buffer.from(bytes.subarray(frameStart, frameEnd)), publication));
      });
    }
  }
  return frames;
}

const TIMESTAMP = '"timestamp":';

/** The frame as it would have been sent when it was recorded: of now, all would be sent in the same few milliseconds. */
function sentAt(frame: Buffer, { data }: Publication): Buffer {
  const at = frame.lastIndexOf(TIMESTAMP) + TIMESTAMP.length;
  frame.write(String(Math.floor((data as { ts: number }).ts / 1000)), at, 'latin1');
  return frame;
}
