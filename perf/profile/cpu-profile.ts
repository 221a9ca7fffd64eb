import type { Row } from '../lib/table.ts';
import { type CallFrame, greatest, placeOf } from './call-frame.ts';

/** The parts of V8's CPU profile that are read here. Times in µs. */
interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame }[];
  samples: number[];
  timeDeltas: number[];
}

/**
 * The functions in which a thread spent most of its time, themselves and not what they called.
 * @param json text of a .cpuprofile file
 */
export function topFunctions(json: string, count: number): Row[] {
  const { nodes, samples, timeDeltas } = JSON.parse(json) as CpuProfile;
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const selfUs = new Map<string, number>();
  samples.forEach((id, i) => {
    const place = places.get(id) ?? '';
    selfUs.set(place, (selfUs.get(place) ?? 0) + (timeDeltas[i] ?? 0));
  });
  const totalUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
  return greatest(selfUs, count).map(([place, us]) => ({
    'self %': Number(((100 * us) / totalUs).toFixed(1)),
    'self ms': Math.round(us / 1000),
    function: place,
  }));
}
