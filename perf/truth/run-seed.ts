/** The seed of this run: TICKCAST_TEST_SEED where it is set, else a new one. From 1 to 2^31 - 2. */
export function runSeed(): number {
  const given = Number(process.env.TICKCAST_TEST_SEED);
  return Number.isInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * 0x7fff_fffd);
}
