import { describe, expect, it } from 'vitest';
import { alertingRules } from '../support/alert-files.ts';
import { anchorOf, fencesOf, sectionsOf } from './markdown.ts';
import { textOf } from './repository-files.ts';

const sections = sectionsOf(textOf('docs/runbook.md')).filter(({ heading }) => heading.startsWith('Tickcast'));
const names = [...new Set(alertingRules.map(({ alert }) => alert))];

describe('docs/runbook.md', () => {
  it('has a section for each alert, in their order, and no other', () => {
    expect(sections.map(({ heading }) => heading)).toEqual(names);
  });

  it('is where each alert sends its reader', () => {
    const anchors = sections.map(({ heading }) => `docs/runbook.md#${anchorOf(heading)}`);
    const urls = alertingRules.map(({ annotations }) => annotations.runbook_url);
    expect(urls.filter((url) => !anchors.includes(url))).toEqual([]);
  });

  it.each(sections)('says of $heading what it means, why, where to look and what to do', ({ text }) => {
    const parts = [...text.matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, part]) => part);
    expect(parts).toEqual(['Means', 'Causes', 'Look', 'Cure']);
    expect(fencesOf(text).map(({ info }) => info)).toEqual(['sh']);
  });
});
