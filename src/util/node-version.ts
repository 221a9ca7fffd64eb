/** Runs TypeScript without flags from here on; SO_REUSEPORT came before, with 22.12. */
const NODE_MAJOR_MIN = 22;
const NODE_MINOR_MIN = 18;

/**
 * What to tell somebody whose Node.js is too old; undefined where it is not. Plain syntax, no imports: it has to run on
 * old versions too.
 * @param version such as `22.18.0`
 */
export function nodeTooOld(version: string): string | undefined {
  const parts = version.split('.');
  const major = Number(parts[0]);
  const minor = Number(parts[1]);
  if (major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN)) return undefined;
  return (
    `Tickcast needs Node.js ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or newer, and this is ${version}.\n` +
    'In a clone, `npm start` uses the Node.js that `npm ci` has installed beside the gateway; elsewhere install Node.js 24.'
  );
}
