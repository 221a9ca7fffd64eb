import {
  allocateTopicDirectory,
  TopicDirectoryReader,
  TopicDirectoryWriter,
  type TopicName,
} from '../../src/ring/topic-directory.ts';

/** A topic directory with both its ends in one thread. */
export class TestTopics {
  readonly writer: TopicDirectoryWriter;
  readonly reader: TopicDirectoryReader;

  constructor(topicsMax = 1_024) {
    const memory = allocateTopicDirectory(topicsMax);
    this.writer = new TopicDirectoryWriter(memory);
    this.reader = new TopicDirectoryReader(memory);
  }

  /** Adds a topic and returns its id. */
  add(exchange: string | null, symbol: string | null, dataType: string | null): number {
    return this.writer.add({ exchange, symbol, dataType } satisfies TopicName);
  }
}

/** A watcher of cohorts that does nothing, where no batches are looked at. */
export const NO_WATCHER = { leaving() {} };
