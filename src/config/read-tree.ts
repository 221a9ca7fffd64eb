import { findOption, OPTION_TREE, type Section } from './options.ts';
import { problem, type Reading, repeatedProblem, sectionProblem, unknownProblem } from './reading.ts';

/** A node of what was read: a group with its entries in order (a key may come twice), or a value. */
export type TreeNode =
  | { readonly entries: readonly (readonly [key: string, child: unknown])[] }
  | { readonly value: unknown };

/**
 * Reads nested groups of options: a YAML file, or the object that an embedding program gives. Goes only where the
 * options go, so neither cycles nor depth matter. Never throws but what `expand` throws.
 * @param expand what a node is; called once for each node that is visited
 */
export function readTree(root: unknown, expand: (node: unknown) => TreeNode, origin: string): Reading {
  const reading: Reading = { given: [], problems: [] };
  readSection(root, OPTION_TREE, { expand, origin, reading });
  return reading;
}

interface Visit {
  readonly expand: (node: unknown) => TreeNode;
  readonly origin: string;
  readonly reading: Reading;
}

function readSection(node: unknown, section: Section, visit: Visit): void {
  const tree = visit.expand(node);
  if ('entries' in tree) {
    const seen = new Set<string>();
    for (const [key, child] of tree.entries) {
      readEntry(key, child, section, seen.has(key), visit);
      seen.add(key);
    }
  } else if (tree.value !== null && tree.value !== undefined) {
    // Nothing is a group whose lines are all commented out.
    visit.reading.problems.push(sectionProblem(section, visit.origin));
  }
}

function readEntry(key: string, child: unknown, section: Section, repeated: boolean, visit: Visit): void {
  const { given, problems } = visit.reading;
  const known = section.children.get(key);
  if (known === undefined) {
    problems.push(unknownKeyProblem(section.name === '' ? key : `${section.name}.${key}`, visit.origin));
  } else if (repeated) {
    const twice =
      known.kind === 'option'
        ? repeatedProblem(known, visit.origin)
        : problem(known.name, 'given more than once', visit.origin);
    problems.push(twice);
  } else if (known.kind === 'section') {
    readSection(child, known, visit);
  } else {
    const tree = visit.expand(child);
    given.push({ option: known, value: 'value' in tree ? tree.value : {}, origin: visit.origin });
  }
}

/** The dotted names of flags are the one unknown key worth an explanation: they are right, and in the wrong place. */
function unknownKeyProblem(name: string, origin: string) {
  const dotted = findOption(name);
  if (dotted === undefined) return unknownProblem(name, origin);
  const dot = name.lastIndexOf('.');
  return problem(name, `in a file this is ${name.slice(dot + 1)} below ${name.slice(0, dot)}`, origin);
}
