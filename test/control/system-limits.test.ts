import { describe, expect, it } from 'vitest';
import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { systemHints } from '../../src/control/system-limits.ts';
import { startGateway } from '../support/test-gateway.ts';

const LIMITS = (openFiles: string) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            ${openFiles}                20000                files
Max locked memory         8388608              8388608              bytes
`;

/** What is said on a machine with these figures; what is not given has no file. */
function said(options: ConfigOverrides, files: { nofile?: string; somaxconn?: string; migrateReq?: string }) {
  const texts: Record<string, string | undefined> = {
    '/proc/self/limits': files.nofile === undefined ? undefined : LIMITS(files.nofile),
    '/proc/sys/net/core/somaxconn': files.somaxconn,
    '/proc/sys/net/ipv4/tcp_migrate_req': files.migrateReq,
  };
  const hints = systemHints(createConfig(options), (path) => {
    const text = texts[path];
    if (text === undefined) throw new Error(`ENOENT: ${path}`);
    return text;
  });
  return hints.map(({ level, fields }) => [level, fields]);
}

describe('what the machine does not grant', () => {
  it('is nothing where it grants enough, or does not say', () => {
    expect(said({}, {})).toEqual([]);
    expect(said({}, { nofile: '10256', somaxconn: '4096\n', migrateReq: '0\n' })).toEqual([]);
    expect(said({ limits: { connections: 1_000_000 } }, { nofile: 'unlimited' })).toEqual([]);
    expect(said({ server: { sharePort: true } }, { migrateReq: '1\n' })).toEqual([]);
  });

  it('is told: too few open files for the connections allowed', () => {
    const fields = { nofile: 10_255, needed: 10_256, 'limits.connections': 10_000 };
    expect(said({}, { nofile: '10255' })).toEqual([['warn', fields]]);
  });

  it('is told: a backlog that the kernel cuts', () => {
    const fields = { somaxconn: 128, 'server.backlog': 4_096 };
    expect(said({}, { somaxconn: '128\n' })).toEqual([['info', fields]]);
  });

  it('is told: handshakes that a reload may cost, where instances share the port', () => {
    const fields = { 'net.ipv4.tcp_migrate_req': 0 };
    expect(said({ server: { sharePort: true } }, { migrateReq: '0\n' })).toEqual([['info', fields]]);
  });

  it('stands in the log once, at the start', async () => {
    const { lines } = await startGateway({ shards: 2, limits: { connections: 1_000_000 } });
    const about = lines.filter(({ message }) => message.includes('limited by open files'));
    expect(about).toEqual([expect.objectContaining({ level: 'warn' })]);
  });
});
