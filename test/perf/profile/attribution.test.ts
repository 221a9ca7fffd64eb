import { describe, expect, it } from 'vitest';
import { attribute, type Part } from '../../../perf/profile/attribution.ts';

const SRC = 'file:///tickcast/src';

/** One branch of a call tree, outermost first, each a name and its file; all of its time is its last function's. */
type Branch = [us: number, ...calls: [functionName: string, url: string][]];

function profile(...branches: Branch[]): string {
  const nodes = [{ id: 1, callFrame: { functionName: '(root)', url: '', lineNumber: -1 }, children: [] as number[] }];
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  for (const [us, ...calls] of branches) {
    let caller = nodes[0]!;
    for (const [functionName, url] of calls) {
      const node = { id: nodes.length + 1, callFrame: { functionName, url, lineNumber: 1 }, children: [] };
      caller.children.push(node.id);
      nodes.push(node);
      caller = node;
    }
    samples.push(caller.id);
    timeDeltas.push(us);
  }
  return JSON.stringify({ nodes, samples, timeDeltas });
}

function parts(...branches: Branch[]): Partial<Record<Part, number>> {
  return Object.fromEntries([...attribute(profile(...branches))].filter(([, us]) => us > 0));
}

describe('attribute', () => {
  const flush: [string, string] = ['#flushOne', `${SRC}/batch/connection-pool-manager.ts`];

  it('tells the states of V8 apart', () => {
    const states = parts([5, ['(idle)', '']], [3, ['(garbage collector)', '']], [2, ['(program)', '']]);
    expect(states).toEqual({ idle: 5, 'garbage collection': 3, 'kernel and libuv, other': 2 });
  });

  it.each([
    ['subscription/subscription-manager.ts', 'matching'],
    ['batch/batch.ts', 'copying, batching'],
    ['ring/receiver.ts', 'copying, batching'],
    ['delivery/topic-table.ts', 'copying, batching'],
    ['shard/duty-cycle.ts', 'copying, batching'],
    ['frame/payload-text.ts', 'serialising'],
    ['dataflow/hoist.ts', 'serialising'],
    ['source/simulator.ts', 'source'],
    ['connection/commands.ts', 'connections'],
    ['telemetry/statistics-block.ts', 'statistics'],
    ['gateway.ts', 'other'],
    ['util/clock.ts', 'other'],
  ] as const)('puts the time of src/%s under %s', (file, part) => {
    expect(parts([7, ['anything', `${SRC}/${file}`]])).toEqual({ [part]: 7 });
  });

  it.each(['writeBuffer', 'writev', 'writeLatin1String'])('takes %s for a send, whoever calls it', (send) => {
    const stream: [string, string] = ['writeGeneric', 'node:internal/stream_base_commons'];
    expect(parts([9, flush, stream, [send, '']], [1, flush, stream])).toEqual({
      'kernel send': 9,
      'Node’s streams': 1,
    });
  });

  it('gives what is done natively, and copies, to who asked for them', () => {
    const copied: Branch = [4, flush, ['copy', 'node:buffer'], ['_copyActual', '']];
    const text: Branch = [6, ['stringify', `${SRC}/frame/payload-text.ts`], ['utf8Write', '']];
    expect(parts(copied, text)).toEqual({ 'copying, batching': 4, serialising: 6 });
  });

  it('takes a wake-up of another thread for the kernel’s', () => {
    expect(parts([2, ['wake', `${SRC}/ring/wake-up.ts`], ['postMessage', '']])).toEqual({
      'kernel and libuv, other': 2,
    });
  });

  it('knows Node’s streams from the rest of Node, and ws from both', () => {
    const found = parts(
      [1, ['Socket._writeGeneric', 'node:net']],
      [2, ['emit', 'node:events']],
      [3, ['processTimers', 'node:internal/timers']],
      [4, ['startLoop', 'file:///tickcast/node_modules/ws/lib/receiver.js']],
    );
    expect(found).toEqual({ 'Node’s streams': 3, 'Node, other': 3, connections: 4 });
  });
});
