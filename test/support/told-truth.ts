import { ChainChecker } from '../../perf/truth/chain-checker.ts';
import { ConservationJudge } from '../../perf/truth/conservation.ts';
import { PublicationLog } from '../../perf/truth/publication-log.ts';
import { topicOf, type WireMessage } from '../../perf/truth/wire-message.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import type { TestClient } from './test-client.ts';

/** Publishes, and keeps what a judge has to know of it. Whatever else is published must not go by it. */
export class LoggedPublisher {
  readonly log = new PublicationLog();
  readonly #publish: (publication: Publication) => void;

  constructor(publish: (publication: Publication) => void) {
    this.#publish = publish;
  }

  /** Publishes under a symbol. `data` also says the publication's seq, as `n`. Returns that. */
  publish(type: string, symbol: string, data: object = {}): number {
    const n = this.log.total + 1;
    const publication: Publication = { exchange: 'binance', symbol, type, timestamp: n, data: { ...data, n } };
    this.#publish(publication);
    return this.log.add(topicOf({ type, payload: publication, timestamp: n }));
  }

  get seq(): number {
    return this.log.total;
  }

  /**
   * What there is to say against everything that one client was told on its connections, in their order, by the rules of the
   * wire and by the log. It has to have caught up with all that was published.
   */
  problemsOf(...connections: TestClient[]): string[] {
    const checker = new ChainChecker({ client: 'client', isNumbered: true });
    for (const [index, { requests, received, firehose }] of connections.entries()) {
      if (index > 0) checker.lost();
      checker.connecting(firehose);
      for (const request of requests) checker.asked(request);
      for (const message of received) checker.take(message as WireMessage);
    }
    const judge = new ConservationJudge(this.log);
    judge.judge(checker.record);
    return [...checker.problems.list(), ...judge.problems.list()];
  }
}
