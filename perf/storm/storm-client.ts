import { nowUs } from '../../src/util/clock.ts';
import { emptyTail, readGap, readTail } from '../load/message-scan.ts';
import { RawConnection } from '../load/raw-connection.ts';
import { ResumeCheck } from './resume-check.ts';

const PATH = '/ws?subscription=none';
const WELCOME_HEAD = Buffer.from('{"type":"welcome"');
const SUBSCRIBED_HEAD = Buffer.from('{"type":"subscribed"');

export interface StormClientOptions {
  port: number;
  /** Clients may share it. */
  readBuffer: Uint8Array;
  filter: { exchange: string[]; symbols: string[] };
  /** Called each time it has subscribed, has caught up, or has lost its connection without having left. */
  onSubscribed(client: StormClient): void;
  onCaughtUp(client: StormClient): void;
  onLost(client: StormClient): void;
}

/** What a gateway answers to a subscription. */
interface SubscribedPayload {
  seq?: number;
  resumed?: boolean;
  replayed?: number;
  reason?: string;
}

/** A client that subscribes, leaves without a word, and comes back, from where it was or anew. */
export class StormClient {
  failure = '';
  /** Since it came back: what the gateway said of the resume. */
  wasResumed = false;
  refusal: string | undefined;
  replayed = 0;
  snapshots = 0;
  gaps = 0;
  /** µs since the epoch; 0 as long as it has not happened. */
  subscribedUs = 0;
  caughtUpUs = 0;
  readonly check = new ResumeCheck();
  readonly #options: StormClientOptions;
  readonly #tail = emptyTail();
  #raw: RawConnection | undefined;
  #epoch = '';
  #isBack = false;
  #resumes = false;
  #received = 0;

  constructor(options: StormClientOptions) {
    this.#options = options;
  }

  join(): void {
    this.#connect();
  }

  /** As a page that is closed or loses its network does: without a closing handshake. */
  leave(): void {
    const raw = this.#raw;
    this.#raw = undefined;
    raw?.destroy();
  }

  /** @param resumes from the last frame it has got; otherwise it subscribes as if it were new */
  rejoin(resumes: boolean): void {
    this.#isBack = true;
    this.#resumes = resumes;
    this.subscribedUs = 0;
    if (resumes) this.check.beginAgain();
    this.#connect();
  }

  #connect(): void {
    const { port, readBuffer } = this.#options;
    const raw = new RawConnection(
      { port, path: PATH, readBuffer, sampleEvery: 1, phase: 0 },
      {
        onOpen: () => this.#subscribe(raw),
        onSample: (bytes, from, to) => this.#onMessage(raw, bytes, from, to),
        onGap: (bytes, from, to) => this.#onGap(bytes, from, to),
        onEnd: () => this.#onEnd(raw),
      },
    );
    this.#raw = raw;
  }

  #subscribe(raw: RawConnection): void {
    const { filter } = this.#options;
    const resume = { epoch: this.#epoch, seq: this.check.resumePoint };
    const payload = this.#isBack && this.#resumes ? { ...filter, resume } : filter;
    raw.send(JSON.stringify({ type: 'subscribe', payload }));
  }

  #onMessage(raw: RawConnection, bytes: Uint8Array, from: number, to: number): void {
    // What is still in the buffers of a connection that was left is not known to the client.
    if (raw !== this.#raw) return;
    if (readTail(bytes, from, to, this.#tail)) this.#onFrame();
    else if (beginsWith(bytes, from, to, WELCOME_HEAD)) this.#epoch = String(payloadOf(bytes, from, to).epoch ?? '');
    else if (beginsWith(bytes, from, to, SUBSCRIBED_HEAD)) this.#onSubscribed(payloadOf(bytes, from, to));
  }

  #onFrame(): void {
    if (this.#tail.isSnapshot) {
      this.snapshots++;
      return;
    }
    this.check.take(this.#tail);
    this.#advance(1);
  }

  #onGap(bytes: Uint8Array, from: number, to: number): void {
    const gap = readGap(bytes, from, to);
    if (gap === undefined) return;
    this.gaps++;
    this.check.takeGap(gap.toSeq);
    this.#advance(gap.count);
  }

  #onSubscribed({ seq = 0, resumed = false, replayed = 0, reason }: SubscribedPayload): void {
    this.subscribedUs = nowUs();
    this.#received = 0;
    if (!this.#isBack) this.check.begin(seq);
    else if (this.#resumes) {
      this.wasResumed = resumed;
      this.refusal = resumed ? undefined : (reason ?? 'no answer to the resume');
      this.replayed = replayed;
    }
    this.#options.onSubscribed(this);
    this.#advance(0);
  }

  /** It has caught up when all that was to be replayed has come; otherwise with the first frame that comes. */
  #advance(publications: number): void {
    this.#received += publications;
    if (!this.#isBack || this.subscribedUs === 0 || this.caughtUpUs > 0) return;
    if (this.#received < (this.wasResumed ? this.replayed : 1)) return;
    this.caughtUpUs = nowUs();
    this.#options.onCaughtUp(this);
  }

  #onEnd(raw: RawConnection): void {
    if (raw !== this.#raw) return;
    this.#raw = undefined;
    this.failure = raw.failure || `closed with ${raw.closeCode}`;
    this.#options.onLost(this);
  }
}

function beginsWith(bytes: Uint8Array, from: number, to: number, head: Uint8Array): boolean {
  if (to - from < head.length) return false;
  for (let i = 0; i < head.length; i++) if (bytes[from + i] !== head[i]) return false;
  return true;
}

/** Empty where the reply is longer than what is kept of one that came in pieces. */
function payloadOf(bytes: Uint8Array, from: number, to: number): SubscribedPayload & { epoch?: unknown } {
  try {
    return JSON.parse(Buffer.from(bytes.subarray(from, to)).toString()).payload;
  } catch {
    return {};
  }
}
