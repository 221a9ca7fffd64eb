import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { askPeer } from '../../src/cluster/ask-peer.ts';
import { Cluster, type ClusterParts } from '../../src/cluster/cluster.ts';
import type { Question } from '../../src/cluster/question.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { leaveSocketAt, listenAt, socketPath, temporaryDirectory } from '../support/run-directory.ts';

const PORT = 8080;
/** Short, where something is meant to run out; long, where something is meant to come. */
const SHORT_MS = 150;
const LONG_MS = 4_000;
const NOBODYS_PID = 2 ** 22 + 1;
const REPORT: Question = { about: 'report' };

let runDir: string;
let log: ReturnType<typeof collectingLogger>;

beforeEach(() => {
  runDir = temporaryDirectory();
  log = collectingLogger();
});

async function joined(number: number, parts: Partial<ClusterParts> = {}, port = PORT): Promise<Cluster> {
  const cluster = new Cluster({
    instance: { process: number, pid: process.pid },
    runDir,
    answerTimeoutMs: LONG_MS,
    answer: async (question) => ({ from: number, question }),
    log,
    ...parts,
  });
  onTestFinished(() => cluster.leave());
  cluster.open();
  await cluster.join(port);
  return cluster;
}

/** Another instance, but for what it answers. */
async function misbehave(listener: RequestListener): Promise<void> {
  const server = createHttpServer(listener);
  onTestFinished(() => server.closeAllConnections());
  await listenAt(socketPath(runDir), server as never);
}

const PEER = { process: 7, pid: process.pid };

describe('instances on one port', () => {
  it('ask each other, and nobody asks itself', async () => {
    const clusters = await Promise.all([1, 2, 3].map((number) => joined(number)));
    const question: Question = { about: 'connections', limit: 5, sort: 'lagMs', timeoutMs: 100 };
    const answers = await clusters[1]!.ask(question);
    expect(answers.sort((a, b) => a.instance.process - b.instance.process)).toEqual([
      { instance: { process: 1, pid: process.pid }, answer: { from: 1, question } },
      { instance: { process: 3, pid: process.pid }, answer: { from: 3, question } },
    ]);
    expect(log.lines).toEqual([]);
  });

  it('do not ask those of another port', async () => {
    const [alone] = await Promise.all([joined(1, {}, 8080), joined(2, {}, 8081)]);
    expect(await alone.ask(REPORT)).toEqual([]);
  });

  it('are not found before they have joined, nor after they have left', async () => {
    const [first, second] = await Promise.all([joined(1), joined(2)]);
    await second.leave();
    expect(await first.ask(REPORT)).toEqual([]);
    expect(await second.ask(REPORT)).toEqual([]);
    expect(readdirSync(runDir)).toHaveLength(1);
    await first.leave();
    expect(readdirSync(runDir)).toEqual([]);
  });

  it('are not told of where they leave while they are asked', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const answer = async () => {
      resolve();
      return new Promise(() => {});
    };
    const [first, second] = await Promise.all([joined(1), joined(2, { answer })]);
    const asked = first.ask(REPORT);
    await promise;
    await second.leave();
    expect(await asked).toEqual([]);
  });

  it('do not stay where they were stopped while they joined', async () => {
    const cluster = new Cluster({ instance: PEER, runDir, answerTimeoutMs: LONG_MS, answer: async () => 1, log });
    cluster.open();
    const joining = cluster.join(PORT);
    await cluster.leave();
    await joining;
    expect(readdirSync(runDir)).toEqual([]);
  });

  it('are found again after their socket was removed', async () => {
    const [first] = await Promise.all([joined(1), joined(2, { watchIntervalMs: 20 })]);
    rmSync(join(runDir, readdirSync(runDir).find((file) => file.startsWith('8080.2.'))!));
    await expect.poll(() => first.ask(REPORT), { timeout: 10_000 }).toMatchObject([{ answer: { from: 2 } }]);
    expect(log.lines).toMatchObject([
      { level: 'warn', message: 'WebSocket cluster: the socket was gone and is there again' },
    ]);
  });

  it('are found again after the whole directory was removed', async () => {
    const parts = { watchIntervalMs: 20 };
    const [first] = await Promise.all([joined(1, parts), joined(2, parts)]);
    rmSync(runDir, { recursive: true });
    await expect.poll(() => first.ask(REPORT), { timeout: 10_000 }).toMatchObject([{ answer: { from: 2 } }]);
  });
});

describe('an instance without an answer', () => {
  it.each<[string, RequestListener, string]>([
    ['takes questions and says nothing', () => {}, 'timeout'],
    ['begins an answer and stops', (_, response) => void response.write('{"a":'), 'timeout'],
    ['refuses', (_, response) => void response.writeHead(500).end(), 'failed'],
    ['hangs up', (request) => void request.socket.destroy(), 'failed'],
    ['answers what is no JSON', (_, response) => void response.end('<html>'), 'unreadable'],
  ])('%s: it costs so much time and no more, and the others are heard', async (_what, listener, silence) => {
    await misbehave(listener);
    const [asking] = await Promise.all([joined(1, { answerTimeoutMs: SHORT_MS }), joined(2)]);
    const answers = await asking.ask(REPORT);
    expect(answers.find(({ instance }) => instance.process === 7)).toEqual({ instance: PEER, silence });
    expect(answers.find(({ instance }) => instance.process === 2)).toMatchObject({ answer: { from: 2 } });
  });

  it('answers without end: no more than so many bytes are read', async () => {
    let sent = 0;
    await misbehave((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    expect(await askPeer(socketPath(runDir), REPORT, { timeoutMs: LONG_MS, bytesMax: 4 * 1024 * 1024 })).toEqual({
      silence: 'tooLarge',
    });
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  it('has not accepted connections for so long that its queue is full', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ path: socketPath(runDir), backlog: 1 }, resolve));
    onTestFinished(() => void server.close());
    // A server that does not accept: its handle is told to listen, and never to read.
    (server as unknown as { _handle: { onconnection: unknown } })._handle.onconnection = () => {};
    const asking = await joined(1, { answerTimeoutMs: SHORT_MS });
    const silences = await Promise.all(Array.from({ length: 20 }, () => asking.ask(REPORT)));
    expect(new Set(silences.flat().map(({ silence }) => silence))).toEqual(new Set(['timeout']));
  });

  it('lives but does not listen', async () => {
    await leaveSocketAt(socketPath(runDir));
    const asking = await joined(1);
    expect(await asking.ask(REPORT)).toEqual([{ instance: PEER, silence: 'refused' }]);
    expect(existsSync(socketPath(runDir))).toBe(true);
  });

  it('is dead: that is told once, and its socket is gone', async () => {
    const asking = await joined(1);
    const left = { pid: NOBODYS_PID };
    await leaveSocketAt(socketPath(runDir, left));
    expect(await asking.ask(REPORT)).toEqual([{ instance: { process: 7, pid: NOBODYS_PID }, silence: 'dead' }]);
    expect(await asking.ask(REPORT)).toEqual([]);
    expect(existsSync(socketPath(runDir, left))).toBe(false);
  });

  it('could not answer, and has logged why', async () => {
    const fail = async () => {
      throw new Error('inside');
    };
    const [asking] = await Promise.all([joined(1), joined(2, { answer: fail })]);
    expect(await asking.ask(REPORT)).toMatchObject([{ silence: 'failed' }]);
    expect(log.lines).toMatchObject([{ level: 'error', message: 'WebSocket cluster request failed' }]);
  });

  it('is one of more than are asked', async () => {
    const asking = await joined(0);
    for (let process = 1; process <= 66; process++) {
      await listenAt(
        socketPath(runDir, { process, serial: 100 + process }),
        createHttpServer((_, response) => void response.end('{}')) as never,
      );
    }
    const answers = await asking.ask(REPORT);
    expect(answers).toHaveLength(66);
    expect(answers.filter(({ silence }) => silence === 'notAsked')).toHaveLength(2);
  });
});

describe('the socket of an instance', () => {
  const send = (body: string) =>
    fetchUnix(join(runDir, readdirSync(runDir).find((file) => file.endsWith('.sock'))!), body);

  it.each(['', '{', 'null', '[]', '5', '{"about":5}', 'x'.repeat(100_000), '\u0000'])(
    'answers 400, or nothing, to what is no question: %.20j',
    async (body) => {
      await joined(1);
      expect([400, 'closed']).toContain(await send(body));
      expect(await send('{"about":"report"}')).toBe(200);
      expect(log.lines).toEqual([]);
    },
  );

  it('answers 400 to a question that it does not know', async () => {
    await joined(1, { answer: async () => undefined });
    expect(await send('{"about":"weather"}')).toBe(400);
  });
});

describe('a run directory', () => {
  it('whose path is too long for a socket is refused, with the length and what is allowed', () => {
    const long = join(runDir, 'x'.repeat(80));
    const parts = { instance: PEER, runDir: long, answerTimeoutMs: LONG_MS, answer: async () => 1, log };
    expect(() => new Cluster(parts).open()).toThrowError(
      expect.objectContaining({
        code: 'RUN_DIRECTORY_REFUSED',
        message: expect.stringMatching(/ has \d{3} bytes, and the path of a socket has at most 107/),
      }),
    );
  });

  it('counts bytes, not characters', () => {
    const parts = { instance: PEER, answerTimeoutMs: LONG_MS, answer: async () => 1, log };
    const room = 107 - runDir.length - 55;
    expect(() => new Cluster({ ...parts, runDir: join(runDir, 'x'.repeat(room)) }).open()).not.toThrow();
    expect(() => new Cluster({ ...parts, runDir: join(runDir, '€'.repeat(room)) }).open()).toThrow(/bytes/);
  });
});

async function fetchUnix(path: string, body: string): Promise<number | 'closed'> {
  return new Promise((resolve) => {
    const asking = request({ socketPath: path, method: 'POST', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.on('error', () => resolve('closed'));
    asking.end(body);
  });
}
