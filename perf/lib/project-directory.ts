import { fileURLToPath } from 'node:url';

/** Ends with a slash. */
export const PROJECT_DIRECTORY = fileURLToPath(new URL('../../', import.meta.url));
