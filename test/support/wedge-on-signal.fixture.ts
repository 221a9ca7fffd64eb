/** Preloaded into a gateway's process (`--import`): its primary thread never comes back from SIGUSR2. */
process.on('SIGUSR2', function wedgeOnSignal() {
  for (;;);
});
