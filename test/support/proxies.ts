import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { filesBelow, textOf } from '../docs/repository-files.ts';
import { ForegroundProgram, installedProgram, runProgram } from './foreground-program.ts';

/** Percent of new connections that go to Tickcast. */
export type Share = 0 | 10 | 50 | 100;

export interface ProxyOptions {
  /** Port of Tickcast, on 127.0.0.1. */
  gateway: number;
  /** Port of the server before it. */
  old: number;
  share: Share;
  /** What else differs from what is shipped. */
  changes?: Changes;
}

export interface TestProxy {
  port: number;
  /** Runs the command that docs/proxy.md gives for this share; resolves when it holds for whoever connects next. */
  setShare(share: Share): Promise<void>;
}

export interface TestHaproxy extends TestProxy {
  /** What its check says of a server: `L7OK/200` and so on. */
  checkOf(server: 'old' | 'tickcast'): Promise<string>;
}

/** Pieces of the shipped text, and what stands in their place. */
export type Changes = Readonly<Record<string, string>>;

const NGINX_FOLDER = '/etc/nginx';
const HAPROXY_SOCKET = '/run/haproxy/admin.sock';
const NGINX_WORKERS = 2;

/** The commands that shift new connections, as docs/proxy.md gives them. */
export const SHIFT_COMMANDS = {
  nginx: (share: Share) => `ln -sfn ${share}.conf ${NGINX_FOLDER}/share/current.conf && nginx -t && nginx -s reload`,
  HAProxy: (share: Share) => `echo "${weights(share)}" | socat stdio ${HAPROXY_SOCKET}`,
};

/** A real nginx with the files of config/nginx, but for ports, paths and sizes. */
export async function startNginx({ gateway, old, share, changes = {} }: ProxyOptions): Promise<TestProxy> {
  const nginx = installedProgram('nginx', 'nginx');
  const folder = temporaryFolder();
  const port = await freePort();
  const addresses = { '127.0.0.1:8080': `127.0.0.1:${gateway}`, '127.0.0.1:9000': `127.0.0.1:${old}` };
  mkdirSync(join(folder, 'share'));
  copyShipped('config/nginx', folder, { ...nginxPlaces(folder, port), ...addresses, ...changes });
  const configuration = join(folder, 'tickcast.conf');
  symlinkSync(`${share}.conf`, join(folder, 'share/current.conf'));
  runProgram(nginx, ['-t', '-c', configuration]);
  const program = new ForegroundProgram(nginx, ['-c', configuration, '-g', 'daemon off;']);
  await program.listens(port);
  return {
    port,
    setShare: async (next) => {
      const retired = () => program.count('gracefully shutting down');
      const before = retired();
      const command = SHIFT_COMMANDS.nginx(next);
      const here = command.replaceAll('nginx -', `${nginx} -c ${configuration} -`).replaceAll(NGINX_FOLDER, folder);
      runProgram('/bin/sh', ['-c', here]);
      await program.until(() => retired() === before + NGINX_WORKERS, 'the workers before to take no more connections');
    },
  };
}

/** A real HAProxy with config/haproxy/tickcast.cfg, but for ports, paths, sizes and its user. */
export async function startHaproxy({ gateway, old, share, changes = {} }: ProxyOptions): Promise<TestHaproxy> {
  const haproxy = installedProgram('haproxy', 'haproxy');
  const folder = temporaryFolder();
  const port = await freePort();
  const socket = join(folder, 'admin.sock');
  const configuration = join(folder, 'tickcast.cfg');
  const places = {
    '    user haproxy\n    group haproxy\n    chroot /var/lib/haproxy\n': '',
    'log /dev/log local0': 'log stderr format raw local0',
    'maxconn 50000': 'maxconn 1000',
    [HAPROXY_SOCKET]: socket,
    'bind :80': `bind 127.0.0.1:${port}`,
    'server tickcast 127.0.0.1:8080 weight 100': `server tickcast 127.0.0.1:${gateway} weight ${share}`,
    'server old      127.0.0.1:9000 weight 0': `server old      127.0.0.1:${old} weight ${100 - share}`,
    'server old 127.0.0.1:9000': `server old 127.0.0.1:${old}`,
  };
  copyShipped('config/haproxy', folder, { ...places, ...changes });
  runProgram(haproxy, ['-c', '-f', configuration]);
  const program = new ForegroundProgram(haproxy, ['-db', '-f', configuration]);
  await program.listens(port);
  await program.until(() => existsSync(socket), 'its admin socket');
  return {
    port,
    setShare: async (next) => {
      const answer = await askSocket(socket, weights(next));
      if (answer.trim() !== '') throw new Error(`HAProxy says: ${answer}`);
    },
    checkOf: async (server) => {
      const [head = '', ...rows] = (await askSocket(socket, 'show stat')).trim().split('\n');
      const columns = head.replace('# ', '').split(',');
      const row = rows.map((text) => text.split(',')).find(([name, of]) => name === 'gateway' && of === server) ?? [];
      const cell = (column: string) => row[columns.indexOf(column)];
      return `${cell('status')} ${cell('check_status')}/${cell('check_code')}`;
    },
  };
}

/**
 * Copies the shipped files, with pieces of them changed.
 * @throws where a piece is in none of them: what is tested is what is shipped
 */
function copyShipped(from: string, to: string, changes: Changes): void {
  const files = filesBelow(from).map((path) => ({ path, text: textOf(path) }));
  for (const [piece, other] of Object.entries(changes)) {
    if (!files.some(({ text }) => text.includes(piece)))
      throw new Error(`${from} does not say ${JSON.stringify(piece)}`);
    for (const file of files) file.text = file.text.replaceAll(piece, other);
  }
  for (const { path, text } of files) writeFileSync(join(to, path.slice(from.length)), text);
}

function nginxPlaces(folder: string, port: number): Changes {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  return {
    'worker_processes auto': `worker_processes ${NGINX_WORKERS}`,
    'pid /run/nginx.pid': `pid ${folder}/nginx.pid`,
    'error_log /var/log/nginx/error.log': 'error_log stderr',
    'worker_connections 65536': 'worker_connections 1024',
    'access_log /var/log/nginx/access.log;': ['access_log off;', ...temporary].join(' '),
    'listen 80 ': `listen 127.0.0.1:${port} `,
  };
}

function weights(share: Share): string {
  return `set server gateway/tickcast weight ${share}; set server gateway/old weight ${100 - share}`;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickcast-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A command to HAProxy's admin socket, and its answer. */
function askSocket(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.write(`${command}\n`));
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}
