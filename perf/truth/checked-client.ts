import { ChainChecker, type ChainCheckerOptions } from './chain-checker.ts';
import { ClientSocket } from './client-socket.ts';
import type { GivenFilter } from './naive-matcher.ts';
import type { WireMessage } from './wire-message.ts';

export interface CheckedClientOptions extends ChainCheckerOptions {
  port: number;
  /** Called with each message after it has been checked. The client may be reset meanwhile. */
  onMessage?: (message: WireMessage, text: string) => void;
  /** The name of the numbering that several gateways share. One that has just come up has it with its first publication. */
  epoch?: string;
}

const DIRECT = '/ws';
const EMPTY = '/ws?subscription=none';

/**
 * A client of the gateway whose every message is checked, and which comes back where it was when it loses its connection. One
 * connection at a time.
 */
export class CheckedClient {
  readonly checker: ChainChecker;
  /** Close codes of connections that it did not end itself. */
  readonly closes: Record<number, number> = {};
  /** Connections that it left at once, since the gateway had not learnt the numbering yet. */
  tooEarly = 0;
  readonly #options: CheckedClientOptions;
  readonly #waiting = new Map<string | number, (reply: WireMessage | undefined) => void>();
  #socket: ClientSocket | undefined;
  #welcome = Promise.withResolvers<boolean>();
  #isOpen = false;
  #isEnding = false;
  #isRestored = true;
  #wanted: readonly GivenFilter[] = [];
  #requests = 0;

  constructor(options: CheckedClientOptions) {
    this.#options = options;
    this.checker = new ChainChecker(options);
  }

  /** The connection stands, and the welcome has come. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Opens the first connection. @param isFirehose gets everything until it sends a filter. @returns whether it stands */
  open(isFirehose = false): Promise<boolean> {
    return this.#connect(isFirehose);
  }

  /** Opens a connection again, and resumes there what was in force when the last one was lost. @returns whether it has */
  async restore(): Promise<boolean> {
    this.#isRestored = false;
    if (!(await this.#connect(false))) return false;
    const { epoch, seq } = this.checker.resumePoint;
    const resume = seq === undefined ? {} : { resume: { epoch, seq } };
    const replies = await Promise.all(this.#askAll(this.#wanted.map((filter) => ({ ...filter, ...resume }))));
    this.#isRestored = !replies.includes(undefined);
    return this.#isRestored;
  }

  /** @returns the reply; undefined where the connection is lost before it comes */
  ask(type: string, payload?: Record<string, unknown>): Promise<WireMessage | undefined> {
    const { id, request, reply } = this.#prepare(type, payload);
    if (this.#socket === undefined) this.#answer(id, undefined);
    else this.#socket.send(request);
    return reply;
  }

  subscribe(filter: GivenFilter, options: { snapshot?: boolean } = {}): Promise<WireMessage | undefined> {
    return this.ask('subscribe', { ...filter, ...options });
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(pieceEveryMs = 0): void {
    this.#socket?.resume(pieceEveryMs);
  }

  /** Ends the connection as a page does that is closed in order. */
  leave(): void {
    this.#isEnding = true;
    this.#socket?.leave();
  }

  /** Ends the connection as a broken network would. */
  reset(): void {
    this.#isEnding = true;
    this.#socket?.reset();
    this.#isEnding = false;
  }

  #askAll(filters: readonly Record<string, unknown>[]): Promise<WireMessage | undefined>[] {
    const prepared = filters.map((filter) => this.#prepare('subscribe', filter));
    if (this.#socket === undefined) for (const { id } of prepared) this.#answer(id, undefined);
    else if (prepared.length > 0) this.#socket.sendAll(prepared.map(({ request }) => request));
    return prepared.map(({ reply }) => reply);
  }

  #prepare(type: string, payload?: Record<string, unknown>) {
    const id = `r${++this.#requests}`;
    const request = payload === undefined ? { type, id } : { type, id, payload };
    this.checker.asked(request);
    const { promise: reply, resolve } = Promise.withResolvers<WireMessage | undefined>();
    this.#waiting.set(id, resolve);
    return { id, request, reply };
  }

  #connect(isFirehose: boolean): Promise<boolean> {
    this.#welcome = Promise.withResolvers<boolean>();
    this.checker.connecting(isFirehose);
    const socket = new ClientSocket(this.#options.port, isFirehose ? DIRECT : EMPTY, {
      onOpen: () => {},
      onText: (text) => this.#take(text),
      onClosed: (code) => this.#closed(socket, code),
    });
    this.#socket = socket;
    return this.#welcome.promise;
  }

  #take(text: string): void {
    const message = JSON.parse(text) as WireMessage;
    if (message.type === 'welcome' && this.#isTooEarly(message)) return this.#leaveAtOnce();
    this.checker.take(message);
    if (message.id !== undefined) this.#answer(message.id, message);
    if (message.type === 'welcome') {
      this.#isOpen = true;
      this.#welcome.resolve(true);
    }
    this.#options.onMessage?.(message, text);
  }

  #isTooEarly({ payload }: WireMessage): boolean {
    const { epoch } = this.#options;
    return epoch !== undefined && payload.epoch !== epoch;
  }

  #leaveAtOnce(): void {
    this.tooEarly++;
    this.reset();
  }

  #answer(id: string | number, reply: WireMessage | undefined): void {
    this.#waiting.get(id)?.(reply);
    this.#waiting.delete(id);
  }

  #closed(socket: ClientSocket, code: number): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#isOpen = false;
    if (!this.#isEnding) this.closes[code] = (this.closes[code] ?? 0) + 1;
    const { inForce } = this.checker.subscriptions;
    // What a broken restoration had not got back yet is wanted still.
    if (this.#isRestored) this.#wanted = inForce === 'everything' ? [{}] : inForce;
    this.checker.lost();
    this.#welcome.resolve(false);
    for (const id of [...this.#waiting.keys()]) this.#answer(id, undefined);
  }
}
