import { describe, expect, it } from 'vitest';
import { bytesByOwner, idsOf, NOBODY } from '../../../perf/profile/heap-owners.ts';

/** Objects of a heap: id, class, bytes, and the ids of what each refers to. */
type HeapObject = [id: number, name: string, bytes: number, ...refers: number[]];

function snapshot(...objects: HeapObject[]): string {
  const meta = {
    node_fields: ['type', 'name', 'id', 'self_size', 'edge_count'],
    node_types: [['object']],
    edge_fields: ['type', 'name_or_index', 'to_node'],
  };
  const strings = objects.map(([, name]) => name);
  const nodes = objects.flatMap(([id, , bytes, ...refers], i) => [0, i, id, bytes, refers.length]);
  const place = (id: number) => objects.findIndex((object) => object[0] === id) * meta.node_fields.length;
  const edges = objects.flatMap(([, , , ...refers]) => refers.flatMap((id) => [0, 0, place(id)]));
  return JSON.stringify({ snapshot: { meta }, nodes, edges, strings });
}

describe('the bytes of a heap', () => {
  const ownerOf = (name: string) => ({ Socket: 'node', Account: 'ours' })[name];
  const before = idsOf(snapshot([1, 'shared', 1_000]));

  it('are those of the class that they belong to, or that leads to them', () => {
    const after = snapshot(
      [1, 'shared', 1_000],
      [3, 'Socket', 50, 5, 1],
      [5, 'list', 7, 7],
      [7, 'string', 2],
      [9, 'Account', 8],
    );
    expect(bytesByOwner(after, before, ownerOf)).toEqual(
      new Map([
        ['node', 59],
        ['ours', 8],
      ]),
    );
  });

  it('stay with a class that is told of, though another refers to it', () => {
    const after = snapshot([3, 'Socket', 50, 5], [5, 'Account', 8, 3]);
    expect(bytesByOwner(after, before, ownerOf)).toEqual(
      new Map([
        ['node', 50],
        ['ours', 8],
      ]),
    );
  });

  it('are nobody’s where no class leads to them, and are not counted where they were there before', () => {
    const after = snapshot([1, 'shared', 1_000, 3], [3, 'list', 4]);
    expect(bytesByOwner(after, before, ownerOf)).toEqual(new Map([[NOBODY, 4]]));
  });
});
