import type { Session } from 'node:inspector';

const FRAMES_MAX = 12;

/** A message of the Chrome DevTools protocol, as far as it is read here. Lines and columns count from 0. */
interface DebuggerMessage {
  method?: string;
  params?: {
    scriptId?: string;
    url?: string;
    callFrames?: {
      functionName: string;
      location: { scriptId: string; lineNumber: number; columnNumber?: number };
    }[];
  };
}

/**
 * Where a worker thread that the calling thread has started is at this moment, innermost function first, each as in
 * `spin (file:///x.ts:12:3)`. It is interrupted for some 50 ms, also in an endless loop, in `Atomics.wait` or in a regular
 * expression. Empty where that cannot be told in time: in native code, or without an inspector. Never rejects.
 */
export function stackOfWorker(threadId: number, timeoutMs: number): Promise<string[]> {
  return withSession(timeoutMs, (session, reader) => {
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      // `[worker 3] name`; its workerId is a number of the session's own.
      if (/\d+/.exec(workerInfo.title)?.[0] !== String(threadId)) return;
      let id = 0;
      reader.pause((method) => {
        session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: ++id, method }) });
      });
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      reader.receive(JSON.parse(params.message) as DebuggerMessage);
    });
    session.connect();
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  });
}

/** As `stackOfWorker`, of the process's main thread; to be called on another one. */
export function stackOfMainThread(timeoutMs: number): Promise<string[]> {
  return withSession(timeoutMs, (session, reader) => {
    session.on('inspectorNotification', (message) => reader.receive(message as DebuggerMessage));
    session.connectToMainThread();
    reader.pause((method) => session.post(method));
  });
}

async function withSession(timeoutMs: number, ask: (session: Session, reader: PauseReader) => void): Promise<string[]> {
  try {
    // Not every build of Node.js has it.
    const { Session: InspectorSession } = await import('node:inspector');
    const session = new InspectorSession();
    const reader = new PauseReader();
    const timer = setTimeout(() => reader.resolve([]), timeoutMs);
    try {
      ask(session, reader);
      return await reader.stack;
    } finally {
      clearTimeout(timer);
      reader.resume();
      session.disconnect();
    }
  } catch {
    return [];
  }
}

/** Stops a thread for as long as it takes to read its stack. */
class PauseReader {
  readonly stack: Promise<string[]>;
  readonly resolve: (stack: string[]) => void;
  readonly #urls = new Map<string, string>();
  #post: ((method: string) => void) | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    this.stack = promise;
    this.resolve = resolve;
  }

  pause(post: (method: string) => void): void {
    this.#post = post;
    post('Debugger.enable');
    post('Debugger.pause');
  }

  /** Also takes back a pause that the thread has not come to yet. */
  resume(): void {
    this.#post?.('Debugger.disable');
  }

  receive({ method, params }: DebuggerMessage): void {
    if (method === 'Debugger.scriptParsed') this.#urls.set(params?.scriptId ?? '', params?.url ?? '');
    if (method !== 'Debugger.paused') return;
    const frames = params?.callFrames?.slice(0, FRAMES_MAX) ?? [];
    this.resolve(
      frames.map(({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }) => {
        const place = `${this.#urls.get(scriptId) ?? ''}:${lineNumber + 1}:${columnNumber + 1}`;
        return `${functionName || '<anonymous>'} (${place})`;
      }),
    );
  }
}
