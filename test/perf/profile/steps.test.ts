import { describe, expect, it } from 'vitest';
import { usByStep } from '../../../perf/profile/steps.ts';

describe('usByStep', () => {
  const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 1 });
  const json = JSON.stringify({
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 5] },
      { id: 2, callFrame: frame('handle', 'file:///src/a.ts'), children: [3] },
      { id: 3, callFrame: frame('send', 'node:net'), children: [4] },
      { id: 4, callFrame: frame('writeBuffer') },
      { id: 5, callFrame: frame('sweep', 'file:///src/b.ts') },
    ],
    samples: [2, 3, 4, 5, 4],
    timeDeltas: [1, 10, 100, 1_000, 200],
  });
  const steps = [
    { name: 'all of it', begins: /^handle .*a\.ts$/ },
    { name: 'sending', begins: /^send node:net$/ },
  ];

  it('gives a step what it calls, but for what is within another step', () => {
    expect(usByStep(json, steps)).toEqual(
      new Map([
        ['all of it', 1],
        ['sending', 310],
      ]),
    );
  });

  it('leaves out what is within no step', () => {
    expect(usByStep(json, [steps[1]!])).toEqual(new Map([['sending', 310]]));
  });
});
