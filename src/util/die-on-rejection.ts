/**
 * Imported before anything else: whatever goes wrong from here on ends the process with status 1. Without this, a process
 * manager in cluster mode keeps a process whose start has failed as "online", since its own handlers swallow the error.
 */
process.on('unhandledRejection', die);
process.on('uncaughtException', die);

function die(reason: unknown): void {
  try {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    process.stderr.write(`tickcast: unexpected error, stopping\n${text}\n`);
  } finally {
    process.exit(1);
  }
}
