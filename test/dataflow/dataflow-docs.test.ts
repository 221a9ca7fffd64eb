import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';

const page = await readFile(new URL('../../docs/dataflow.md', import.meta.url), 'utf8');
const eventsSource = await readFile(new URL('../../src/dataflow/data-flow-events.ts', import.meta.url), 'utf8');
const library = new URL('../../src/dataflow/data-flow-manager.ts', import.meta.url).href;

/** Each example of the page, with the output that stands below it. */
const examples = [...page.matchAll(/```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(([, code, output]) => ({
  code: code as string,
  output: output as string,
}));

async function run(code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dataflow-docs-'));
  try {
    const file = join(folder, 'example.ts');
    await writeFile(file, code.replaceAll("from 'tickcast'", `from '${library}'`));
    const { stdout } = await promisify(execFile)(process.execPath, [file], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('docs/dataflow.md', () => {
  it('has an output below each of its examples', () => {
    expect(examples.length).toBeGreaterThan(0);
    expect(examples).toHaveLength(page.split('```ts\n').length - 1);
  });

  it.each(examples)('prints what it says, example %#', async ({ code, output }) => {
    expect(await run(code)).toBe(output);
  });

  it('lists exactly the events there are', () => {
    const listed = [...page.slice(page.indexOf('## Events')).matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
    const typed = [...eventsSource.matchAll(/^ {2}(\w+): \[/gm)].map((match) => match[1]);
    expect(listed.toSorted()).toEqual(typed.toSorted());
  });

  it('names every figure of getStats', () => {
    const figures = page.slice(page.indexOf('## Figures'));
    for (const name of Object.keys(new DataFlowManager().getStats())) expect(figures).toContain(`\`${name}\``);
  });
});
