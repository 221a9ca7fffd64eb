import { createRequire } from 'node:module';

/** The version of this package, told by its own package.json wherever the package lies. */
export const VERSION: string = (createRequire(import.meta.url)('tickcast/package.json') as { version: string }).version;
