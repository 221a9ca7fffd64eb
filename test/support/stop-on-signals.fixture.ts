// A program with something to stop; the argument says how the stop goes.
import { stopOnSignals } from '../../src/control/signals.ts';

const [how = '', timeoutMs, echoMs] = process.argv.slice(2);
const stops: Record<string, () => Promise<void>> = {
  succeeds: async () => console.log('stopped'),
  rejects: () => Promise.reject(new Error('no way')),
  throws: () => {
    throw new Error('no way');
  },
  hangs: () => new Promise(() => console.log('stopping')),
};
const target = {
  stop(signal: string): Promise<void> {
    console.log(`asked ${stopping()} by ${signal}`);
    return stops[how]!();
  },
};

// What keeps a gateway alive: the stop has to end the process in spite of it.
setInterval(() => {}, 1_000);
const stopping = stopOnSignals(target, {
  timeoutMs: Number(timeoutMs),
  report: (line) => process.stderr.write(`${line}\n`),
  ...(echoMs === undefined ? {} : { echoMs: Number(echoMs) }),
});
console.log(`ready ${stopping()}`);
