import { describe, expect, it } from 'vitest';
import { SHARD_PHASES } from '../../src/telemetry/shard-phases.ts';
import { filesBelow, textOf } from '../docs/repository-files.ts';

const text = filesBelow('src').map(textOf).join('\n');

describe('the phases of a shard', () => {
  it('are each entered somewhere', () => {
    expect(SHARD_PHASES.filter((phase) => !text.includes(`'phase', PHASE.${phase})`))).toEqual([]);
  });

  it('are explained in docs/operation.md, all of them', () => {
    const table = textOf('docs/operation.md')
      .split('\n## ')
      .find((section) => section.startsWith('Watchdog'))!;
    const listed = [...table.matchAll(/^\| (\w+) \| .*\w/gm)].map((match) => match[1]);
    expect(listed.slice(1)).toEqual([...SHARD_PHASES]); // below the head
  });
});
