import { describe, expect, it } from 'vitest';
import { withSection } from '../../perf/lib/page-tables.ts';
import { RESULT_PAGES, readResult } from '../../perf/lib/result-pages.ts';
import { textOf } from './repository-files.ts';

describe.each(Object.entries(RESULT_PAGES))('what the page of %s shows', (name, { page, of }) => {
  const { sections, images } = of(readResult(name));

  it('is what the result holds, in every table', () => {
    const text = textOf(page);
    for (const [section, shown] of Object.entries(sections)) expect(withSection(text, section, shown)).toBe(text);
    const marks = [...text.matchAll(/^<!-- begin (.*) -->$/gm)].map((match) => match[1]);
    expect(marks.toSorted()).toEqual(Object.keys(sections).toSorted());
  });

  it('is what the result holds, in every picture', () => {
    for (const [image, shown] of Object.entries(images)) {
      expect(textOf(`docs/images/${image}`), image).toBe(shown);
      expect(textOf(page)).toContain(`(images/${image})`);
    }
  });
});
