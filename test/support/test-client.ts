import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A message as it came: parsed JSON of one text frame. */
export interface Received {
  type: string;
  payload: Record<string, unknown>;
  timestamp: number;
  id?: string | number;
  seq?: number;
  prevSeq?: number;
  [key: string]: unknown;
}

const PATIENCE_MS = 10_000;

/** A real WebSocket client that keeps what it gets and lets a test wait for what it expects. */
export class TestClient {
  readonly socket: WebSocket;
  /** Whether it gets everything until it sends a filter. */
  readonly firehose: boolean;
  readonly received: Received[] = [];
  /** Frames that were no JSON text, which no client should ever see. */
  readonly strange: unknown[] = [];
  pings = 0;
  closed: { code: number; reason: string } | undefined;
  /** What it has asked with `ask`. */
  readonly requests: { type: string; id: string; payload?: Record<string, unknown> }[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(url: string, options: ConstructorParameters<typeof WebSocket>[2] = {}) {
    this.socket = new WebSocket(url, options);
    this.firehose = !url.endsWith('subscription=none');
    this.socket.on('message', (data, isBinary) => this.#take(String(data), isBinary));
    this.socket.on('ping', () => this.pings++);
    this.socket.on('error', () => {});
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#look();
    });
  }

  /** Resolves when the connection is open and the welcome has come. */
  static async open(port: number, target = '/ws'): Promise<TestClient> {
    const client = new TestClient(`ws://127.0.0.1:${port}${target}`);
    const welcome = () => client.received.find(({ type }) => type === 'welcome');
    await client.until(() => client.closed ?? welcome(), 'a welcome');
    if (welcome() === undefined) throw new Error(`closed before the welcome: ${JSON.stringify(client.closed)}`);
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** Data frames so far: all that have a seq. */
  get data(): Received[] {
    return this.received.filter(({ seq }) => seq !== undefined);
  }

  /** Sends a request with an id of its own and resolves with the reply to it. */
  async ask(message: Record<string, unknown>): Promise<Received> {
    const id = this.request(message);
    return this.until(() => this.received.find((reply) => reply.id === id), `a reply to ${JSON.stringify(message)}`);
  }

  /** Sends a request with an id of its own and returns that. */
  request(message: Record<string, unknown>): string {
    const id = `ask-${Math.random().toString(36).slice(2)}`;
    this.requests.push({ ...message, id } as TestClient['requests'][number]);
    this.send({ ...message, id });
    return id;
  }

  /** The first message of this type, which may have come already. */
  next(type: string): Promise<Received> {
    return this.until(() => this.received.find((message) => message.type === type), `a message of type ${type}`);
  }

  /** Resolves when a PONG shows that everything sent before has been read by the gateway. */
  async settle(): Promise<void> {
    await this.ask({ type: 'ping' });
  }

  /** Resolves with the first value that is not undefined or false; looks at each message and at the close. */
  async until<T>(look: () => T | undefined | false, what: string): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
      await this.#change();
    }
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closing = once(this.socket, 'close');
    this.socket.close();
    await closing;
  }

  untilClosed(): Promise<{ code: number; reason: string }> {
    return this.until(() => this.closed, 'the close');
  }

  #take(text: string, isBinary: boolean): void {
    try {
      if (isBinary) throw new Error('a binary frame');
      this.received.push(JSON.parse(text) as Received);
    } catch {
      this.strange.push(text);
    }
    this.#look();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, 50);
      const waiting = this.#waiting;
      waiting.add(done);
      function done() {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      }
    });
  }

  #look(): void {
    for (const done of [...this.#waiting]) done();
  }
}
