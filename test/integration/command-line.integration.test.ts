import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OPTIONS } from '../../src/config/options.ts';
import { TestProcess } from '../support/child-process.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url);

/** Small and quiet: one shard, a free port, no market. */
const QUIET = ['--shards', '1', '--server.host', '127.0.0.1', '--source.kind', 'none', '--ring.bytes', '4194304'];

function run(argv: readonly string[], env: Record<string, string> = {}) {
  return new TestProcess(MAIN, argv, env).ended;
}

function temporaryFile(name: string, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'tickcast-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

describe('the command line, without a gateway', () => {
  it('prints the table of options on --help, also beside a bad option', async () => {
    const { status, stdout, stderr } = await run(['--nonsense', '--help']);
    for (const option of OPTIONS) expect(stdout).toContain(`  --${option.name} `);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('prints the version of the package on --version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('prints on --print-config what file, environment and flags come to', async () => {
    const file = temporaryFile('c.yaml', 'server: { path: /feed }\nadmin: { token: S3CRET }\n');
    const { status, stdout } = await run(['--print-config', '--config', file, '--shards', '3'], {
      TICKCAST__SERVER__PORT: '9000',
    });
    expect(status).toBe(0);
    expect(stdout).toContain('\n  port: 9000 # environment TICKCAST__SERVER__PORT\n');
    expect(stdout).toContain(`\n  path: /feed # file ${file}\n`);
    expect(stdout).toContain('\nshards: 3 # flag --shards\n');
    expect(stdout).toContain('# token: set, hidden;');
    expect(stdout).not.toContain('S3CRET');
  });

  it('exits 2 on bad options and names each: option, value, what is allowed, where it came from', async () => {
    const file = temporaryFile('c.yaml', 'server:\n  prot: 1\n');
    const { status, stdout, stderr } = await run(['--config', file, '--shards', 'many'], {
      TICKCAST__SERVER__PORT: '99999',
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      `tickcast: server.prot: there is no such option; did you mean server.port? (file ${file})`,
      'tickcast: server.port: 99999 is not allowed; allowed: 0 to 65535 (environment TICKCAST__SERVER__PORT)',
      'tickcast: shards: "many" is not allowed; allowed: auto or 1 to 64 (flag --shards)',
      '--help lists the options and what they allow',
      '',
    ]);
  });

  it.each([
    ['is missing', () => '/none/such.yaml', /^tickcast: \/none\/such\.yaml: cannot be read: ENOENT/],
    ['is a directory', () => tmpdir(), /cannot be read: EISDIR/],
    [
      'is not YAML',
      () => temporaryFile('c.yaml', 'server: ['),
      /is not YAML: .*, line 1, column \d+ \(flag --config\)/,
    ],
  ])('exits 2 when the file %s', async (_, file, reason) => {
    const { status, stderr } = await run(['--config', file()]);
    expect(stderr).toMatch(reason);
    expect(status).toBe(2);
  });

  it('exits 2 when the recording is missing', async () => {
    const { status, stderr } = await run(['--source.kind', 'recording', '--source.recording.file', '/none/such.ws']);
    expect(stderr).toMatch(
      /^tickcast: source\.recording\.file: "\/none\/such\.ws" is not allowed; allowed: a file that exists/,
    );
    expect(status).toBe(2);
  });

  it('says nothing when the reader of its output goes away', async () => {
    const child = new TestProcess(MAIN, ['--help']);
    child.closeOutput();
    expect(await child.ended).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('the command line, with a gateway', () => {
  it('exits 1 when the port is taken, naming it and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { status, stderr } = await run([...QUIET, '--server.port', String(port)]);
    expect(stderr).toMatch(new RegExp(`^tickcast: .*port ${port}\\b.*--server\\.port`, 'i'));
    expect(status).toBe(1);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('runs until %s, then drains and exits 0', async (signal) => {
    const child = new TestProcess(MAIN, [...QUIET, '--server.port', '0']);
    await child.said('WebSocket gateway started');
    child.kill(signal);
    expect(await child.ended).toMatchObject({ status: 0, stderr: '' });
  });

  it('goes on when the reader of its log goes away', async () => {
    const child = new TestProcess(MAIN, [...QUIET, '--server.port', '0', '--log.performanceIntervalMs', '50']);
    await child.said('WebSocket gateway started');
    child.closeOutput();
    // Some log lines into the closed pipe later it still answers a signal as it should.
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill('SIGTERM');
    expect(await child.ended).toMatchObject({ status: 0 });
  });
});
