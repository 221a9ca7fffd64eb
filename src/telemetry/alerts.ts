import type { AdminContext } from '../admin/admin-context.ts';
import type { Aggregator } from './aggregator.ts';
import { ALERT_RULES, type AlertRule, type AlertSeverity, KEEP_FIRING_MS } from './alert-rules.ts';
import { type HealthFigure, healthFigures } from './health-figures.ts';
import { type Instruments, PROCESS_INSTRUMENTS } from './instruments.ts';
import type { Logger } from './logger.ts';

/** One alert of the gateway's own, as health tells it. */
export interface Alert {
  name: string;
  severity: AlertSeverity;
  /** pending: over the threshold, but not for long enough yet. */
  state: 'pending' | 'firing';
  /** ms, a ratio, MiB or a count, as in the reasons of health. */
  value: number;
  threshold: number;
  /** When it got into this state, ms since the epoch. */
  since: number;
  summary: string;
}

/**
 * Raises the alerts of alert-rules.ts. Runs on the primary thread. In: the figures of health, at each `check()`. Out: the
 * alerts that are pending or firing, and a line of the log when one begins to fire and when it is over.
 */
export class Alerts {
  readonly #context: AdminContext;
  readonly #aggregator: Aggregator;
  readonly #watches: readonly Watch[];

  constructor(
    context: AdminContext,
    aggregator: Aggregator,
    log: Logger,
    instruments: Pick<Instruments, 'steadyMs' | 'wallMs'> = PROCESS_INSTRUMENTS,
  ) {
    this.#context = context;
    this.#aggregator = aggregator;
    this.#watches = ALERT_RULES.map((rule) => new Watch(rule, log, instruments));
  }

  /** Call once a second. */
  check(): void {
    const figures = healthFigures(this.#context, this.#aggregator, this.#aggregator.recent());
    for (const watch of this.#watches) watch.look(figures[watch.rule.figure]);
  }

  /** In the order of the rules. */
  list(): Alert[] {
    return this.#watches.flatMap((watch) => watch.alert ?? []);
  }
}

/** One rule, and where it stands. */
class Watch {
  readonly rule: AlertRule;
  readonly #log: Logger;
  readonly #instruments: Pick<Instruments, 'steadyMs' | 'wallMs'>;
  #alert: Alert | undefined;
  /** On the clock that never steps: when the alert got into its state, and when it was last over the threshold. */
  #sinceMs = 0;
  #lastOverMs = 0;

  constructor(rule: AlertRule, log: Logger, instruments: Pick<Instruments, 'steadyMs' | 'wallMs'>) {
    this.rule = rule;
    this.#log = log;
    this.#instruments = instruments;
  }

  get alert(): Alert | undefined {
    return this.#alert;
  }

  /** @param figure undefined: there is nothing to judge, which is as good as being under the threshold */
  look(figure: HealthFigure | undefined): void {
    const threshold = figure === undefined ? 0 : thresholdOf(this.rule, figure);
    const over = figure !== undefined && figure.value > threshold;
    if (over) this.#goOn(figure.value, threshold);
    else if (this.#alert !== undefined) this.#calmDown(figure?.value);
  }

  #goOn(value: number, threshold: number): void {
    this.#lastOverMs = this.#instruments.steadyMs();
    if (this.#alert === undefined) this.#enter('pending', value, threshold);
    else this.#tell(value);
    if (this.#alert?.state === 'pending' && this.#lastOverMs - this.#sinceMs >= this.rule.forMs) {
      this.#enter('firing', value, threshold);
      this.#write(this.rule.severity === 'critical' ? 'error' : 'warn', this.rule.summary(value, threshold));
    }
  }

  #calmDown(value: number | undefined): void {
    const { state } = this.#alert as Alert;
    if (value !== undefined) this.#tell(value);
    const nowMs = this.#instruments.steadyMs();
    if (state === 'firing' && nowMs - this.#lastOverMs < KEEP_FIRING_MS) return;
    if (state === 'firing') this.#write('info', 'over', { lastedMs: Math.round(nowMs - this.#sinceMs) });
    this.#alert = undefined;
  }

  #enter(state: Alert['state'], value: number, threshold: number): void {
    const { name, severity } = this.rule;
    this.#sinceMs = this.#instruments.steadyMs();
    const since = this.#instruments.wallMs();
    this.#alert = { name, severity, state, value, threshold, since, summary: this.rule.summary(value, threshold) };
  }

  #tell(value: number): void {
    const alert = this.#alert as Alert;
    this.#alert = { ...alert, value, summary: this.rule.summary(value, alert.threshold) };
  }

  #write(level: 'info' | 'warn' | 'error', sentence: string, more: Record<string, unknown> = {}): void {
    const { name, severity, value, threshold } = this.#alert as Alert;
    this.#log[level]({ alert: name, severity, value, threshold, ...more }, `WebSocket alert ${name}: ${sentence}`);
  }
}

function thresholdOf({ severity }: AlertRule, { degraded, unhealthy }: HealthFigure): number {
  return severity === 'critical' ? unhealthy : degraded;
}
