/** The little of PromQL that the tests of alerts and dashboards look at; whether it is PromQL at all, promtool says. */

/** One `metric{…}` of an expression. */
export interface Selector {
  metric: string;
  /** Labels that its matchers name. */
  labels: string[];
}

const KEYWORDS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'and', 'or', 'unless']);
KEYWORDS.add('bool').add('offset').add('inf').add('nan');
const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const RANGE = /\[[^\]]*\]/g;
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

/** What the expression reads, in order. */
export function selectorsOf(expr: string): Selector[] {
  const bare = expr.replaceAll(STRING, '""').replaceAll(RANGE, '').replaceAll(GROUPING, ' ');
  // A name with a parenthesis behind it is a function or an aggregation.
  const names = bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\}|(?![\w:]|\s*\())/g);
  return [...names].flatMap(([, metric, matchers = '']) => {
    if (KEYWORDS.has(metric!.toLowerCase())) return [];
    return [{ metric: metric!, labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!) }];
  });
}

/** Labels that it groups or joins by. */
export function groupingLabelsOf(expr: string): string[] {
  const lists = [...expr.replaceAll(STRING, '""').matchAll(GROUPING)].map(([, list]) => list!);
  return lists.flatMap((list) => list.split(',').map((label) => label.trim())).filter((label) => label !== '');
}
