import { readFileSync } from 'node:fs';

/** Bytes in use of each of the kernel's caches, by name. */
export type Slabs = ReadonlyMap<string, number>;

/** What the kernel allocates for an open TCP socket. */
const OF_SOCKETS = ['TCP', 'sock_inode_cache', 'filp', 'dentry', 'eventpoll_epi', 'ep_head', 'lsm_inode_cache'];
/** Connections over the loopback have both of their ends in the same kernel. */
const ENDS = 2;

/** All of the machine now; undefined where they may not be read, which takes root. */
export function slabs(): Slabs | undefined {
  try {
    return parseSlabs(readFileSync('/proc/slabinfo', 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param text of /proc/slabinfo: name, objects in use, objects, bytes of each */
export function parseSlabs(text: string): Slabs {
  const bytes = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', inUse = '', , each = ''] = line.split(/\s+/);
    if (/^\d+$/.test(inUse)) bytes.set(name, Number(inUse) * Number(each));
  }
  return bytes;
}

/** What the server's ends of the connections that were opened between two readings take. */
export function slabBytes(before: Slabs | undefined, after: Slabs | undefined): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  const growth = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  return OF_SOCKETS.reduce((sum, name) => sum + growth(name), 0) / ENDS;
}
