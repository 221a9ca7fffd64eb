import type { InstanceIdentity } from './instance-identity.ts';

/** What one instance asks of another: a line of JSON over the socket. What is answered is the admin part's business. */
export type Question =
  /** Everything that its figures and its health are told from. */
  | { about: 'report' }
  /** Its metrics, sample by sample. */
  | { about: 'metrics' }
  /** Its connections, the highest `sort` first. @property timeoutMs what its shards have of the time */
  | { about: 'connections'; limit: number; sort: string; timeoutMs: number }
  /** That it writes out all batches. */
  | { about: 'flush'; timeoutMs: number };

/**
 * Why there is no answer. `dead`: the process has ended without leaving, and its socket has been removed now; `timeout`:
 * none in time, as of a process that stands still; `refused`: it lives but does not listen; `failed`: it could not answer;
 * `tooLarge`: more than is read; `unreadable`: not what was asked for, as of another version; `notAsked`: there are more
 * instances than one asks.
 */
export type Silence = 'dead' | 'timeout' | 'refused' | 'failed' | 'tooLarge' | 'unreadable' | 'notAsked';

export interface PeerAnswer {
  instance: InstanceIdentity;
  /** As JSON has it; only where there is no `silence`. */
  answer?: unknown;
  silence?: Silence;
}

/** The other instances on the port. */
export interface Peers {
  /** Asks all of them side by side. Never rejects, and takes little longer than cluster.answerTimeoutMs. */
  ask(question: Question): Promise<PeerAnswer[]>;
}
