import { TextFinder } from './text-finder.ts';

/** What replaces a secret. */
export const MASK = '***';

// The signature of a request is not known beforehand. With it and the rest of the request, anyone can send that again.
const SIGNATURE =
  /(AWS4-HMAC-SHA256 Credential[^"'\r\n]{1,1000}?Signature(?:=|\\{1,3}u003[dD]))[0-9a-f]{64}/g;

/** Texts to hide. Texts can be added at any time: with many invocations each has secrets of its own. */
export class SecretTexts {
  readonly #base: SecretTexts | undefined;
  readonly #known = new Set<string>();
  /** Each has at least twice the size of the next, so that there are few and each text is built in few times. */
  readonly #finders: TextFinder[] = [];

  /** @param base texts that are hidden as well */
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

  /** By where a secret begins in a text, where the longest such ends; undefined where there is none. */
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

  /** A text with *** in place of every secret, and in place of all that secrets cover which overlap. */
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
