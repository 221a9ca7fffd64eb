import { lstatSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../telemetry/logger.ts';
import { errorMessage } from '../util/errors.ts';
import { listenPrivately } from '../util/unix-socket.ts';
import type { Question } from './question.ts';
import { runDirectoryRefused } from './run-directory.ts';

export interface ClusterSocketParts {
  path: string;
  /** Answers in plain data; undefined where it does not know the question. */
  answer: (question: Question) => Promise<unknown>;
  log: Logger;
}

const QUESTION_BYTES_MAX = 4 * 1024;
const REQUEST_TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 256;
/** What has piled up while the process stood still is answered in one go, to nobody: so it must not be much. */
const BACKLOG = 64;

/**
 * Where other instances ask this one: HTTP on a Unix socket, one question a request. Whoever can open the socket is this
 * user, so nobody is asked for a token; over TCP there is no way to it.
 */
export class ClusterSocket {
  readonly #parts: ClusterSocketParts;
  readonly #server: Server;
  #inode = 0;

  constructor(parts: ClusterSocketParts) {
    this.#parts = parts;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** @throws TickcastError RUN_DIRECTORY_REFUSED */
  async open(): Promise<void> {
    const { path } = this.#parts;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject).once('listening', resolve);
        this.#server.on('error', (error) =>
          this.#parts.log.error({ err: error, path }, 'WebSocket cluster socket failed'),
        );
        listenPrivately(this.#server, path, { backlog: BACKLOG });
      });
      this.#inode = lstatSync(path).ino;
    } catch (thrown) {
      throw runDirectoryRefused(path, errorMessage(thrown), thrown);
    }
  }

  /** False once the file has been removed or replaced, by a cleaner of old files say: others do not find this instance. */
  isInPlace(): boolean {
    return lstatSync(this.#parts.path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  /** Removes the file. Questions that wait for their answer get none. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const question = await readQuestion(request);
      const answer = question === undefined ? undefined : await this.#parts.answer(question);
      if (answer === undefined) response.writeHead(400).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    } catch (thrown) {
      // Whoever asked has given up.
      if (request.destroyed && !request.complete) return;
      this.#parts.log.error({ err: thrown }, 'WebSocket cluster request failed');
      response.writeHead(500).end();
    }
  }
}

/** Undefined where it is none. */
async function readQuestion(request: IncomingMessage): Promise<Question | undefined> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > QUESTION_BYTES_MAX) return undefined;
  }
  try {
    const question = JSON.parse(text) as Question | null;
    return typeof question?.about === 'string' ? question : undefined;
  } catch {
    return undefined;
  }
}
