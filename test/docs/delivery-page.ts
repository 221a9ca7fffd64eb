import { createContext, runInContext } from 'node:vm';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { fencesOf } from './markdown.ts';
import { textOf } from './repository-files.ts';

const page = textOf('docs/delivery.md');

/** The one script of this kind on the page. */
export function scriptOf(info: string): string {
  const scripts = fencesOf(page).filter((fence) => fence.info === info);
  if (scripts.length !== 1) throw new Error(`${scripts.length} scripts of kind ${info}`);
  return scripts[0]!.text;
}

interface Message {
  type: string;
  seq?: number;
  resumeSeq?: number;
  payload: Record<string, unknown>;
}

/** A page that runs the check, and connects again when its connection is gone. */
export class CheckedPage {
  readonly complaints: string[] = [];
  readonly received: Message[] = [];
  /** Messages that it names do not reach the page. */
  loses: (message: Message) => boolean = () => false;
  socket: WebSocket | undefined;
  readonly #context: object;
  #isOver = false;

  constructor(port: number) {
    const open = (socket: WebSocket) => this.#follow(socket);
    this.#context = createContext({
      location: { host: `127.0.0.1:${port}` },
      WebSocket: class extends WebSocket {
        constructor(url: string) {
          super(url);
          open(this);
        }
      },
      console: { error: (complaint: string) => this.complaints.push(complaint) },
      setTimeout: (connect: () => void) => void setTimeout(() => this.#isOver || connect(), 20),
    });
    runInContext(scriptOf('js check') + scriptOf('js connect'), this.#context);
    onTestFinished(() => {
      this.#isOver = true;
      this.socket?.terminate();
    });
  }

  /** What the page has counted. */
  get sum(): { delivered: number; merged: number; dropped: number } {
    return { ...(runInContext('sum', this.#context) as { delivered: number; merged: number; dropped: number }) };
  }

  get total(): number {
    const { delivered, merged, dropped } = this.sum;
    return delivered + merged + dropped;
  }

  /** Replies to its subscriptions so far, one a connection. */
  get subscribed(): Record<string, unknown>[] {
    return this.received.filter(({ type }) => type === 'subscribed').map(({ payload }) => payload);
  }

  #follow(socket: WebSocket): void {
    this.socket = socket;
    socket.on('error', () => {});
    const emit = socket.emit.bind(socket);
    // Before the page's own listener.
    socket.emit = (event: string | symbol, ...args: unknown[]) => {
      if (event !== 'message') return emit(event, ...args);
      const message = JSON.parse(String(args[0])) as Message;
      this.received.push(message);
      return this.loses(message) || emit(event, ...args);
    };
  }
}
