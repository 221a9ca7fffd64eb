import { describe, expect, it } from 'vitest';
import { filesBelow } from '../docs/repository-files.ts';
import { type Import, importsBelow, importsOf } from './modules.ts';

/** What every part may use. */
const GROUND = ['util', 'telemetry', 'config'];
/** Parts that a message travels through, and those beside its path. */
const PARTS = [
  'source',
  'dataflow',
  'frame',
  'ring',
  'shard',
  'subscription',
  'batch',
  'compression',
  'connection',
  'delivery',
  'control',
  'admin',
  'cluster',
  'compare',
  'operate',
];

/** Files that wire the parts together: they may import values from everywhere. */
const COMPOSITION_ROOTS = [
  'src/gateway.ts', // of the primary thread
  'src/shard/shard.ts', // of a shard's thread
  'src/index.ts', // of the package
];

/** Values that a part takes from another one all the same, and why. Constants and pure functions, but for two classes. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'compare → src/subscription/filter.ts': 'what a filter matches is asked here of two servers, by the same rules',
  'compare → src/subscription/normal-form.ts': 'as above: which names mean the same topic',
  'compare → src/dataflow/hoist.ts': 'what the gateway adds to a publication is told from what differs',
  'compression → src/frame/frame-header.ts': 'what is compressed is frames again',
  'connection → src/frame/frame-header.ts': 'replies and PINGs are frames too, and share the socket with data',
  'connection → src/subscription/filter.ts': 'a filter is read where the command that holds it is answered',
  'connection → src/delivery/account.ts': 'a class: what a connection was sent is counted from its first moment on',
  'delivery → src/frame/frame-header.ts': 'gaps, merged frames and snapshots are frames too',
  'delivery → src/ring/layout.ts': 'the kinds of record are numbers, which the layout of the ring names',
  'delivery → src/ring/sequence-index.ts': 'a number that was left out has no topic, and a constant says so',
  'delivery → src/subscription/filter.ts': 'topics are found by filter here, as filters are by topic there',
  'delivery → src/subscription/normal-form.ts': 'as above: a kline of one interval is also a kline',
  'source → src/dataflow/source-number.ts': 'the highest number that a source may give, a constant',
  'source → src/dataflow/publication-text.ts':
    'a class: a line is looked at where it was read, so that it need not be kept',
  'frame → src/dataflow/source-number.ts': 'the highest number that a source may give, a constant',
  'frame → src/ring/layout.ts': 'the kinds of record, and how long one is, which decides what the ring can keep',
  'frame → src/ring/compactor.ts': 'a class: the frame stage alone writes the ring, so it alone looks after what goes',
  'frame → src/delivery/delivery-policy.ts':
    'a record says how it may be conflated, so that no shard has to read its text',
  'frame → src/delivery/depth.ts': 'whether a publication tells a book is found out where it is framed, once for all',
  'frame → src/delivery/order-book.ts': 'a key frame is a full book, made of updates as a client makes it',
  'shard → src/ring/layout.ts': 'publications are told from latest values by their kind',
  'shard → src/delivery/delivery-policy.ts': 'what follows on a lap depends on how a topic may be conflated',
  'shard → src/delivery/gap.ts': 'those who keep up are told of a lap with one message for all of a cohort',
  'shard → src/delivery/latest-values.ts': 'as above: how a frame ends that tells a latest value',
};

/** `source`, `ring` and so on; '' for a file of src itself and for what lies outside. */
function partOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? '';
}

const values = importsBelow('src').filter(({ typeOnly }) => !typeOnly);
const between = values.filter(({ from, to }) => partOf(from) !== partOf(to) && !COMPOSITION_ROOTS.includes(from));

function told({ from, to }: Import): string {
  return `${partOf(from)} → ${to}`;
}

describe('the parts of src', () => {
  it('are those that the rules below know', () => {
    const found = new Set(filesBelow('src').map(partOf));
    found.delete('');
    expect([...found].toSorted()).toEqual([...PARTS, ...GROUND].toSorted());
  });

  it('import values only from themselves, util, telemetry and config, but for the exceptions', () => {
    const crossing = between.filter(({ from, to }) => PARTS.includes(partOf(from)) && !GROUND.includes(partOf(to)));
    expect(crossing.filter((found) => EXCEPTIONS[told(found)] === undefined)).toEqual([]);
    const needed = new Set(crossing.map(told));
    expect(Object.keys(EXCEPTIONS).filter((exception) => !needed.has(exception))).toEqual([]);
  });

  it.each([
    ['util', []],
    ['config', ['util']],
    ['telemetry', ['util', 'config']],
  ])('stand on the ground that asks for nothing above it: %s', (part, allowed) => {
    const below = between.filter(({ from, to }) => partOf(from) === part && !allowed.includes(partOf(to)));
    expect(below).toEqual([]);
  });

  it('are not reached by the command line, which only starts the gateway or a comparison', () => {
    const taken = ['src/main.ts', 'src/command-line.ts'].flatMap(importsOf).filter(({ typeOnly }) => !typeOnly);
    const parts = taken.map(({ to }) => partOf(to)).filter((part) => PARTS.includes(part));
    expect(parts).toEqual(['control', 'compare']); // its signals; the command
  });

  it('know nothing of tests, benchmarks and examples', () => {
    const outside = importsBelow('src').filter(({ to }) => !to.startsWith('src/') && to !== 'package.json');
    expect(outside).toEqual([]);
  });
});

describe('imports of values', () => {
  it('go round in no circle', () => {
    const targets = Map.groupBy(values, ({ from }) => from);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, way: string[]): void => {
      const at = way.indexOf(path);
      if (at >= 0) circles.push([...way.slice(at), path].join(' → '));
      if (at >= 0 || done.has(path)) return;
      for (const { to } of targets.get(path) ?? []) visit(to, [...way, path]);
      done.add(path);
    };
    for (const path of targets.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });
});
