/**
 * The instances that share a port, as one of them sees the others. Runs on the primary thread. In: questions of this
 * instance to all others, and those of others to it. Out: what each has answered, or why it has not. They find each other
 * by their sockets in the run directory; there is no leader, and no list to keep.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '../telemetry/logger.ts';
import { askPeer } from './ask-peer.ts';
import { ClusterSocket } from './cluster-socket.ts';
import type { InstanceIdentity } from './instance-identity.ts';
import { PeerDirectory, type PeerSocket } from './peer-directory.ts';
import { processBirth } from './process-birth.ts';
import type { PeerAnswer, Peers, Question } from './question.ts';
import { openRunDirectory, runDirectoryRefused } from './run-directory.ts';
import { formatSocketName, SERIAL_END, SOCKET_PATH_BYTES_MAX } from './socket-name.ts';

export interface ClusterParts {
  instance: InstanceIdentity;
  /** As in the configuration. */
  runDir: string;
  answerTimeoutMs: number;
  /** Answers the questions of others in plain data. */
  answer: (question: Question) => Promise<unknown>;
  log: Logger;
  /** Between looks at whether the own socket is still where others find it. */
  watchIntervalMs?: number;
}

/** Others that are asked at a time. */
const PEERS_MAX = 64;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const WATCH_INTERVAL_MS = 5_000;
const PORT_MAX = 65_535;

/** An instance that is alone on its port. */
export const NO_PEERS: Peers = { ask: async () => [] };

export class Cluster implements Peers {
  readonly #parts: ClusterParts;
  readonly #birth: number;
  readonly #serial = randomInt(1, SERIAL_END);
  #directoryPath = '';
  #directory: PeerDirectory | undefined;
  #socket: ClusterSocket | undefined;
  #port = 0;
  #watch: NodeJS.Timeout | undefined;
  #mending = false;
  #left = false;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.#birth = processBirth(parts.instance.pid) ?? 0;
  }

  /**
   * Makes and checks the run directory, before anything else is started.
   * @throws TickcastError RUN_DIRECTORY_REFUSED, also where a path there is too long for a socket
   */
  open(): void {
    const { runDir, log } = this.#parts;
    this.#directoryPath = openRunDirectory(runDir);
    this.#port = PORT_MAX;
    const bytes = Buffer.byteLength(this.#path);
    if (bytes > SOCKET_PATH_BYTES_MAX) {
      const problem = `${this.#path} has ${bytes} bytes, and the path of a socket has at most ${SOCKET_PATH_BYTES_MAX}`;
      throw runDirectoryRefused(this.#directoryPath, problem);
    }
    this.#directory = new PeerDirectory(this.#directoryPath, log);
  }

  /** From here on others ask this instance, and it asks them. @throws TickcastError RUN_DIRECTORY_REFUSED */
  async join(port: number): Promise<void> {
    this.#port = port;
    await this.#directory?.sweepDead();
    await this.#listen();
    const { watchIntervalMs = WATCH_INTERVAL_MS } = this.#parts;
    if (!this.#left) this.#watch = setInterval(() => void this.#stayInPlace(), watchIntervalMs).unref();
  }

  /** Others do not find this instance any more. Also where it never joined. */
  async leave(): Promise<void> {
    this.#left = true;
    clearInterval(this.#watch);
    const socket = this.#socket;
    this.#socket = undefined;
    await socket?.close();
  }

  async ask(question: Question): Promise<PeerAnswer[]> {
    if (this.#directory === undefined || this.#socket === undefined) return [];
    const own = this.#path;
    const peers = this.#directory.list(this.#port).filter(({ path }) => path !== own);
    const answers = await Promise.all(peers.slice(0, PEERS_MAX).map((peer) => this.#ask(peer, question)));
    const left = peers.slice(PEERS_MAX).map((peer) => ({ instance: identityOf(peer), silence: 'notAsked' as const }));
    return [...answers.filter((answer) => answer !== undefined), ...left];
  }

  /** Undefined for an instance that has left meanwhile. */
  async #ask(peer: PeerSocket, question: Question): Promise<PeerAnswer | undefined> {
    const limits = { timeoutMs: this.#parts.answerTimeoutMs, bytesMax: ANSWER_BYTES_MAX };
    const asked = await askPeer(peer.path, question, limits);
    const instance = identityOf(peer);
    if ('answer' in asked) return { instance, answer: asked.answer };
    if (asked.silence === 'gone' || this.#directory?.hasLeft(peer)) return undefined;
    return { instance, silence: (await this.#directory?.sweepIfDead(peer)) ? 'dead' : asked.silence };
  }

  async #listen(): Promise<void> {
    const { answer, log } = this.#parts;
    const socket = new ClusterSocket({ path: this.#path, answer, log });
    if (!this.#left) await socket.open();
    // The instance may have been stopped meanwhile.
    if (this.#left) await socket.close();
    else this.#socket = socket;
  }

  async #stayInPlace(): Promise<void> {
    const { runDir, log } = this.#parts;
    const socket = this.#socket;
    if (socket === undefined || this.#mending) return;
    this.#mending = true;
    try {
      if (socket.isInPlace()) return;
      openRunDirectory(runDir);
      await socket.close();
      await this.#listen();
      log.warn({ path: this.#path }, 'WebSocket cluster: the socket was gone and is there again');
    } catch (thrown) {
      log.error({ err: thrown }, 'WebSocket cluster: joining again failed');
    } finally {
      this.#mending = false;
    }
  }

  get #path(): string {
    const { instance } = this.#parts;
    const name = formatSocketName({ ...instance, port: this.#port, birth: this.#birth, serial: this.#serial });
    return join(this.#directoryPath, name);
  }
}

function identityOf({ process, pid }: PeerSocket): InstanceIdentity {
  return { process, pid };
}
