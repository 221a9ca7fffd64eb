import type { CallFrame } from './call-frame.ts';

interface ProfileNode {
  id: number;
  callFrame: CallFrame;
  children?: number[];
}

/** A step of some work, and the functions that it begins with, as `name url`. */
export interface Step {
  name: string;
  begins: RegExp;
}

/**
 * How long a thread was at each step: a sample belongs to the innermost step that it is within, and to none where it is
 * within none.
 * @param json text of a .cpuprofile file
 * @returns µs, by the step's name
 */
export function usByStep(json: string, steps: readonly Step[]): Map<string, number> {
  const { nodes, samples, timeDeltas } = JSON.parse(json) as {
    nodes: ProfileNode[];
    samples: number[];
    timeDeltas: number[];
  };
  const stepAt = new Map<number, string | undefined>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const called = new Set(nodes.flatMap(({ children = [] }) => children));
  const open: [id: number, within: string | undefined][] = [];
  for (const { id } of nodes) if (!called.has(id)) open.push([id, undefined]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [id, within] = next;
    const node = byId.get(id);
    if (node === undefined) continue;
    const text = `${node.callFrame.functionName} ${node.callFrame.url}`;
    const step = steps.find(({ begins }) => begins.test(text))?.name ?? within;
    stepAt.set(id, step);
    for (const child of node.children ?? []) open.push([child, step]);
  }
  const us = new Map(steps.map(({ name }) => [name, 0]));
  samples.forEach((id, i) => {
    const step = stepAt.get(id);
    if (step !== undefined) us.set(step, (us.get(step) ?? 0) + (timeDeltas[i] ?? 0));
  });
  return us;
}
