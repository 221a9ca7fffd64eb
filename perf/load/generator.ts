/**
 * One of several generator processes: told what to do over the IPC channel, and run until it has sent its part of the
 * report. Started by `load.ts` only.
 */
import type { FromGenerator, ToGenerator } from './generator-messages.ts';
import { LoadRun } from './load-run.ts';

const go = Promise.withResolvers<void>();

process.on('message', (message: ToGenerator) => {
  if (message.kind === 'go') go.resolve();
  else void run(message);
});
// A generator without its coordinator would go on loading the machine.
process.on('disconnect', () => process.exit(1));

async function run(order: Extract<ToGenerator, { kind: 'run' }>): Promise<void> {
  const gate = async () => {
    tell({ kind: 'settled' });
    await go.promise;
  };
  const part = await new LoadRun(order.options, order.first, order.step).run(gate, {
    onStart: () => tell({ kind: 'started' }),
    onEnd: () => tell({ kind: 'ended' }),
  });
  process.send?.({ kind: 'part', part } satisfies FromGenerator, () => process.exit(0));
}

function tell(message: FromGenerator): void {
  process.send?.(message);
}
