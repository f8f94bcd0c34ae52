type Escape = (text: string) => string;

/** The escape that JSON can use for any character. */
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
const escapedInCapitals = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

const json: Escape = (text) => JSON.stringify(text).slice(1, -1);
const slashes: Escape = (text) => text.replaceAll('/', '\\/');
const NOT_ASCII = /[\u0080-\uffff]/g;

/** How the libraries that functions use write a text in JSON. */
const JSON_ESCAPES: readonly Escape[] = [
  json,
  // PHP with JSON_UNESCAPED_UNICODE
  (text) => slashes(json(text)),
  // Python, and PHP with JSON_UNESCAPED_SLASHES
  (text) => json(text).replace(NOT_ASCII, escaped),
  // PHP
  (text) => slashes(json(text)).replace(NOT_ASCII, escaped),
  // Jackson, set to write ASCII only
  (text) => json(text).replace(NOT_ASCII, escapedInCapitals),
  // Go
  (text) => json(text).replace(/[<>&\u2028\u2029]/g, escaped),
  // Gson
  (text) => json(text).replace(/[<>&='\u2028\u2029]/g, escaped),
  // .NET
  (text) =>
    json(text)
      .replaceAll('\\"', '"')
      .replace(/["&'+<>`\x7f-\uffff]/g, escapedInCapitals),
];

/** The forms of a text in JSON, and in JSON that is a string in JSON, written by the same library or by another. */
function inJson(text: string): string[] {
  return JSON_ESCAPES.flatMap((written) => {
    const once = written(text);
    return [once, written(once), json(once)];
  });
}

const inUrl = (text: string): string => encodeURIComponent(text.toWellFormed());

const isVisible = (text: string): boolean => text.trim() !== '';

/**
 * The forms of a secret: the whole text and each line (a runner masks line by line), each as it is, in JSON, and in a
 * URL. A secret with only letters and digits has one form.
 */
export function formsOf(secret: string): string[] {
  const lines = secret
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter(isVisible);
  const written = [secret, ...lines].filter(isVisible);
  return [...new Set([...lines, ...written.flatMap(inJson), ...written.map(inUrl)])];
}

/** What replaces a secret. */
export const MASK = '***';

// Matches the signature of a request, which is not known in advance. Anyone who has it can send the request again.
const SIGNATURE =
  /(AWS4-HMAC-SHA256 Credential[^"'\r\n]{1,1000}?Signature(?:=|\\{1,3}u003[dD]))[0-9a-f]{64}/g;

/**
 * Finds many texts in another text in a single pass, regardless of their number and common parts, with the automaton
 * of Aho and Corasick (https://doi.org/10.1145/360825.360855). Its states are the beginnings of the texts. They are in
 * typed arrays, because an object for each state would take twenty times the memory.
 */
class TextFinder {
  readonly texts: readonly string[];
  /** UTF-16 units of all texts together. */
  readonly size: number;
  /** The children of state n are first[n] up to first[n + 1], in the order of their units. */
  readonly #first: Int32Array;
  /** The unit that leads to a state. */
  readonly #unit: Uint16Array;
  /** For each state, the longest beginning of another text that the state ends with. */
  readonly #fallback: Int32Array;
  /** For each state, the length of the longest text that the state ends with, or 0. */
  readonly #longest: Int32Array;

  /** @param texts not empty, without duplicates */
  constructor(texts: readonly string[]) {
    this.texts = [...texts].sort();
    this.size = texts.reduce((sum, { length }) => sum + length, 0);
    this.#first = new Int32Array(this.size + 2);
    this.#unit = new Uint16Array(this.size + 1);
    this.#fallback = new Int32Array(this.size + 1);
    this.#longest = new Int32Array(this.size + 1);
    this.#build();
  }

  /** Adds the states level by level, so that the children of a state are adjacent and its fallback comes before it. */
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

  /**
   * Calls back with the start and the end of each text that is found. For several with the same end, with the longest.
   */
  find(text: string, onFound: (start: number, end: number) => void): void {
    let state = 0;
    for (let at = 0; at < text.length; at += 1) {
      state = this.#next(state, text.charCodeAt(at));
      const length = this.#longest[state] ?? 0;
      if (length > 0) onFound(at + 1 - length, at + 1);
    }
  }
}

/** A text with *** instead of its first line. */
export function withoutFirstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? MASK : MASK + text.slice(end);
}

/** For each length of a start of the text, the length of the longest shorter start that it ends with (Knuth-Morris-Pratt). */
function shorterStarts(text: string): Uint32Array {
  const lengths = new Uint32Array(text.length + 1);
  for (let end = 1, length = 0; end < text.length; end += 1) {
    while (length > 0 && text[end] !== text[length]) length = lengths[length] ?? 0;
    if (text[end] === text[length]) length += 1;
    lengths[end + 1] = length;
  }
  return lengths;
}

/** The longest of these secrets' ends that a text starts with, in UTF-16 units. */
function longestRest(text: string, secrets: readonly string[]): number {
  const shorter = shorterStarts(text);
  let longest = 0;
  for (const secret of secrets) {
    let length = 0;
    for (let at = 0; at < secret.length; at += 1) {
      while (length > 0 && (length === text.length || text[length] !== secret[at]))
        length = shorter[length] ?? 0;
      if (text[length] === secret[at]) length += 1;
    }
    longest = Math.max(longest, length);
  }
  return longest;
}

// The end of a secret of fewer units says nothing about it, and many texts happen to start with it.
const LEAST_REST = 4;
// The time that is needed to find a rest depends on the length of the secrets. Credentials have less.
const MOST_SEARCHED = 100_000;

/** Texts to hide. More can be added at any time, because each of many invocations can have its own secrets. */
export class SecretTexts {
  readonly #base: SecretTexts | undefined;
  readonly #known = new Set<string>();
  /**
   * Each finder has at least twice the size of the next, so that there are few and each text is rebuilt only a few
   * times.
   */
  readonly #finders: TextFinder[] = [];

  /** @param base more texts to hide */
  constructor(texts: readonly string[] = [], base?: SecretTexts) {
    this.#base = base;
    this.add(texts);
  }

  add(texts: readonly string[]): void {
    let fresh = [...new Set(texts)].filter((text) => text !== '' && !this.has(text));
    if (fresh.length === 0) return;
    for (const text of fresh) this.#known.add(text);
    let size = fresh.reduce((sum, { length }) => sum + length, 0);
    for (let last = this.#finders.at(-1); last !== undefined; last = this.#finders.at(-1)) {
      if (last.size >= 2 * size) break;
      this.#finders.pop();
      fresh = fresh.concat(last.texts);
      size += last.size;
    }
    this.#finders.push(new TextFinder(fresh));
  }

  get isEmpty(): boolean {
    return this.#known.size === 0 && (this.#base?.isEmpty ?? true);
  }

  has(text: string): boolean {
    return this.#known.has(text) || (this.#base?.has(text) ?? false);
  }

  #allFinders(): readonly TextFinder[] {
    return this.#base === undefined ? this.#finders : [...this.#base.#allFinders(), ...this.#finders];
  }

  /** For each place where a secret begins in a text, the end of the longest one; undefined if there is none. */
  #endsIn(text: string): Int32Array | undefined {
    let ends: Int32Array | undefined;
    for (const finder of this.#allFinders()) {
      finder.find(text, (start, end) => {
        ends ??= new Int32Array(text.length);
        ends[start] = Math.max(ends[start] ?? 0, end);
      });
    }
    return ends;
  }

  /**
   * A text whose start was cut off, with *** instead of the rest of a secret at its start. If there are too many secrets
   * to find that, with *** instead of its first line.
   */
  hideCutStart(text: string): string {
    const finders = this.#allFinders();
    if (finders.reduce((sum, { size }) => sum + size, 0) > MOST_SEARCHED) return withoutFirstLine(text);
    const length = longestRest(
      text,
      finders.flatMap(({ texts }) => texts),
    );
    return length < LEAST_REST ? text : MASK + text.slice(length);
  }

  /** The text with *** instead of every secret. Secrets that overlap become one ***. */
  hide(text: string): string {
    if (this.isEmpty) return text;
    const ends = this.#endsIn(text);
    const hidden = ends === undefined ? text : hideBetween(text, ends);
    return hidden.replace(SIGNATURE, `$1${MASK}`);
  }
}

function hideBetween(text: string, ends: Int32Array): string {
  let shown = '';
  let shownTo = 0;
  for (let at = 0; at < text.length; at += 1) {
    let end = ends[at] ?? 0;
    if (end === 0) continue;
    shown += text.substring(shownTo, at) + MASK;
    for (let next = at + 1; next < end; next += 1) end = Math.max(end, ends[next] ?? 0);
    shownTo = end;
    at = end - 1;
  }
  return shown + text.substring(shownTo);
}
