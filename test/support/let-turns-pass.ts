import { vi } from 'vitest';

/** More than anything here takes that one turn of the event loop hands on to the next. */
const TURNS = 10;

/** Time stands still until a test moves it, but the turns of the event loop go on. */
export function holdClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
}

/** Lets some turns of the event loop pass, with what sockets say of themselves. On a held clock it takes no time. */
export async function letTurnsPass(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
