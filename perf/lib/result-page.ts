import type { ResultDocument } from './benchmark.ts';

/** What a benchmark's result shows on a page of the documentation. */
export interface ResultPage {
  /** By the names of their places on the page, Markdown. */
  sections: Record<string, string>;
  /** By their names in docs/images, text of SVG files. */
  images: Record<string, string>;
}

/** How the figures came about, in a sentence. */
export function provenance({ command, date, commit, machine }: ResultDocument): string {
  const { cpu, cores, memoryMib, kernel, node } = machine;
  const memory = `${Math.round(memoryMib / 1024)} GiB`;
  const small = command.includes('--smoke')
    ? '**A run in small, to show that it works: the figures mean nothing.** '
    : '';
  return `${small}Measured on ${date.slice(0, 10)} at commit \`${commit}\` with \`${command}\`: ${cpu}, ${cores} cores, ${memory}, ${kernel}, Node.js ${node}.`;
}
