import type { MessagePort } from 'node:worker_threads';
import type { ForwardedReply, ForwardedRequest } from '../admin/forwarded-request.ts';
import type { FromShard, QueryName, ToShard } from '../control/messages.ts';

/** How long the primary has to answer, ms. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Questions that may be open at a time. */
const OPEN_MAX = 1_024;

interface Open {
  resolve: (answer: never) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** A shard's end of the line to the primary: questions with an answer each, and messages without. */
export class PrimaryLink {
  readonly #port: MessagePort;
  readonly #open = new Map<number, Open>();
  #nextId = 1;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  send(message: FromShard): void {
    this.#port.postMessage(message);
  }

  /** Whether one more connection from this address may come in. No answer in time counts as no. */
  admit(address: string): Promise<boolean> {
    return this.#ask((id) => ({ kind: 'admit', id, address }));
  }

  query(name: QueryName): Promise<Record<string, unknown>> {
    return this.#ask((id) => ({ kind: 'query', id, name }));
  }

  forward(request: ForwardedRequest): Promise<ForwardedReply> {
    return this.#ask((id) => ({ kind: 'request', id, request }));
  }

  /** Nobody answers any more: whoever waits is told so now. */
  abandon(): void {
    for (const { reject, timer } of this.#open.values()) {
      clearTimeout(timer);
      reject(new Error('The primary is silent'));
    }
    this.#open.clear();
  }

  /** Hands an answer to whoever waits for it. False: the message is no answer. */
  settle(message: ToShard): boolean {
    switch (message.kind) {
      case 'admitted':
        // Nobody waits any more: the place that was taken is given back.
        if (message.admitted && !this.#open.has(message.id)) this.send({ kind: 'left', address: message.address });
        return this.#settle(message.id, message.admitted);
      case 'answer':
        return this.#settle(message.id, message.payload);
      case 'reply':
        return this.#settle(message.id, message.reply);
      case 'refused':
        return this.#settle(message.id, new Error(message.reason));
      default:
        return false;
    }
  }

  #ask<T>(question: (id: number) => FromShard): Promise<T> {
    if (this.#open.size >= OPEN_MAX) return Promise.reject(new Error('Too many requests wait for the primary'));
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        reject(new Error(`The primary has not answered within ${ANSWER_TIMEOUT_MS} ms`));
      }, ANSWER_TIMEOUT_MS);
      this.#open.set(id, { resolve, reject, timer });
      this.send(question(id));
    });
  }

  #settle(id: number, answer: unknown): true {
    const open = this.#open.get(id);
    if (open !== undefined) {
      this.#open.delete(id);
      clearTimeout(open.timer);
      if (answer instanceof Error) open.reject(answer);
      else open.resolve(answer as never);
    }
    return true;
  }
}
