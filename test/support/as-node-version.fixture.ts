/** Loaded before a program, lets it take this Node.js for the version that PRETENDED_NODE names. */
const versions = { ...process.versions, node: process.env.PRETENDED_NODE };
Object.defineProperty(process, 'versions', { value: versions });
