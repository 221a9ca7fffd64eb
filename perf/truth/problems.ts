/** How many are kept word for word; the others are only counted. */
const KEPT_MAX = 50;
const FRAME_CHARS_MAX = 300;

/** What was found wrong, in the order it was found. */
export class Problems {
  readonly texts: string[] = [];
  count = 0;

  /** @param frame what the problem was seen in; its beginning and its end are told */
  add(text: string, frame?: unknown): void {
    this.count++;
    if (this.texts.length >= KEPT_MAX) return;
    this.texts.push(frame === undefined ? text : `${text}: ${shortened(JSON.stringify(frame))}`);
  }

  addAll({ texts, count }: Problems): void {
    this.count += count;
    this.texts.push(...texts.slice(0, KEPT_MAX - this.texts.length));
  }

  /** All that was kept, and how many more there were. */
  list(): string[] {
    const more = this.count - this.texts.length;
    return more > 0 ? [...this.texts, `and ${more} more`] : [...this.texts];
  }
}

/** The tail of a frame says more than its middle. */
function shortened(text: string): string {
  if (text.length <= FRAME_CHARS_MAX) return text;
  return `${text.slice(0, FRAME_CHARS_MAX / 2)} … ${text.slice(-FRAME_CHARS_MAX / 2)}`;
}
