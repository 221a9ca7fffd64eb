import type { InstanceIdentity } from '../cluster/instance-identity.ts';
import type { Silence } from '../cluster/question.ts';

/** `dead`: it has ended without leaving; it is shown once, and no more after that. */
export const INSTANCE_STATES = ['answered', 'silent', 'dead'] as const;

type InstanceState = (typeof INSTANCE_STATES)[number];

/** One row of `instances`, which every answer has: whom it tells of, and whom it should but cannot. */
export type InstanceRow<Told extends object = object> = InstanceIdentity & {
  state: InstanceState;
  /** Why there is no answer. */
  reason?: Silence;
} & Partial<Told>;

/** The instances that were asked, and what each has answered. */
export interface Gathered<Answer> {
  answered: readonly { instance: InstanceIdentity; answer: Answer }[];
  silent: readonly { instance: InstanceIdentity; silence: Silence }[];
}

/** What every answer says of the instances. @param told what a row says of one that has answered */
export function instanceRows<Answer, Told extends object>(
  { answered, silent }: Gathered<Answer>,
  told: (answer: Answer) => Told,
): { instances: InstanceRow<Told>[]; silentInstances: number[] } {
  const rows: InstanceRow<Told>[] = [
    ...answered.map(({ instance, answer }) => ({ ...instance, state: 'answered' as const, ...told(answer) })),
    ...silent.map(({ instance, silence }) => ({ ...instance, ...silentState(silence) }) as InstanceRow<Told>),
  ];
  const silentInstances = rows.filter(({ state }) => state === 'silent').map(({ process }) => process);
  return { instances: rows.sort(byProcess), silentInstances: silentInstances.sort((a, b) => a - b) };
}

function silentState(silence: Silence): Pick<InstanceRow, 'state' | 'reason'> {
  return silence === 'dead' ? { state: 'dead' } : { state: 'silent', reason: silence };
}

/** The same order whoever answers. */
function byProcess(a: InstanceIdentity, b: InstanceIdentity): number {
  return a.process - b.process || a.pid - b.pid;
}
