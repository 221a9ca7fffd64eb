import type { ChannelStatus, OutputChannel } from '../../src/dataflow/output-channel.ts';
import type { Publication, PublicationContext } from '../../src/dataflow/publication.ts';

/** Keeps what it gets, and answers as it is told to. */
export class TestChannel implements OutputChannel {
  readonly id: string;
  readonly name: string;
  readonly type = 'custom';
  enabled = true;
  readonly got: Publication[] = [];
  readonly contexts: PublicationContext[] = [];
  closed = 0;
  /** Called for each publication; its answer is that of `output`. */
  answer: (data: Publication) => void | Promise<void>;

  constructor(id: string, answer: (data: Publication) => void | Promise<void> = () => undefined) {
    this.id = id;
    this.name = `test channel ${id}`;
    this.answer = answer;
  }

  output(data: Publication, context?: PublicationContext): void | Promise<void> {
    this.got.push(data);
    if (context !== undefined) this.contexts.push(context);
    return this.answer(data);
  }

  close(): void | Promise<void> {
    this.closed++;
  }

  getStatus(): ChannelStatus {
    return {
      id: this.id,
      name: this.name,
      type: this.type,
      enabled: this.enabled,
      connected: this.closed === 0,
      messagesSent: this.got.length,
      errors: 0,
      lastActivity: 0,
      health: 'healthy',
    };
  }

  /** The `n` of each publication it got. */
  numbers(): unknown[] {
    return this.got.map((publication) => publication.n);
  }
}

/** A channel whose every output waits until the test lets it go. */
export class GatedChannel extends TestChannel {
  readonly #gates: { resolve: () => void; reject: (reason: unknown) => void }[] = [];

  constructor(id: string) {
    super(id, () => new Promise((resolve, reject) => this.#gates.push({ resolve, reject })));
  }

  /** Settles the oldest output that is under way, and lets what follows from that happen. */
  async settle(failure?: Error): Promise<void> {
    const gate = this.#gates.shift();
    if (gate === undefined) throw new Error('no output is under way');
    if (failure === undefined) gate.resolve();
    else gate.reject(failure);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function trade(fields: Record<string, unknown> = {}): Publication {
  return { exchange: 'binance', symbol: 'BTCUSDT', type: 'trade', timestamp: 1_700_000_000_000, ...fields };
}
