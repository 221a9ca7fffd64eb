import { hoistedFields } from '../dataflow/hoist.ts';
import { dataTypeForm } from '../subscription/normal-form.ts';
import type { Fields } from './fields.ts';

const DERIVED: ReadonlySet<string> = new Set(['price', 'volume', 'side', 'change24h']);

/** Whether a field at the top of a publication may be one that a server copied there from `data`. */
export function mayBeDerived(field: string): boolean {
  return DERIVED.has(field);
}

/** What a server that copies fields of `data` to the top, for front ends that read them there, would copy. */
export function derivedFields(type: string | undefined, payload: Fields): Fields {
  const given = Object.fromEntries(Object.entries(payload).filter(([field]) => !mayBeDerived(field)));
  const hoisted = hoistedFields({ ...given, type: dataTypeForm(type ?? '') });
  return hoisted === '' ? {} : (JSON.parse(`{${hoisted.slice(1)}}`) as Fields);
}
