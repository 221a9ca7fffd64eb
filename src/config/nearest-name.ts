import { cut } from './value.ts';

/**
 * The known name that a mistyped one most likely means: least edits (insertion, deletion, exchange of neighbours), case
 * aside. A name without dots is also held against the last parts of the known ones, so `port` finds `server.port`.
 * Undefined where more than half of it would have to change.
 */
export function nearestName(mistyped: string, known: readonly string[]): string | undefined {
  const wanted = cut(mistyped).toLowerCase();
  let nearest: string | undefined;
  let nearestEdits = Math.floor(wanted.length / 2) + 1;
  for (const name of known) {
    const edits = editsBetween(wanted, name.toLowerCase());
    if (edits < nearestEdits) [nearest, nearestEdits] = [name, edits];
  }
  return nearest;
}

function editsBetween(wanted: string, name: string): number {
  const whole = distance(wanted, name);
  const dot = name.lastIndexOf('.');
  if (dot < 0 || wanted.includes('.')) return whole;
  // Half an edit more, so that a whole name as near comes first.
  return Math.min(whole, distance(wanted, name.slice(dot + 1)) + 0.5);
}

/** Optimal string alignment: Levenshtein's distance with neighbours exchanged at the price of one edit. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) edits = Math.min(edits, beforeLast[j - 2]! + 1);
      row.push(edits);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
