import { BookWatch } from './book-watch.ts';
import { ClientRecord } from './client-record.ts';
import type { CoverageStep } from './coverage.ts';
import { type ConflatedTypes, type PolicyName, policyOf, USUAL_CONFLATION } from './delivery-policies.ts';
import { frameFaults, gapIn, isSeq } from './frame-shape.ts';
import { type Ledger, ledgerFaults } from './ledger-check.ts';
import { isBookData } from './naive-book.ts';
import { Problems } from './problems.ts';
import { ResumePoint } from './resume-point.ts';
import { type Request, SubscriptionState } from './subscription-state.ts';
import { type Taking, TopicChain } from './topic-chain.ts';
import { type DataFrame, isDataFrame, topicKey, topicOf, type WireMessage } from './wire-message.ts';

export interface ChainCheckerOptions {
  client: string;
  conflation?: ConflatedTypes;
  /** Each publication's `data.n` is its own seq, so that a frame's content can be told from another's. */
  isNumbered?: boolean;
  /**
   * The client may be with one gateway now and with another later, which number alike. One that came later does not know what
   * was before it: `prevSeq` 0 of a topic's first frame then says nothing, and only the judge finds what is missing there.
   */
  isOneOfSeveral?: boolean;
}

/**
 * Holds everything that one client is sent, over all its connections, against the rules of the wire. It knows only what a client
 * knows. What it finds is in `problems`; what it was told is in `record`, for a judge who knows what was published.
 */
export class ChainChecker {
  readonly problems = new Problems();
  readonly record: ClientRecord;
  readonly books = new BookWatch();
  readonly subscriptions = new SubscriptionState();
  readonly resumePoint = new ResumePoint();
  /** Data frames that had come before and were ignored. */
  repeated = 0;
  frames = 0;
  ledgers = 0;
  connections = 0;
  refusals: Record<string, number> = {};
  readonly #conflation: ConflatedTypes;
  readonly #isNumbered: boolean;
  readonly #isOneOfSeveral: boolean;
  readonly #chains = new Map<string, TopicChain>();
  readonly #policies: PolicyName[] = [];
  #isFirehose = false;
  /** Highest seq that the client was told of at all, and what that was when the connection began. */
  #highest = 0;
  #highestBefore = 0;
  /** seq of the connection's last frame that was no snapshot. */
  #lastSeq = 0;
  /** What is being looked at, for reports. */
  #current: WireMessage | undefined;

  constructor({
    client,
    conflation = USUAL_CONFLATION,
    isNumbered = false,
    isOneOfSeveral = false,
  }: ChainCheckerOptions) {
    this.record = new ClientRecord(client);
    this.#conflation = conflation;
    this.#isNumbered = isNumbered;
    this.#isOneOfSeveral = isOneOfSeveral;
  }

  get chains(): Iterable<TopicChain> {
    return this.#chains.values();
  }

  /** A connection begins; its welcome is to come. @param isFirehose it gets everything until it sends a filter */
  connecting(isFirehose: boolean): void {
    this.#isFirehose = isFirehose;
    this.#highestBefore = this.#highest;
    this.#lastSeq = 0;
    this.connections++;
  }

  /** A request is being sent; it has to have an id. */
  asked(request: Request): void {
    this.subscriptions.asked(request);
  }

  /** The connection is gone. */
  lost(): void {
    this.#apply(this.subscriptions.lost(this.resumePoint.seq ?? 0));
  }

  take(message: WireMessage): void {
    this.#current = message;
    if (isDataFrame(message)) return this.#takeData(message);
    switch (message.type) {
      case 'welcome':
        return this.#takeWelcome(message);
      case 'subscribed':
        return this.#takeSubscribed(message);
      case 'unsubscribed':
        return this.#apply(this.subscriptions.unsubscribed(message));
      case 'gap':
        return this.#takeGap(message);
      case 'epoch':
        return this.#takeEpoch(message);
      case 'serverShutdown':
        return this.#takeShutdown(message);
      case 'ledger':
        return this.#takeLedger(message.payload as unknown as Ledger);
      case 'error':
        return this.#report('an error that nothing called for');
    }
  }

  #takeWelcome({ payload: { seq, epoch } }: WireMessage): void {
    if (!isSeq(seq) || typeof epoch !== 'string') return this.#report('the welcome has no seq or no epoch');
    const isAnother = this.resumePoint.epoch !== '' && epoch !== this.resumePoint.epoch;
    if (isAnother && !this.#isOneOfSeveral) this.#report('the epoch has changed');
    // One that has not published anything yet does not know better; the client's own is still that of its point.
    if (!isAnother) this.resumePoint.epoch = epoch;
    if (this.#isFirehose) this.resumePoint.began(seq);
    this.#apply(this.subscriptions.connected(this.#isFirehose, seq));
    this.subscriptions.told(seq, true);
  }

  #takeEpoch({ payload: { epoch, seq } }: WireMessage): void {
    if (!isSeq(seq) || typeof epoch !== 'string') return this.#report('the new epoch has no name or no seq');
    if (!this.#isOneOfSeveral) this.#report('the epoch has changed');
    this.resumePoint.epoch = epoch;
  }

  /** Of those who keep up it says how far they have come. */
  #takeShutdown({ payload: { seq } }: WireMessage): void {
    if (seq === undefined) return;
    if (!isSeq(seq)) return this.#report('the shutdown has a seq that is none');
    const isWhole = this.subscriptions.resumptionsAsked === 0;
    if (isWhole && this.resumePoint.seq !== undefined) this.resumePoint.began(Math.max(seq, this.resumePoint.seq));
    this.subscriptions.told(seq, true);
  }

  #takeSubscribed(message: WireMessage): void {
    const { coversNothing, inForce } = this.subscriptions;
    const reply = this.subscriptions.subscribed(message);
    if (typeof reply === 'string') return this.#report(reply);
    if (reply === undefined) return;
    const { step, resumed, replayed, reason } = reply;
    const toSeq = message.payload.seq as number;
    if (resumed === true) {
      this.record.resumptions.push({ step, before: inForce, toSeq, replayed });
      this.#lastSeq = Math.min(this.#lastSeq, step.since);
    } else if (resumed === false) this.refusals[reason] = (this.refusals[reason] ?? 0) + 1;
    // Where other filters of the connection may still resume from where the client was, that stays the point.
    const isAlone = coversNothing && this.subscriptions.resumptionsAsked === 0;
    if (resumed !== true && isAlone) this.resumePoint.began(toSeq);
    this.#apply(step);
  }

  #takeData(frame: DataFrame): void {
    this.frames++;
    for (const fault of frameFaults(frame)) this.#report(fault);
    const chain = this.#chainOf(frame);
    if (frame.snapshot === true) this.#takeSnapshot(frame, chain);
    else this.#takeDelivery(frame, chain);
    this.subscriptions.told(frame.seq, false);
    this.resumePoint.moved(frame, this.subscriptions.resumptionsAsked === 0);
    this.#highest = Math.max(this.#highest, frame.seq);
  }

  #takeDelivery(frame: DataFrame, chain: TopicChain): void {
    const { seq, prevSeq, merged = 0 } = frame;
    if (seq <= this.#lastSeq) this.#report(`seq does not rise: ${this.#lastSeq} came before`);
    this.#lastSeq = seq;
    chain.counts.delivered++;
    chain.counts.merged += merged;
    this.#checkContent(frame, chain);
    const before = chain.last;
    const taking = chain.frame(frame, this.#highestBefore, this.#report);
    if (taking === 'repeated') {
      this.repeated++;
      this.record.add('repeated', chain.index, prevSeq, seq, merged, '', false);
      return;
    }
    if (taking === 'overlaps') this.record.add('repeated', chain.index, prevSeq, before, 0, '', false);
    this.record.add(
      'delivered',
      chain.index,
      taking === 'overlaps' ? before : prevSeq,
      seq,
      merged,
      '',
      taking === 'overlaps',
    );
    this.books.take(chain, frame);
  }

  #takeSnapshot(frame: DataFrame, chain: TopicChain): void {
    chain.counts.snapshots++;
    const policy = this.#policies[chain.index];
    const data = frame.payload.data;
    if (policy === 'book' && isBookData(data) && data.isSnapshot !== true)
      this.#report('a snapshot that is no full book');
    this.#checkContent(frame, chain);
    chain.snapshot(frame, this.#report);
    this.record.add('snapshot', chain.index, 0, frame.seq, 0, '', false);
    this.books.take(chain, frame);
  }

  #checkContent({ seq, payload, merged, snapshot }: DataFrame, chain: TopicChain): void {
    const policy = this.#policies[chain.index];
    const data = payload.data as { n?: unknown } | undefined;
    if (merged !== undefined && (policy === 'every' || (policy === 'book' && !isBookData(data)))) {
      this.#report('something was merged that must not be');
    }
    const isMade = policy === 'book' && (merged !== undefined || snapshot === true);
    if (this.#isNumbered && !isMade && data?.n !== seq) this.#report('the content is that of another publication');
  }

  #takeGap(message: WireMessage): void {
    const gap = gapIn(message);
    if (typeof gap === 'string') return this.#report(gap);
    const chain = this.#chainNamed(gap);
    const dropped = chain.counts.dropped;
    dropped[gap.reason] = (dropped[gap.reason] ?? 0) + gap.count;
    const before = chain.last;
    const taking: Taking = chain.gap(gap, this.#highestBefore, this.#report);
    this.subscriptions.told(gap.toSeq, false);
    this.#highest = Math.max(this.#highest, gap.toSeq);
    if (taking === 'repeated') return;
    const from = taking === 'overlaps' ? before : gap.fromSeq;
    this.record.add('gap', chain.index, from, gap.toSeq, gap.count, gap.reason, taking === 'overlaps');
    this.books.damaged(chain);
  }

  #takeLedger(ledger: Ledger): void {
    this.ledgers++;
    if (ledger.epoch !== this.resumePoint.epoch) this.#report('the ledger is of another epoch');
    this.subscriptions.told(ledger.seq, true);
    for (const fault of ledgerFaults(ledger, this.chains)) this.#report(fault);
  }

  #apply(step: CoverageStep | undefined): void {
    if (step === undefined) return;
    this.record.steps.push(step);
    for (const chain of this.#chains.values()) this.#applyTo(chain, step);
  }

  #applyTo(chain: TopicChain, step: CoverageStep): void {
    chain.apply(step);
    if (chain.last === 0) this.books.damaged(chain);
  }

  #chainOf(frame: DataFrame): TopicChain {
    return this.#chainNamed(topicOf(frame));
  }

  #chainNamed(name: ReturnType<typeof topicOf>): TopicChain {
    const key = topicKey(name);
    const known = this.#chains.get(key);
    if (known !== undefined) return known;
    const { exchange, symbol, dataType } = name;
    const chain = new TopicChain({ exchange, symbol, dataType }, this.#chains.size, this.#isOneOfSeveral);
    for (const step of this.record.steps) chain.apply(step);
    this.#chains.set(key, chain);
    this.#policies.push(policyOf(name, this.#conflation));
    this.record.topics.push(chain.name);
    return chain;
  }

  readonly #report = (problem: string): void => {
    this.problems.add(`${this.record.client}: ${problem}`, this.#current);
  };
}
