import type { Publication } from '../../src/dataflow/publication.ts';
import type { SourceNumber } from '../../src/dataflow/source-number.ts';
import type { SourceSink } from '../../src/source/source.ts';

/** A sink that keeps everything a source hands over. `isCongested` is the test's to set. */
export class CollectingSink implements SourceSink {
  readonly publications: Publication[] = [];
  readonly numbers: (SourceNumber | undefined)[] = [];
  readonly dueUs: (number | undefined)[] = [];
  readonly problems: { code: string; message: string; detail?: Record<string, unknown> }[] = [];
  readonly errors: Error[] = [];
  endings = 0;
  isCongested = false;

  publish(publication: Publication, dueUs?: number, number?: SourceNumber): void {
    this.publications.push(publication);
    this.dueUs.push(dueUs);
    this.numbers.push(number);
  }

  congested(): boolean {
    return this.isCongested;
  }

  reject(problem: { code: string; message: string; detail?: Record<string, unknown> }): void {
    this.problems.push(problem);
  }

  ended(): void {
    this.endings++;
  }

  failed(error: Error): void {
    this.errors.push(error);
  }
}
