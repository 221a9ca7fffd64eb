/** What tells the instances of one machine apart. */
export interface InstanceIdentity {
  /** Number of the instance: what its shards, connections and metrics are told apart by. */
  process: number;
  pid: number;
}

/**
 * Under pm2 the number that pm2 gave the instance, so that figures go on under it after a reload; otherwise the process
 * id, or 0 for an instance that is alone on its port.
 */
export function instanceIdentity(
  alone: boolean,
  { NODE_APP_INSTANCE: given = '' }: Readonly<Record<string, string | undefined>> = process.env,
  pid = process.pid,
): InstanceIdentity {
  if (/^\d{1,6}$/.test(given)) return { process: Number(given), pid };
  return { process: alone ? 0 : pid, pid };
}
