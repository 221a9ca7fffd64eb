/**
 * The identity that a source gives a publication: its place in the source's own numbering. Every gateway that reads the same
 * source meets the same number with the same publication, so that they can number alike.
 */
export interface SourceNumber {
  /** Names the numbering: numbers of two with different names have nothing to do with each other. */
  readonly numbering: string;
  /** A safe integer from 1, above that of the publication before. */
  readonly seq: number;
  /** False where publications in front of it may not have come here: the source was away, or has just been joined. */
  readonly follows: boolean;
}
