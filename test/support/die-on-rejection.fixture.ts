// A program that fails while it starts, in the way that the argument says.
import '../../src/util/die-on-rejection.ts';

// A process manager's own handlers, which do nothing: they must not keep the process.
process.on('unhandledRejection', () => {});
process.on('uncaughtException', () => {});
setInterval(() => {}, 1_000);

const failures: Record<string, () => void> = {
  rejects: () => void Promise.reject(new Error('no way')),
  throws: () => {
    setImmediate(() => {
      throw new Error('no way');
    });
  },
  'rejects with text': () => void Promise.reject('no way'),
  'rejects with nothing': () => void Promise.reject(undefined),
  'cannot import': () => void import(`./${'none'}.ts`),
};
failures[process.argv[2]!]!();
