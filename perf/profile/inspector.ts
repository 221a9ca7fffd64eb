import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { errorMessage } from '../../src/util/errors.ts';

/** Answers requests of the inspector's protocol, https://chromedevtools.github.io/devtools-protocol/v8/ */
export interface InspectedThread {
  /** `primary`, or `shard-thread-N`, N the number that Node.js has given the thread. */
  readonly name: string;
  request<Answer>(method: string, params?: object): Promise<Answer>;
}

interface Answer {
  id?: number;
  result?: unknown;
  error?: { message: string };
}

interface InspectorEvent extends Answer {
  method?: string;
  params?: { sessionId: string; message: string; workerInfo: { title: string } };
}

const OPEN_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 60_000;
const LOOK_MS = 50;
/** An allocation profile of a busy thread has some MiB. */
const MESSAGE_BYTES_MAX = 512 * 1024 ** 2;
/** Behind the answer, so that it is sent. Once closed, nobody can attach any more. */
const CLOSE_INSPECTOR = 'setImmediate(() => process.getBuiltinModule("inspector").close()), 0';

/**
 * The inspector of a process that runs: opened by SIGUSR1, without a restart, and closed again. Worker threads have none of
 * their own; they are reached through that of the main thread, Node's `NodeWorker` domain.
 */
export class Inspector {
  readonly threads: InspectedThread[];
  readonly #socket: WebSocket;
  readonly #main: Requests;
  readonly #workers = new Map<string, Requests>();

  /**
   * @param port of the inspector: 9229, unless the process was started with another `--inspect-port`
   * @throws Error where it does not open, or where it is that of another process
   */
  static async open(pid: number, port: number): Promise<Inspector> {
    refuseOther(pid);
    process.kill(pid, 'SIGUSR1');
    const inspector = new Inspector(await connect(await urlAt(port)));
    try {
      await inspector.#attach(pid, port);
    } catch (thrown) {
      inspector.#socket.terminate();
      throw thrown;
    }
    return inspector;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#main = new Requests((text) => socket.send(text));
    this.threads = [{ name: 'primary', request: (method, params) => this.#main.request(method, params) }];
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString())));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const requests of [this.#main, ...this.#workers.values()]) requests.close();
    });
  }

  /** Lets the threads go and closes the inspector, so that the process is as it was before. */
  async close(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    await this.#main.request('NodeWorker.disable');
    await this.#main.request('Runtime.evaluate', { expression: CLOSE_INSPECTOR });
    this.#socket.terminate();
  }

  async #attach(pid: number, port: number): Promise<void> {
    const asked = await this.#main.request<{ result: { value: number } }>('Runtime.evaluate', {
      expression: 'process.pid',
    });
    if (asked.result.value !== pid) {
      throw new Error(`The inspector on port ${port} is that of process ${asked.result.value}, not of ${pid}`);
    }
    // The workers that there are have been told of when the answer comes.
    await this.#main.request('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  #take(event: InspectorEvent): void {
    if (event.id !== undefined) return this.#main.answered(event);
    if (event.params === undefined) return;
    const { sessionId, message, workerInfo } = event.params;
    if (event.method === 'NodeWorker.attachedToWorker') this.#addWorker(sessionId, workerInfo.title);
    else if (event.method === 'NodeWorker.receivedMessageFromWorker') {
      this.#workers.get(sessionId)?.answered(JSON.parse(message));
    } else if (event.method === 'NodeWorker.detachedFromWorker') this.#workers.get(sessionId)?.close();
  }

  #addWorker(sessionId: string, title: string): void {
    const requests = new Requests((message) => {
      void this.#main.request('NodeWorker.sendMessageToWorker', { sessionId, message }).catch(() => requests.close());
    });
    this.#workers.set(sessionId, requests);
    const number = /\d+/.exec(title)?.[0] ?? sessionId;
    const request: InspectedThread['request'] = (method, params) => requests.request(method, params);
    this.threads.push({ name: `shard-thread-${number}`, request });
    this.threads.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }
}

/** Requests to one thread, and who waits for their answers. */
class Requests {
  readonly #send: (text: string) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #requests = 0;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  async request<Result>(method: string, params: object = {}): Promise<Result> {
    const id = ++this.#requests;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    const late = setTimeout(() => resolve({ error: { message: 'no answer in time' } }), ANSWER_TIMEOUT_MS);
    this.#send(JSON.stringify({ id, method, params }));
    const { result, error } = await promise;
    clearTimeout(late);
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  answered(answer: Answer): void {
    this.#waiting.get(answer.id as number)?.(answer);
  }

  /** The thread is gone. */
  close(): void {
    for (const resolve of this.#waiting.values()) resolve({ error: { message: 'the thread has ended' } });
  }
}

/** SIGUSR1 would end a program that is not Node.js. */
function refuseOther(pid: number): void {
  let program: string;
  try {
    program = readlinkSync(`/proc/${pid}/exe`);
  } catch {
    throw new Error(`There is no process ${pid}, or it is somebody else's`);
  }
  if (basename(program) !== 'node') throw new Error(`Process ${pid} is ${program}, not Node.js`);
}

/** Where the inspector listens; the process takes a moment to open it. */
async function urlAt(port: number): Promise<string> {
  const deadlineMs = performance.now() + OPEN_TIMEOUT_MS;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: AbortSignal.timeout(1_000) });
      const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
      if (target !== undefined) return target.webSocketDebuggerUrl;
    } catch (error) {
      if (performance.now() > deadlineMs) {
        throw new Error(`No inspector has opened on port ${port}: ${errorMessage(error)}`);
      }
    }
    await sleep(LOOK_MS);
  }
}

function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { maxPayload: MESSAGE_BYTES_MAX, handshakeTimeout: OPEN_TIMEOUT_MS });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}
