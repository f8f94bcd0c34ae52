/**
 * Finds many texts in another one in a single pass, however many they are and whatever they have in common: the
 * automaton of Aho and Corasick (https://doi.org/10.1145/360825.360855). Its states are the starts of the texts, held
 * in typed arrays, because an object for each would take twenty times the memory.
 */
export class TextFinder {
  readonly texts: readonly string[];
  /** UTF-16 units of all texts together. */
  readonly size: number;
  /** The children of state n are first[n] up to first[n + 1], in the order of their units. */
  readonly #first: Int32Array;
  /** The unit that leads to a state. */
  readonly #unit: Uint16Array;
  /** The longest other start of a text that a state ends with. */
  readonly #fallback: Int32Array;
  /** The length of the longest text that a state ends with, or 0. */
  readonly #longest: Int32Array;

  /** @param texts no empty ones, each once */
  constructor(texts: readonly string[]) {
    this.texts = [...texts].sort();
    this.size = texts.reduce((sum, { length }) => sum + length, 0);
    this.#first = new Int32Array(this.size + 2);
    this.#unit = new Uint16Array(this.size + 1);
    this.#fallback = new Int32Array(this.size + 1);
    this.#longest = new Int32Array(this.size + 1);
    this.#build();
  }

  /** Adds the states level by level, so that the children of a state are together and its fallback is before it. */
  #build(): void {
    const from = new Int32Array(this.size + 1);
    const to = new Int32Array(this.size + 1);
    to[0] = this.texts.length;
    let states = 1;
    for (let state = 0, depth = 0, levelEnd = 1; state < states; state += 1) {
      if (state === levelEnd) {
        depth += 1;
        levelEnd = states;
      }
      this.#first[state] = states;
      let at = from[state] ?? 0;
      const end = to[state] ?? 0;
      const isText = this.texts[at]?.length === depth;
      this.#longest[state] = isText ? depth : (this.#longest[this.#fallback[state] ?? 0] ?? 0);
      if (isText) at += 1;
      while (at < end) {
        const unit = this.#unitOf(at, depth);
        this.#unit[states] = unit;
        this.#fallback[states] = state === 0 ? 0 : this.#next(this.#fallback[state] ?? 0, unit);
        from[states] = at;
        while (at < end && this.#unitOf(at, depth) === unit) at += 1;
        to[states] = at;
        states += 1;
      }
    }
    this.#first[states] = states;
  }

  #unitOf(text: number, at: number): number {
    return this.texts[text]?.charCodeAt(at) ?? 0;
  }

  /** The child of a state by a unit, or 0. */
  #child(state: number, unit: number): number {
    let low = this.#first[state] ?? 0;
    let high = this.#first[state + 1] ?? 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#unit[middle] ?? 0;
      if (found === unit) return middle;
      if (found < unit) low = middle + 1;
      else high = middle;
    }
    return 0;
  }

  #next(from: number, unit: number): number {
    for (let state = from; ; state = this.#fallback[state] ?? 0) {
      const child = this.#child(state, unit);
      if (child !== 0 || state === 0) return child;
    }
  }

  /** Calls back with where each text that is found begins and ends; of several with one end, with the longest. */
  find(text: string, onFound: (start: number, end: number) => void): void {
    let state = 0;
    for (let at = 0; at < text.length; at += 1) {
      state = this.#next(state, text.charCodeAt(at));
      const length = this.#longest[state] ?? 0;
      if (length > 0) onFound(at + 1 - length, at + 1);
    }
  }
}
