import { describe, expect, it } from 'vitest';
import { markdownTable, withSection } from '../../perf/lib/page-tables.ts';

describe('a page’s table', () => {
  it('has numbers to the right and a column for each name that occurs', () => {
    expect(
      markdownTable([
        { load: 'a', 'each/s': 12_345.67 },
        { load: 'b', more: true },
      ]),
    ).toBe(['| load | each/s | more |', '| --- | --: | --: |', '| a | 12,345.7 |  |', '| b |  | yes |'].join('\n'));
  });

  it('takes the place of what stood between its marks, and of nothing else', () => {
    const page = 'one\n<!-- begin x -->\nold\n<!-- end x -->\ntwo\n';
    const after = withSection(page, 'x', 'new');
    expect(after).toBe('one\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\ntwo\n');
    expect(withSection(after, 'x', 'new')).toBe(after);
  });

  it('is refused where the page has no place for it', () => {
    expect(() => withSection('page', 'x', 'new')).toThrow('no section "x"');
  });
});
