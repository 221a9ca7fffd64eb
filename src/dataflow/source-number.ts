/**
 * The identity that a source gives a publication: its place in the source's own numbering. Every gateway that reads the same
 * source meets the same number with the same publication, so that they can number alike.
 */
export interface SourceNumber {
  /** Names the numbering: numbers of two with different names have nothing to do with each other. */
  readonly numbering: string;
  /** From 1 to SOURCE_SEQ_MAX, above that of the publication before; else the publication counts as having none. */
  readonly seq: number;
  /**
   * From this number on the source has missed nothing. It rises when publications in front of this one may not have come
   * here: the source was away, or has just been joined. It does not matter whether each of them came further than here.
   */
  readonly unbrokenFrom: number;
}

/** Leaves room for numbers of a gateway's own behind it, see frame/numbering.ts. */
export const SOURCE_SEQ_MAX = 2 ** 53 - 2 ** 42;
