import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { comparePage } from '../compare/page.ts';
import { growthPage } from '../growth/page.ts';
import type { ResultDocument } from './benchmark.ts';
import { writeSections } from './page-tables.ts';
import type { ResultPage } from './result-page.ts';

const ROOT = new URL('../../', import.meta.url);
const IMAGES = new URL('docs/images/', ROOT);

/** The pages that show results: one for each of these benchmarks. */
export const RESULT_PAGES: Readonly<Record<string, { page: string; of(result: ResultDocument): ResultPage }>> = {
  compare: { page: 'docs/comparison.md', of: comparePage },
  growth: { page: 'docs/scaling.md', of: growthPage },
};

/** What `perf/results/NAME.json` holds now. */
export function readResult(name: string): ResultDocument {
  return JSON.parse(readFileSync(new URL(`perf/results/${name}.json`, ROOT), 'utf8'));
}

/** Puts what was measured last into the page that shows it; nothing for a benchmark that has none. */
export function writePages(name: string): void {
  const shown = RESULT_PAGES[name];
  if (shown === undefined) return;
  const { sections, images } = shown.of(readResult(name));
  mkdirSync(IMAGES, { recursive: true });
  for (const [image, text] of Object.entries(images)) writeFileSync(new URL(image, IMAGES), text);
  writeSections(new URL(shown.page, ROOT).pathname, sections);
}
