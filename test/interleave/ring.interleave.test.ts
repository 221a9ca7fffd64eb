import { describe, expect, it } from 'vitest';
import { allocateRing, PAYLOAD_AT, payloadBytesMax, type RingMemory, recordBytes } from '../../src/ring/layout.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { everyChoice } from '../support/every-choice.ts';
import { type Effect, EffectRecorder, inHalves, type Replay } from '../support/memory-effects.ts';
import {
  commitWritten,
  expectedRecord,
  faultOf,
  positionsOf,
  publishRecord,
  type ReceivedRecord,
  setPositions,
  writeFrame,
} from '../support/ring-records.ts';
import { SteppedReceiver } from '../support/stepped-receiver.ts';

/*
 * What the transmitter does is written down as steps (raise INTENT, write padding, write bytes, complete the header, publish
 * TAIL; each plain write in two halves), and replayed between the steps of the receiver (load TAIL, copy half, copy half,
 * validate), in every combination.
 */
const CAPACITY = 64 * 1024;
/** Four of these fill the ring. */
const LARGEST = payloadBytesMax(CAPACITY);

type Outcome =
  | 'nothing' // there was no unread record when TAIL was loaded
  | 'records' // all unread records up to TAIL, or to the end of the ring, whole and in order
  | 'lapped'; // INTENT had passed over the receiver when it validated; it stands at the tail

interface Situation {
  name: string;
  /** Position at which ring and receiver begin. */
  start: number;
  /** Payload sizes of the records that are published and unread, and of those that are written meanwhile. */
  unread: number[];
  written: number[];
  /** Exactly these outcomes occur. */
  outcomes: Outcome[];
  /** After how many of the receiver's steps the writer stops choosing freely. */
  freeSteps: number;
}

const SITUATIONS: Situation[] = [
  {
    name: 'an empty ring',
    start: 0,
    unread: [],
    written: [LARGEST, LARGEST, LARGEST, LARGEST, LARGEST],
    outcomes: ['nothing', 'records', 'lapped'],
    freeSteps: 4,
  },
  {
    name: 'a ring full of unread records',
    start: 0,
    unread: [LARGEST, LARGEST, LARGEST, LARGEST],
    written: [LARGEST, LARGEST],
    outcomes: ['records', 'lapped'],
    freeSteps: 5,
  },
  {
    name: 'unread records up to a gap that is padded',
    start: 0,
    unread: [12_000, 12_000, 12_000, 12_000, 12_000],
    written: [12_000, 12_000],
    outcomes: ['records', 'lapped'],
    freeSteps: 5,
  },
  {
    name: 'unread records up to a gap of 8 bytes',
    start: 0,
    unread: [LARGEST, LARGEST, LARGEST, LARGEST - 8],
    written: [0, 15_000],
    outcomes: ['records', 'lapped'],
    freeSteps: 5,
  },
  {
    name: 'a full ring whose oldest record is padded over',
    start: CAPACITY - 5_000,
    unread: [5_000 - PAYLOAD_AT, LARGEST, LARGEST, LARGEST, CAPACITY / 4 - 5_000 - PAYLOAD_AT],
    written: [LARGEST, 0],
    outcomes: ['records', 'lapped'],
    freeSteps: 5,
  },
  {
    name: 'a ring full of unread records that begin in its middle',
    start: CAPACITY / 2,
    unread: [LARGEST, LARGEST, LARGEST, LARGEST],
    written: [LARGEST, 0],
    outcomes: ['records', 'lapped'],
    freeSteps: 5,
  },
  {
    name: 'a receiver in front of 8 bytes of padding, at a position beyond 2^32',
    start: 2 ** 32 + CAPACITY - 8,
    unread: [],
    written: [LARGEST, LARGEST, LARGEST, LARGEST],
    outcomes: ['nothing', 'records', 'lapped'],
    freeSteps: 4,
  },
  {
    name: 'a ring full of unread records just below 2^53',
    start: 2 ** 53 - 16 * CAPACITY,
    unread: [LARGEST, LARGEST, LARGEST, LARGEST],
    written: [LARGEST, LARGEST],
    outcomes: ['records', 'lapped'],
    freeSteps: 5,
  },
];

interface PlacedRecord {
  position: number;
  end: number;
  expected: ReceivedRecord;
}

describe('receiver and transmitter in every interleaving', () => {
  for (const situation of SITUATIONS) {
    for (const backwards of [false, true]) {
      it(`give only allowed outcomes from ${situation.name}${backwards ? ', later bytes first' : ''}`, () => {
        const scene = new Scene(situation, backwards);
        const seen = new Set<Outcome>();
        const runs = everyChoice((choose) => {
          const stepped = scene.steppedReceiver(choose);
          seen.add(receiveOnce(scene, stepped));
          receiveTheRest(scene, stepped);
        });
        expect(runs).toBeGreaterThan(1_000);
        expect([...seen].sort()).toEqual([...situation.outcomes].sort());
      });
    }
  }

  it('read one record whole or not at all', () => {
    const situation: Situation = {
      name: '',
      start: 0,
      unread: [LARGEST, 9_000, LARGEST, LARGEST],
      written: [LARGEST, 6_000],
      outcomes: [],
      freeSteps: 6,
    };
    const scene = new Scene(situation, false);
    const results = new Set<boolean>();
    everyChoice((choose) => {
      const stepped = scene.steppedReceiver(choose);
      const position = stepped.receiver.position;
      const { target, read } = stepped.run((receiver) => {
        const second = scene.records[1]!;
        return { target: second, read: receiver.readAt(second.position) };
      });
      results.add(read);
      check(stepped.receiver.position === position, 'reading a record does not move on');
      if (read) checkRecord(stepped, target.expected);
      else check(stepped.intentSeen - CAPACITY > target.position, 'only what may be overwritten is given up');
    });
    expect(results).toEqual(new Set([true, false]));
  });
});

/** A ring with its unread records, and what the transmitter does next as steps. */
class Scene {
  readonly ring: RingMemory = allocateRing(CAPACITY);
  /** Unread, written, and one more that comes when all is over. */
  readonly records: PlacedRecord[] = [];
  readonly replay: Replay;
  readonly #steps: number;
  readonly #lastSteps: number;
  readonly #situation: Situation;

  constructor(situation: Situation, backwards: boolean) {
    this.#situation = situation;
    const { ring } = this;
    setPositions(ring, situation.start);
    const before = new Transmitter(ring);
    for (const bytes of situation.unread) this.#place(publishRecord(before, this.#nextSeq, bytes), bytes);
    // INTENT exactly at the tail: the next claim has to raise it.
    setPositions(ring, before.position);
    const transmitter = new Transmitter(ring);
    const recorder = new EffectRecorder([ring.memory]);
    const effects = (sizes: number[]) =>
      inHalves(
        recorder.record((step) => {
          for (const bytes of sizes) this.#place(writeInSteps(transmitter, this.#nextSeq, bytes, step), bytes);
        }),
        backwards,
      );
    const steps: Effect[] = effects(situation.written);
    const lastSteps: Effect[] = effects([100]);
    this.#steps = steps.length;
    this.#lastSteps = lastSteps.length;
    this.replay = recorder.replay([...steps, ...lastSteps]);
  }

  steppedReceiver(choose: (options: number) => number): SteppedReceiver {
    const { start, freeSteps } = this.#situation;
    return new SteppedReceiver(this.ring, start, this.replay, this.#steps, choose, freeSteps);
  }

  publishLast(): void {
    this.replay.run(this.#lastSteps);
  }

  get #nextSeq(): number {
    return this.records.length + 1;
  }

  #place(position: number, payloadBytes: number): void {
    const expected = expectedRecord(this.#nextSeq, payloadBytes);
    this.records.push({ position, end: position + recordBytes(payloadBytes), expected });
  }
}

function writeInSteps(transmitter: Transmitter, seq: number, payloadBytes: number, step: () => void): number {
  writeFrame(transmitter, seq, payloadBytes, step);
  step();
  const position = commitWritten(transmitter, seq, payloadBytes);
  step();
  transmitter.publish();
  return position;
}

/** One `receive` in this interleaving. Throws unless its outcome is among those allowed. */
function receiveOnce(scene: Scene, stepped: SteppedReceiver): Outcome {
  const { receiver } = stepped;
  const begin = receiver.position;
  const got: number[] = [];
  const count = stepped.run(() =>
    receiver.receive((record) => {
      const place = scene.records[record.seq - 1];
      check(place !== undefined, `seq ${record.seq} was published`);
      checkRecord(stepped, place.expected);
      got.push(record.seq);
    }),
  );
  check(count === got.length, 'the count is that of the records');
  if (receiver.lapped > 0) {
    check(count === 0, 'a lapped receiver hands nothing on');
    check(stepped.intentSeen - CAPACITY > begin, 'only a receiver that is run over is lapped');
    check(receiver.position === stepped.tailSeen, 'a lapped receiver goes on from the tail');
    return 'lapped';
  }
  if (count === 0) {
    check(stepped.tailSeen === begin && receiver.position === begin, 'nothing comes only when there is nothing');
    return 'nothing';
  }
  const unread = scene.records.filter(({ position, end }) => position >= begin && end <= stepped.tailSeen);
  const lap = Math.floor(unread[0]!.position / CAPACITY);
  const due = unread.filter(({ position }) => Math.floor(position / CAPACITY) === lap);
  check(sameNumbers(got, due), `got ${got}, due were ${due.map(({ expected }) => expected.seq)}`);
  const last = due.at(-1)!;
  const atRingEnd = (Math.floor(last.position / CAPACITY) + 1) * CAPACITY;
  check(receiver.position === last.end || receiver.position === atRingEnd, 'the next record follows the last one');
  return 'records';
}

/** When the writer is done, the receiver goes on in order, and misses nothing but by being lapped. */
function receiveTheRest(scene: Scene, { receiver }: SteppedReceiver): void {
  const first = scene.records.findIndex(({ position }) => position >= receiver.position) + 1;
  // A receiver stands on a record, or on padding, which is followed by one.
  check(first > 0 && (first === 1 || scene.records[first - 2]!.end <= receiver.position), 'it stands between records');
  const { lapped, position } = receiver;
  scene.publishLast();
  const got: number[] = [];
  while (!receiver.drained) {
    receiver.receive((record) => {
      const fault = faultOf(record, scene.records[record.seq - 1]!.expected);
      check(fault === undefined, `seq ${record.seq}: ${fault}`);
      got.push(record.seq);
    });
  }
  const { tail, intent } = positionsOf(scene.ring);
  check(tail === scene.records.at(-1)!.end, 'everything has been published');
  if (receiver.lapped > lapped) return check(intent - CAPACITY > position && got.length === 0, 'it was run over again');
  const due = scene.records.slice(first - 1);
  check(sameNumbers(got, due), `went on with ${got}, due were ${due.map(({ expected }) => expected.seq)}`);
}

function sameNumbers(got: readonly number[], due: readonly PlacedRecord[]): boolean {
  return got.length === due.length && got.every((seq, i) => seq === due[i]!.expected.seq);
}

function checkRecord({ receiver }: SteppedReceiver, expected: ReceivedRecord): void {
  const fault = faultOf(receiver, expected);
  check(fault === undefined, `seq ${receiver.seq}: ${fault}`);
}

/** As `expect`, but cheap enough for a million times. */
function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
