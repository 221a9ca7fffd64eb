import type { FramePublisher } from '../frame/frame-publisher.ts';
import type { ChannelStatus, TextChannel } from './output-channel.ts';
import type { Publication, PublicationContext } from './publication.ts';
import type { PublicationText } from './publication-text.ts';
import type { SourceNumber } from './source-number.ts';

/**
 * The output channel that leads to the browsers: hands publications to the frame stage, synchronously. Runs on the primary
 * thread. What cannot be framed (too large, circular, one topic too many) throws a TickcastError, which the
 * DataFlowManager counts and reports as this channel's.
 */
export class ProxyWebSocketOutputChannel implements TextChannel {
  readonly id: string;
  readonly name = 'WebSocket proxy';
  readonly type = 'websocket';
  enabled = true;
  readonly #publisher: FramePublisher;
  readonly #refused: Record<string, number> = {};
  #connected = true;
  #messagesSent = 0;
  #errors = 0;
  #lastActivity = 0;

  constructor(publisher: FramePublisher, id = 'proxy-websocket') {
    this.id = id;
    this.#publisher = publisher;
  }

  output(publication: Publication, context: PublicationContext): void {
    try {
      this.#publisher.publish(publication, context);
    } catch (thrown) {
      this.#refuse(thrown);
      throw thrown;
    }
    this.#messagesSent++;
    this.#lastActivity = Date.now();
  }

  outputText(text: PublicationText, dueUs: number, number: SourceNumber | undefined): boolean {
    if (!this.#publisher.publishText(text, dueUs, number)) return false;
    this.#messagesSent++;
    this.#lastActivity = Date.now();
    return true;
  }

  /** Publications that were refused, by error code. */
  refused(): Record<string, number> {
    return { ...this.#refused };
  }

  close(): void {
    this.#connected = false;
  }

  getStatus(): ChannelStatus {
    return {
      id: this.id,
      name: this.name,
      type: this.type,
      enabled: this.enabled,
      connected: this.#connected,
      messagesSent: this.#messagesSent,
      errors: this.#errors,
      lastActivity: this.#lastActivity,
      health: this.#connected ? 'healthy' : 'unhealthy',
    };
  }

  #refuse(thrown: unknown): void {
    this.#errors++;
    const code = String((thrown as { code?: unknown } | null)?.code ?? 'UNKNOWN');
    this.#refused[code] = (this.#refused[code] ?? 0) + 1;
  }
}
