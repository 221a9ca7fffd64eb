/**
 * What pm2 runs. In cluster mode an instance runs on the Node.js that started pm2's daemon, which after a boot may be the
 * system's: one that is too old is told of here, in syntax that it can read, before anything that it cannot load. Then it
 * is src/main.ts, with the same arguments.
 */

// As in util/node-version.ts, which an old version cannot import; a test holds them together.
const NODE_MAJOR_MIN = 22;
const NODE_MINOR_MIN = 18;

const version = process.versions.node;
const [major, minor] = version.split('.').map(Number);
if (major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN)) {
  await import('../main.ts');
} else {
  const text =
    `Tickcast needs Node.js ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or newer, and this is ${version}.\n` +
    'In a clone, `npm start` uses the Node.js that `npm ci` has installed beside the gateway; elsewhere install Node.js 24.\n';
  // pm2's standard error is a stream to a file, which an exit at once would cut off.
  process.stderr.write(text, () => process.exit(1));
}
