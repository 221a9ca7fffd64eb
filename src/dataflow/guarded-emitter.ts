import { EventEmitter } from 'node:events';
import { isThenable } from './data-transformer.ts';

/**
 * An event emitter whose own announcements survive their listeners: each is called on its own, and what one throws or
 * rejects with goes to `listenerFailed` rather than to whoever announced.
 */
export abstract class GuardedEmitter<
  Events extends { [Name in keyof Events]: unknown[] },
> extends EventEmitter<Events> {
  protected abstract listenerFailed(event: string, thrown: unknown): void;

  /** Calls the listeners to `event`. On a hot path ask `listenerCount` first: building `args` is not free. */
  protected announce<Name extends keyof Events & string>(event: Name, ...args: Events[Name]): void {
    // Raw listeners, since that of `once` takes itself off when it is called.
    const listeners = (this as EventEmitter).rawListeners(event);
    for (const listener of listeners) {
      try {
        const result: unknown = Reflect.apply(listener, this, args);
        if (isThenable(result)) result.then(undefined, (thrown: unknown) => this.listenerFailed(event, thrown));
      } catch (thrown) {
        this.listenerFailed(event, thrown);
      }
    }
  }
}
