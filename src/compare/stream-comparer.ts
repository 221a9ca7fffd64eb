import type { TopicName } from '../ring/topic-directory.ts';
import { type FilterTerms, termsMatchForm } from '../subscription/filter.ts';
import { getOrAdd } from '../util/get-or-add.ts';
import { ComparedTopic } from './compared-topic.ts';
import { derivedFields } from './derived-fields.ts';
import { momentMs } from './differences.ts';
import type { Fields } from './fields.ts';
import { Findings } from './findings.ts';
import { identityOf } from './identity.ts';
import { type Path, removePaths } from './ignored-paths.ts';
import { Matcher, type MatcherLimits } from './matcher.ts';
import { type OutageSlack, ServerTally } from './server-tally.ts';
import type { Side } from './side.ts';
import { topicForm } from './topic-form.ts';
import { readWireMessage, type WireMessage } from './wire-reader.ts';

export interface StreamComparerOptions extends MatcherLimits {
  /** What counts; undefined: everything. */
  readonly terms: FilterTerms | undefined;
  /** What is not compared. */
  readonly ignored: readonly Path[];
  readonly topicsMax: number;
  readonly examplesMax: number;
  readonly slack: OutageSlack;
  /** A server that at the end sends what came from the other one this long ago is behind. */
  readonly lateAfterMs: number;
}

type PublicationMessage = Extract<WireMessage, { kind: 'publication' }>;
type GapMessage = Extract<WireMessage, { kind: 'gap' }>;

/**
 * Takes what two servers send, text by text, and finds out in what they differ. Knows no sockets, and no time but what
 * it is told.
 */
export class StreamComparer {
  readonly findings: Findings;
  readonly tallies: Readonly<Record<Side, ServerTally>> = { old: new ServerTally(), new: new ServerTally() };
  readonly #options: StreamComparerOptions;
  readonly #matcher: Matcher;
  readonly #topics = new Map<string, ComparedTopic>();

  constructor(options: StreamComparerOptions) {
    this.#options = options;
    this.findings = new Findings(options.examplesMax, (side, atMs) => this.tallies[side].isAway(atMs, options.slack));
    this.#matcher = new Matcher(this.findings, options);
  }

  get topics(): readonly ComparedTopic[] {
    return [...this.#topics.values()];
  }

  /** @param arrivedMs as `performance.now()` tells it @returns what it was */
  take(side: Side, text: string, arrivedMs: number): WireMessage {
    const message = readWireMessage(text);
    const tally = this.tallies[side];
    tally.messages++;
    const bytes = Buffer.byteLength(text);
    tally.bytes += bytes;
    if (message.kind === 'publication') this.#takePublication(side, message, bytes, arrivedMs);
    else if (message.kind === 'gap') this.#takeGap(side, message);
    else if (message.kind === 'other') tally.addOther(message.type, message.message);
    else tally.unusable++;
    return message;
  }

  /** Decides on what has waited long enough; to be called now and then. */
  expire(nowMs: number): void {
    this.#matcher.expire(nowMs);
  }

  /** Decides on everything. */
  finish(nowMs: number): void {
    this.findings.finishAt(this.#options.lateAfterMs);
    this.#matcher.finish(nowMs);
  }

  #takePublication(side: Side, { type, payload, merged }: PublicationMessage, bytes: number, arrivedMs: number): void {
    const tally = this.tallies[side];
    const topic = this.#topicOf(type, payload, tally);
    if (topic === undefined) return;
    tally.publications++;
    tally.merged += merged;
    tally.addAge(performance.timeOrigin + arrivedMs - momentMs(payload.timestamp));
    const { ignored } = this.#options;
    const derived = ignored.length > 0 ? derivedFields(type, payload) : undefined;
    removePaths(payload, ignored);
    const identity = identityOf(topic.name, payload);
    this.#matcher.add(side, { topic, identity, type, payload, derived, bytes, merged, arrivedMs });
  }

  #takeGap(side: Side, { type, payload, count }: GapMessage): void {
    const tally = this.tallies[side];
    tally.addOther('gap', payload);
    const topic = this.#topicOf(type, payload, tally);
    if (topic === undefined) return;
    tally.dropped += count;
    topic.of(side).lost += count;
  }

  /** Undefined where nothing is to be compared. */
  #topicOf(type: string | undefined, payload: Fields, tally: ServerTally): ComparedTopic | undefined {
    const name = topicForm(type, payload);
    const { terms, topicsMax } = this.#options;
    if (terms !== undefined && !termsMatchForm(terms, name)) {
      tally.filtered++;
      return undefined;
    }
    const key = keyOf(name);
    if (!this.#topics.has(key) && this.#topics.size >= topicsMax) {
      tally.beyondTopics++;
      return undefined;
    }
    return getOrAdd(this.#topics, key, () => new ComparedTopic(name, this.#topics.size));
  }
}

function keyOf({ exchange, symbol, dataType }: TopicName): string {
  return JSON.stringify([exchange, symbol, dataType]);
}
