import { NdjsonSource } from '../../src/source/ndjson.ts';

// Reads standard input until two lines have come, then stops its source and has nothing left to do.
const source = new NdjsonSource({ port: 0, path: '', connect: '', numbering: '', lineBytes: 1_000, connections: 1 });
let published = 0;
await source.start({
  publish() {
    if (++published === 2) void source.stop();
  },
  congested: () => false,
  reject() {},
  ended() {},
  failed() {},
});
process.on('exit', () => process.stdout.write(`published ${published}`));
