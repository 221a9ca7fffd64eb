/** Whether a debugger may have stopped a thread of this process, or may at any time. To be asked on the main thread. */
export function isDebugged(): boolean {
  // Not every build of Node.js has an inspector.
  return process.features.inspector && process.getBuiltinModule('node:inspector').url() !== undefined;
}
