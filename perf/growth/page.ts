import type { ResultDocument } from '../lib/benchmark.ts';
import type { ResultPage } from '../lib/result-page.ts';

export function growthPage(_result: ResultDocument): ResultPage {
  return { sections: {}, images: {} };
}
