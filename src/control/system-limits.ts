import { readFileSync } from 'node:fs';
import type { Config } from '../config/schema.ts';

/** Something that the machine does not grant, or would do better another way. */
export interface SystemHint {
  readonly level: 'warn' | 'info';
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** Descriptors that a process has beside its connections: threads, log, listeners, requests, sources. */
const OTHER_DESCRIPTORS = 256;
const LIMITS = '/proc/self/limits';
const SOMAXCONN = '/proc/sys/net/core/somaxconn';
const MIGRATE_REQ = '/proc/sys/net/ipv4/tcp_migrate_req';

/**
 * What of the machine stands in the way of the configuration. Only Linux says; elsewhere there is nothing.
 * @param read a file's text; throws where there is none. For tests
 */
export function systemHints(config: Config, read: (path: string) => string = readText): SystemHint[] {
  const text = (path: string) => {
    try {
      return read(path);
    } catch {
      return '';
    }
  };
  return [
    openFilesHint(config, text(LIMITS)),
    backlogHint(config, text(SOMAXCONN)),
    migrationHint(config, text(MIGRATE_REQ)),
  ].filter((hint) => hint !== undefined);
}

function openFilesHint({ limits }: Config, text: string): SystemHint | undefined {
  const openFiles = Number(/^Max open files +(\d+)/m.exec(text)?.[1]);
  if (!Number.isFinite(openFiles)) return undefined;
  const needed = limits.connections + OTHER_DESCRIPTORS;
  if (needed <= openFiles) return undefined;
  return {
    level: 'warn',
    message: 'WebSocket connections are limited by open files: raise nofile, or lower limits.connections',
    fields: { nofile: openFiles, needed, 'limits.connections': limits.connections },
  };
}

function backlogHint({ server }: Config, text: string): SystemHint | undefined {
  const somaxconn = Number.parseInt(text, 10);
  if (!Number.isFinite(somaxconn) || server.backlog <= somaxconn) return undefined;
  return {
    level: 'info',
    message: 'WebSocket backlog is cut by the kernel: raise net.core.somaxconn, or lower server.backlog',
    fields: { somaxconn, 'server.backlog': server.backlog },
  };
}

/** Matters where another listener takes over: a connection that waits in the queue of one that closes goes to the other. */
function migrationHint({ server }: Config, text: string): SystemHint | undefined {
  if (!server.sharePort || text.trim() !== '0') return undefined;
  return {
    level: 'info',
    message: 'WebSocket handshakes may be reset during a reload: set net.ipv4.tcp_migrate_req=1',
    fields: { 'net.ipv4.tcp_migrate_req': 0 },
  };
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
