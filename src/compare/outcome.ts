/** What a comparison comes to. */
export type Outcome = 'agree' | 'differ' | 'nothing' | 'unreachable';

/** Exit status of each outcome. */
export const EXIT_STATUS = { agree: 0, differ: 1, nothing: 3, unreachable: 3 } as const satisfies Record<
  Outcome,
  number
>;
export const EXIT_NO_RESULT = 3;

export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  0: 'they agree, but for what is allowed',
  1: 'they differ',
  2: 'the arguments cannot be used',
  3: 'there is no result: a server cannot be reached, nothing came that could be compared, or the report cannot be written',
};
