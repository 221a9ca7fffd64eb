import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRunDirectory, ownUid, whyDistrusted } from '../../src/cluster/run-directory.ts';
import { temporaryDirectory } from '../support/run-directory.ts';

const isRoot = process.getuid?.() === 0;

function refusalOf(path: string): unknown {
  try {
    openRunDirectory(path);
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

function makeOpen(path: string, mode: number): void {
  mkdirSync(path);
  chmodSync(path, mode);
}

describe('the run directory', () => {
  it('is made for this user alone, and taken as it is the second time', () => {
    const path = join(temporaryDirectory(), 'run');
    expect(openRunDirectory(path)).toBe(path);
    expect(lstatSync(path).mode & 0o777).toBe(0o700);
    expect(openRunDirectory(path)).toBe(path);
  });

  it('is told as an absolute path', () => {
    const path = temporaryDirectory();
    expect(openRunDirectory(relative('', path))).toBe(path);
  });

  it('is tickcast in XDG_RUNTIME_DIR where nothing is said', () => {
    const runtime = temporaryDirectory();
    expect(openRunDirectory('', { XDG_RUNTIME_DIR: runtime })).toBe(join(runtime, 'tickcast'));
  });

  it('is one of the temporary directory where that variable is not this user’s', () => {
    const uid = ownUid();
    const shared = temporaryDirectory();
    chmodSync(shared, 0o777);
    for (const XDG_RUNTIME_DIR of ['', 'relative', '/nowhere/at/all', shared, '/dev/null/x']) {
      expect(openRunDirectory('', { XDG_RUNTIME_DIR })).toBe(join(tmpdir(), `tickcast-${uid}`));
    }
  });

  it.each<[string, (path: string) => void, string]>([
    ['a symbolic link', (path) => symlinkSync(temporaryDirectory(), path), 'symbolic link'],
    ['a link that leads nowhere', (path) => symlinkSync('/nowhere', path), 'symbolic link'],
    ['a file', (path) => writeFileSync(path, ''), 'not a directory'],
    ['open to the group', (path) => makeOpen(path, 0o770), 'others may write to it (mode 770)'],
    ['open to all', (path) => makeOpen(path, 0o1777), 'others may write to it (mode 777)'],
    ['in a directory that is missing', (path) => path, 'no such file'],
  ])('is refused where it is %s, and the error says so', (what, make, problem) => {
    const path = join(temporaryDirectory(), what.startsWith('in a') ? 'missing/run' : 'run');
    make(path);
    expect(refusalOf(path)).toMatchObject({
      code: 'RUN_DIRECTORY_REFUSED',
      message: expect.stringContaining(path),
      detail: { path, problem: expect.stringContaining(problem) },
    });
  });

  it('is refused where it belongs to another user', () => {
    const path = temporaryDirectory();
    const uid = ownUid();
    expect(whyDistrusted(path, uid)).toBeUndefined();
    expect(whyDistrusted(path, uid + 1)).toBe(`it belongs to another user (uid ${uid}; this process has ${uid + 1})`);
  });

  it.runIf(isRoot)('is refused where it has been given to another user', () => {
    const path = temporaryDirectory();
    chownSync(path, 4711, 4711);
    expect(refusalOf(path)).toMatchObject({ code: 'RUN_DIRECTORY_REFUSED', detail: { path } });
  });
});
