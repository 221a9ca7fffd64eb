import type { CoverageStep, InForce, Until } from './coverage.ts';
import { isSeq } from './frame-shape.ts';
import type { GivenFilter } from './naive-matcher.ts';
import type { WireMessage } from './wire-message.ts';

/** What a client asked for, so that the reply with its id can be understood. */
export interface Request {
  type: string;
  id: string;
  payload?: Record<string, unknown>;
}

interface ResumeAsked {
  epoch: string;
  seq: number;
}

export const REFUSALS = ['UNKNOWN_EPOCH', 'HISTORY_TOO_SHORT', 'SEQ_IN_FUTURE', 'ALREADY_SUBSCRIBED'];

/** What a `subscribed` reply has changed. */
export interface Subscribed {
  step: CoverageStep;
  resumed: boolean | undefined;
  replayed: number;
  reason: string;
}

/**
 * The filters in force on one connection after another, as the replies to a client tell, and where the gateway was when it
 * gave them.
 */
export class SubscriptionState {
  readonly #filters = new Map<string, GivenFilter>();
  readonly #asked = new Map<string | number, Request>();
  #isFirehose = false;
  /** Highest seq that this connection has shown the gateway to have reached. */
  #told = 0;
  /** Ends of coverage that a later reply may tell more of. */
  #openUntils: Until[] = [];

  get inForce(): InForce {
    return this.#isFirehose ? 'everything' : [...this.#filters.values()];
  }

  get coversNothing(): boolean {
    return !this.#isFirehose && this.#filters.size === 0;
  }

  /** Ids of the filters in force. */
  get filterIds(): string[] {
    return [...this.#filters.keys()];
  }

  /** Resumptions that have been asked for and not been answered. */
  get resumptionsAsked(): number {
    return [...this.#asked.values()].filter(({ payload }) => payload?.resume !== undefined).length;
  }

  asked(request: Request): void {
    this.#asked.set(request.id, request);
  }

  connected(isFirehose: boolean, seq: number): CoverageStep {
    this.#isFirehose = isFirehose;
    return this.#step('connected', seq);
  }

  /** The gateway has been at `seq` when it sent what has just come. @param isReply it has passed on nothing newer then */
  told(seq: number, isReply: boolean): void {
    this.#told = Math.max(this.#told, seq);
    if (!isReply) return;
    for (const until of this.#openUntils) until.most = Math.max(until.least, seq);
    this.#openUntils = [];
  }

  /** @returns a text where the reply is not as it has to be; undefined where it is about channels */
  subscribed({ id, payload }: WireMessage): Subscribed | string | undefined {
    const request = this.#answered(id);
    if (payload.channel !== undefined || payload.results !== undefined) return undefined;
    if (!isSeq(payload.seq) || typeof payload.filterId !== 'string') return 'the reply has no seq or no filterId';
    const resume = request?.payload?.resume as ResumeAsked | undefined;
    if ((resume === undefined) !== (payload.resumed === undefined)) return 'the reply does not say whether it resumed';
    const resumed = payload.resumed === true;
    if (resumed && !isSeq(payload.replayed)) return 'the reply does not say how many it replays';
    if (payload.resumed === false && !REFUSALS.includes(payload.reason as string)) return 'the refusal has no reason';
    this.told(payload.seq, true);
    this.#isFirehose = false;
    this.#filters.set(payload.filterId, payload.filter as GivenFilter);
    const until = { least: payload.seq, most: payload.seq, isCommon: true };
    const step = this.#step('subscribed', resumed ? (resume as ResumeAsked).seq : payload.seq, resumed, until);
    const replayed = resumed ? (payload.replayed as number) : 0;
    return { step, resumed: payload.resumed as boolean | undefined, replayed, reason: String(payload.reason) };
  }

  unsubscribed({ id, payload }: WireMessage): CoverageStep | undefined {
    this.#answered(id);
    if (payload.channel !== undefined || payload.results !== undefined) return undefined;
    // One that has never sent a filter goes on getting everything.
    if (payload.filterId === undefined) this.#filters.clear();
    else this.#filters.delete(payload.filterId as string);
    const until = { least: this.#told, most: Number.POSITIVE_INFINITY, isCommon: true };
    this.#openUntils.push(until);
    return this.#step('unsubscribed', 0, false, until);
  }

  /** @param resumePoint up to here everything that was owed has come */
  lost(resumePoint: number): CoverageStep {
    this.#filters.clear();
    this.#asked.clear();
    this.#isFirehose = false;
    this.#told = 0;
    this.#openUntils = [];
    return this.#step('lost', 0, false, { least: resumePoint, most: Number.POSITIVE_INFINITY, isCommon: false });
  }

  #answered(id: WireMessage['id']): Request | undefined {
    if (id === undefined) return undefined;
    const request = this.#asked.get(id);
    this.#asked.delete(id);
    return request;
  }

  #step(kind: CoverageStep['kind'], since: number, resumed = false, until: Until = NO_END): CoverageStep {
    return { kind, inForce: this.inForce, since, resumed, until };
  }
}

/** For steps that end nothing. */
const NO_END: Until = { least: 0, most: 0, isCommon: true };
