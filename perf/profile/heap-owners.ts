/** The parts of V8's heap snapshot that are read here. */
interface HeapSnapshot {
  snapshot: { meta: { node_fields: string[]; node_types: [string[], ...unknown[]]; edge_fields: string[] } };
  nodes: number[];
  edges: number[];
  strings: string[];
}

/** Whose an object is, by the name of its class; undefined where that does not tell. */
export type OwnerOf = (className: string) => string | undefined;

/** What no class leads to. */
export const NOBODY = 'others';

/** The ids of a snapshot's objects. One that is there later too keeps its own. */
export function idsOf(json: string): Set<number> {
  const { nodes, size, id } = read(json);
  const ids = new Set<number>();
  for (let at = 0; at < nodes.length; at += size) ids.add(nodes[at + id] as number);
  return ids;
}

/**
 * Bytes of the objects that are not among `before`, by owner. What is nobody's by its class (lists, strings, closures,
 * memory outside the heap) belongs to whom it is reached from first.
 */
export function bytesByOwner(json: string, before: ReadonlySet<number>, ownerOf: OwnerOf): Map<string, number> {
  const heap = read(json);
  const { nodes, size, id, selfSize } = heap;
  const owners = new Map<number, string>();
  const queue: number[] = [];
  for (let at = 0; at < nodes.length; at += size) {
    const owner = before.has(nodes[at + id] as number) ? undefined : ownerOf(heap.nameAt(at));
    if (owner === undefined) continue;
    owners.set(at, owner);
    queue.push(at);
  }
  for (let next = 0; next < queue.length; next++) {
    const from = queue[next] as number;
    heap.forEachReferred(from, (to) => {
      if (owners.has(to) || before.has(nodes[to + id] as number)) return;
      owners.set(to, owners.get(from) as string);
      queue.push(to);
    });
  }
  const bytes = new Map<string, number>();
  for (let at = 0; at < nodes.length; at += size) {
    if (before.has(nodes[at + id] as number)) continue;
    const owner = owners.get(at) ?? NOBODY;
    bytes.set(owner, (bytes.get(owner) ?? 0) + (nodes[at + selfSize] as number));
  }
  return bytes;
}

function read(json: string) {
  const { snapshot, nodes, edges, strings } = JSON.parse(json) as HeapSnapshot;
  const { node_fields: fields, edge_fields: edgeFields } = snapshot.meta;
  const field = (name: string) => fields.indexOf(name);
  const [size, edgeSize] = [fields.length, edgeFields.length];
  const [name, edgeCount, toNode] = [field('name'), field('edge_count'), edgeFields.indexOf('to_node')];
  const firstEdge = new Uint32Array(nodes.length / size + 1);
  for (let i = 0; i < firstEdge.length - 1; i++) {
    firstEdge[i + 1] = (firstEdge[i] as number) + (nodes[i * size + edgeCount] as number) * edgeSize;
  }
  return {
    nodes,
    size,
    id: field('id'),
    selfSize: field('self_size'),
    nameAt: (at: number) => strings[nodes[at + name] as number] as string,
    forEachReferred(at: number, call: (to: number) => void): void {
      const end = firstEdge[at / size + 1] as number;
      for (let edge = firstEdge[at / size] as number; edge < end; edge += edgeSize)
        call(edges[edge + toNode] as number);
    },
  };
}
