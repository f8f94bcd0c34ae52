const MASK = '***';

// A secret may be a whole response: only where its start stands is all of it compared.
const LONGEST_START = 64;

const longestFirst = (lengths: readonly number[] = [], length: number): number[] =>
  [...new Set([...lengths, length])].sort((a, b) => b - a);

/** Texts to hide, found in one pass over a text however many they are: many invocations yield many secrets. */
export class SecretTexts {
  readonly #known = new Set<string>();
  /** Lengths of the secrets that have a start. */
  readonly #lengths = new Map<string, readonly number[]>();
  /** Lengths of the starts that begin with a UTF-16 unit. */
  readonly #startLengths = new Map<number, readonly number[]>();

  constructor(texts: readonly string[] = []) {
    this.add(texts);
  }

  add(texts: readonly string[]): void {
    for (const text of texts.filter((one) => one !== '' && !this.#known.has(one))) {
      const start = text.substring(0, LONGEST_START);
      const unit = text.charCodeAt(0);
      this.#known.add(text);
      this.#lengths.set(start, longestFirst(this.#lengths.get(start), text.length));
      this.#startLengths.set(unit, longestFirst(this.#startLengths.get(unit), start.length));
    }
  }

  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  has(text: string): boolean {
    return this.#known.has(text);
  }

  /** The length of the longest secret that stands at a place of a text, or 0. */
  #lengthAt(text: string, at: number): number {
    for (const startLength of this.#startLengths.get(text.charCodeAt(at)) ?? []) {
      const lengths = this.#lengths.get(text.substring(at, at + startLength));
      const found = lengths?.find(
        (length) => at + length <= text.length && this.#known.has(text.substring(at, at + length)),
      );
      if (found !== undefined) return found;
    }
    return 0;
  }

  /** A text with *** in place of every secret, and in place of all that secrets cover which overlap. */
  hide(text: string): string {
    if (this.isEmpty) return text;
    let shown = '';
    let shownTo = 0;
    for (let at = 0; at < text.length; at += 1) {
      let end = at + this.#lengthAt(text, at);
      if (end === at) continue;
      shown += text.substring(shownTo, at) + MASK;
      for (let next = at + 1; next < end; next += 1) {
        end = Math.max(end, next + this.#lengthAt(text, next));
      }
      shownTo = end;
      at = end - 1;
    }
    return shown + text.substring(shownTo);
  }
}
