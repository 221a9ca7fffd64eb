import { existsSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../telemetry/logger.ts';
import { errorMessage } from '../util/errors.ts';
import { isListening } from '../util/unix-socket.ts';
import { processBirth } from './process-birth.ts';
import { ownUid, whyDistrusted } from './run-directory.ts';
import { parseSocketName, type SocketName } from './socket-name.ts';

/** Another instance's socket. */
export interface PeerSocket extends SocketName {
  path: string;
}

/** What has been complained of once is remembered, up to so many complaints. */
const COMPLAINTS_MAX = 1_000;

/** Who else is there: reads the run directory, and believes only what is this user's own. */
export class PeerDirectory {
  readonly #path: string;
  readonly #log: Logger;
  readonly #complaints = new Set<string>();

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /**
   * Sockets in the directory, those of one port or all, in the order of their names; none where the directory cannot be
   * trusted any more.
   */
  list(port?: number): PeerSocket[] {
    const problem = whyDistrusted(this.#path);
    if (problem !== undefined) return this.#leaveDirectory(problem);
    try {
      return readdirSync(this.#path)
        .sort()
        .flatMap((file) => this.#read(file) ?? [])
        .filter((peer) => port === undefined || peer.port === port);
    } catch (thrown) {
      return this.#leaveDirectory(errorMessage(thrown));
    }
  }

  /** It has left in good order while it was asked. */
  hasLeft({ path }: PeerSocket): boolean {
    return !existsSync(path);
  }

  /** Removes what instances of any port have left behind that ended without leaving. */
  async sweepDead(): Promise<void> {
    for (const peer of this.list()) await this.sweepIfDead(peer);
  }

  /**
   * Removes the socket of a process that has ended; whether it has. One that cannot be seen here but still listens, as from
   * another container, is left alone.
   */
  async sweepIfDead(peer: PeerSocket): Promise<boolean> {
    // Whoever has the pid now was started at another time.
    if (processBirth(peer.pid) === peer.birth || (await isListening(peer.path))) return false;
    this.#sweep(peer);
    return true;
  }

  #sweep({ path, process, pid }: PeerSocket): void {
    try {
      unlinkSync(path);
      const fields = { path, process, peerPid: pid };
      this.#log.warn(fields, 'WebSocket cluster: the socket of an instance that has ended is removed');
    } catch (thrown) {
      // Another instance has been quicker.
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#complain(path, () =>
        this.#log.error({ err: thrown, path }, 'WebSocket cluster: removing the socket of an ended instance failed'),
      );
    }
  }

  #read(file: string): PeerSocket[] | undefined {
    const name = parseSocketName(file);
    if (name === undefined) return undefined;
    const path = join(this.#path, file);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (found.isSocket() && found.uid === ownUid()) return [{ ...name, path }];
    const why = found.isSocket() ? `belongs to another user (uid ${found.uid})` : 'is not a socket';
    this.#complain(path, () =>
      this.#log.warn({ path, why }, 'WebSocket cluster: a file that is no instance of ours is ignored'),
    );
    return undefined;
  }

  #leaveDirectory(problem: string): [] {
    this.#complain(problem, () =>
      this.#log.error({ path: this.#path, problem }, 'WebSocket cluster: reading the run directory failed'),
    );
    return [];
  }

  /** Each request to the admin API comes by here, so once is enough. */
  #complain(about: string, write: () => void): void {
    if (this.#complaints.has(about) || this.#complaints.size >= COMPLAINTS_MAX) return;
    this.#complaints.add(about);
    write();
  }
}
