import { chmodSync, chownSync, existsSync, lchownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PeerDirectory } from '../../src/cluster/peer-directory.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { leaveSocketAt, listenAt, socketPath, temporaryDirectory } from '../support/run-directory.ts';

const isRoot = process.getuid?.() === 0;
/** More than a pid can be. */
const NOBODYS_PID = 2 ** 22 + 1;

let directory: string;
let log: ReturnType<typeof collectingLogger>;
let peers: PeerDirectory;

beforeEach(() => {
  directory = temporaryDirectory();
  log = collectingLogger();
  peers = new PeerDirectory(directory, log);
});

describe('the instances in a directory', () => {
  it('are those of one port, with what their names tell', async () => {
    await listenAt(socketPath(directory, { port: 8080, process: 1 }));
    await listenAt(socketPath(directory, { port: 8081, process: 2 }));
    writeFileSync(join(directory, 'notes.txt'), '');
    expect(peers.list(8080)).toMatchObject([{ port: 8080, process: 1, pid: process.pid }]);
    expect(peers.list()).toHaveLength(2);
    expect(log.lines).toEqual([]);
  });

  it('are not what is no socket, and that is told once', async () => {
    writeFileSync(socketPath(directory, { process: 1 }), '');
    const target = join(directory, 'elsewhere');
    await listenAt(target);
    symlinkSync(target, socketPath(directory, { process: 2 }));
    expect([peers.list(), peers.list()]).toEqual([[], []]);
    expect(log.lines.map(({ level, fields }) => [level, fields.why])).toEqual([
      ['warn', 'is not a socket'],
      ['warn', 'is not a socket'],
    ]);
  });

  it.runIf(isRoot)('are not sockets of another user, and that is told once', async () => {
    const path = socketPath(directory);
    await listenAt(path);
    lchownSync(path, 4711, 4711);
    expect([peers.list(), peers.list()]).toEqual([[], []]);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { path, why: 'belongs to another user (uid 4711)' } }]);
  });

  it('are nobody while others may write to the directory, and that is told once', async () => {
    await listenAt(socketPath(directory));
    chmodSync(directory, 0o777);
    expect([peers.list(), peers.list()]).toEqual([[], []]);
    chmodSync(directory, 0o700);
    expect(peers.list()).toHaveLength(1);
    expect(log.lines).toMatchObject([
      { level: 'error', message: 'WebSocket cluster: reading the run directory failed' },
    ]);
  });

  it.runIf(isRoot)('are nobody in a directory that has become another user’s', async () => {
    await listenAt(socketPath(directory));
    chownSync(directory, 4711, 4711);
    expect(peers.list()).toEqual([]);
    expect(log.lines).toMatchObject([{ level: 'error', fields: { path: directory } }]);
  });
});

describe('a socket that was left behind', () => {
  it('is removed where its process has ended, also when its pid belongs to another one now', async () => {
    const ended = [{ pid: NOBODYS_PID }, { pid: process.pid, birth: 1 }].map((name) => socketPath(directory, name));
    for (const path of ended) await leaveSocketAt(path);
    await peers.sweepDead();
    expect(ended.map((path) => existsSync(path))).toEqual([false, false]);
    expect(log.lines.map(({ level, fields }) => [level, fields.peerPid]).toSorted()).toEqual(
      [process.pid, NOBODYS_PID].map((pid) => ['warn', pid]).toSorted(),
    );
  });

  it('stays where its process lives, or where somebody listens whose process cannot be seen', async () => {
    const refused = socketPath(directory, { process: 1 });
    await leaveSocketAt(refused);
    const unseen = socketPath(directory, { process: 2, pid: NOBODYS_PID });
    await listenAt(unseen);
    await peers.sweepDead();
    expect([existsSync(refused), existsSync(unseen), log.lines]).toEqual([true, true, []]);
  });

  it('may be removed by two at the same time', async () => {
    await leaveSocketAt(socketPath(directory, { pid: NOBODYS_PID }));
    const [peer] = peers.list();
    expect(await Promise.all([peers.sweepIfDead(peer!), peers.sweepIfDead(peer!)])).toEqual([true, true]);
    expect(log.lines).toHaveLength(1);
  });
});
