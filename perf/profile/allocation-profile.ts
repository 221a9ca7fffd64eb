import type { Row } from '../lib/table.ts';
import { type CallFrame, greatest, placeOf } from './call-frame.ts';

interface AllocationNode {
  callFrame: CallFrame;
  /** Estimated by V8 from the samples. */
  selfSize: number;
  children: AllocationNode[];
}

const MIB = 1024 ** 2;

/**
 * The functions that allocated most on the JavaScript heap, themselves and not what they called, whether it has been
 * collected since or not.
 * @param json text of a .heapprofile file
 */
export function topAllocations(json: string, seconds: number, count: number): Row[] {
  const { head } = JSON.parse(json) as { head: AllocationNode };
  const bytes = new Map<string, number>();
  addUp(head, bytes);
  const total = [...bytes.values()].reduce((sum, size) => sum + size, 0);
  return greatest(bytes, count).map(([place, size]) => ({
    'self %': Number(((100 * size) / total).toFixed(1)),
    'MiB/s': Number((size / MIB / seconds).toFixed(3)),
    function: place,
  }));
}

function addUp({ callFrame, selfSize, children }: AllocationNode, bytes: Map<string, number>): void {
  if (selfSize > 0) bytes.set(placeOf(callFrame), (bytes.get(placeOf(callFrame)) ?? 0) + selfSize);
  for (const child of children) addUp(child, bytes);
}
