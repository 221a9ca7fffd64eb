/** What tells the instances of one machine apart. */
export interface InstanceIdentity {
  /** Number of the instance: what its shards, connections and metrics are told apart by. */
  process: number;
  pid: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Under pm2 the number that pm2 gave the instance, so that figures go on under it after a reload; otherwise the process
 * id, or 0 for an instance that is alone on its port.
 */
export function instanceIdentity(alone: boolean, env: Environment = process.env, pid = process.pid): InstanceIdentity {
  return { process: givenNumber(env) ?? (alone ? 0 : pid), pid };
}

/** The number that pm2 gave the instance, from 0; undefined without pm2. A reload keeps it. */
export function givenNumber({ NODE_APP_INSTANCE: given = '' }: Environment = process.env): number | undefined {
  return /^\d{1,6}$/.test(given) ? Number(given) : undefined;
}
