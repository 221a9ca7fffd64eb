import { Agent, type IncomingMessage, request } from 'node:http';
import type { Question, Silence } from './question.ts';

export interface AskLimits {
  /** Of the whole exchange. */
  timeoutMs: number;
  /** Of the answer. */
  bytesMax: number;
}

/** `gone`: there is no such socket any more, and with it no such instance. */
export type Asked = { answer: unknown } | { silence: Silence | 'gone' };

/** Connections to one instance at a time, so that many questions to one that stands still do not fill its queue. */
const SOCKETS_MAX = 4;
const agent = new Agent({ keepAlive: false, maxSockets: SOCKETS_MAX });

const SILENCE_OF_CODE: Readonly<Record<string, 'gone' | Silence>> = {
  ENOENT: 'gone',
  ECONNREFUSED: 'refused',
  // Its queue of connections is full: it has not accepted any for some time.
  EAGAIN: 'timeout',
};

class AnswerProblem extends Error {
  readonly silence: Silence;

  constructor(silence: Silence) {
    super(silence);
    this.silence = silence;
  }
}

/** Asks the instance that listens on the socket. Never rejects; takes at most `timeoutMs` and a moment. */
export async function askPeer(socketPath: string, question: Question, limits: AskLimits): Promise<Asked> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const response = await send(socketPath, JSON.stringify(question), signal);
    return { answer: await readAnswer(response, limits.bytesMax) };
  } catch (thrown) {
    // In the middle of an answer the time runs out as a reset connection.
    return { silence: signal.aborted ? 'timeout' : silenceOf(thrown) };
  }
}

function send(socketPath: string, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asking = request({ socketPath, method: 'POST', path: '/', agent, signal, headers }, resolve);
    asking.on('error', reject);
    asking.end(body);
  });
}

async function readAnswer(response: IncomingMessage, bytesMax: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new AnswerProblem('tooLarge');
    chunks.push(chunk);
  }
  if (response.statusCode !== 200) throw new AnswerProblem('failed');
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    throw new AnswerProblem('unreadable');
  }
}

function silenceOf(thrown: unknown): Silence | 'gone' {
  if (thrown instanceof AnswerProblem) return thrown.silence;
  return SILENCE_OF_CODE[(thrown as NodeJS.ErrnoException).code ?? ''] ?? 'failed';
}
