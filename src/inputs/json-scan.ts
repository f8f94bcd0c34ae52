import { createScanner } from 'jsonc-parser';

/** What the grammar of JSON allows next; `value` is the value of the whole text or of a key. */
export type ExpectedToken =
  | 'value'
  | 'first_item'
  | 'item'
  | 'first_key'
  | 'key'
  | 'colon'
  | 'separator'
  | 'end';

/** A piece of the text from `offset` to before `end`. `mark` is its first character, '' at the end of the text. */
export type Token = Readonly<{ offset: number; end: number; mark: string; isScalar: boolean }>;

/** The first token that is not JSON, what was expected instead, the token before, and the innermost open bracket. */
export type Break = Readonly<{
  token: Token;
  expected: ExpectedToken;
  before: Token | undefined;
  open: '{' | '[' | undefined;
}>;

type Scanner = ReturnType<typeof createScanner>;

const DIGIT = /^[-\d]/;
const KEYWORDS: ReadonlySet<string> = new Set(['true', 'false', 'null']);
const LONGEST_KEYWORD = 5;
// A comment after a scalar is reported as its own mistake.
const AFTER_SCALAR = /^[\s,\]}:"/]?$/;

/** Whether a token is a string, a number or a keyword, as JSON writes it. */
function isScalar(text: string, scanner: Scanner): boolean {
  const offset = scanner.getTokenOffset();
  const length = scanner.getTokenLength();
  if (scanner.getTokenError() !== 0) return false;
  const mark = text.charAt(offset);
  if (mark === '"') return true;
  // The scanner reads 1.4.2 as several numbers.
  if (!AFTER_SCALAR.test(text.charAt(offset + length))) return false;
  if (DIGIT.test(mark)) return mark !== '-' || length > 1;
  return length <= LONGEST_KEYWORD && KEYWORDS.has(text.slice(offset, offset + length));
}

/** The tokens of a text and, at last, its end. White space is left out, and comments are not. */
function* tokensOf(text: string): Generator<Token> {
  const scanner = createScanner(text);
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    const mark = text.charAt(offset);
    if (/[ \t\r\n]/.test(mark)) continue;
    yield { offset, end: scanner.getPosition(), mark, isScalar: isScalar(text, scanner) };
  }
  yield { offset: text.length, end: text.length, mark: '', isScalar: false };
}

const CLOSERS = { '{': '}', '[': ']' } as const;

/** Follows the grammar of JSON without recursion, so that deep nesting can't overflow the stack. */
class Grammar {
  readonly #open: ('{' | '[')[] = [];
  expected: ExpectedToken = 'value';

  get open(): '{' | '[' | undefined {
    return this.#open.at(-1);
  }

  #afterValue(): ExpectedToken {
    return this.#open.length === 0 ? 'end' : 'separator';
  }

  #close(): ExpectedToken {
    this.#open.pop();
    return this.#afterValue();
  }

  /** What is expected after a token; undefined if the token itself is not expected. */
  #after({ mark, isScalar }: Token): ExpectedToken | undefined {
    const { expected, open } = this;
    switch (expected) {
      case 'first_key':
      case 'key':
        if (mark === '}' && expected === 'first_key') return this.#close();
        return mark === '"' && isScalar ? 'colon' : undefined;
      case 'colon':
        return mark === ':' ? 'value' : undefined;
      case 'separator':
        if (open !== undefined && mark === CLOSERS[open]) return this.#close();
        return mark === ',' ? (open === '{' ? 'key' : 'item') : undefined;
      case 'value':
      case 'item':
      case 'first_item':
        if (mark === ']' && expected === 'first_item') return this.#close();
        if (mark === '{' || mark === '[') {
          this.#open.push(mark);
          return mark === '{' ? 'first_key' : 'first_item';
        }
        return isScalar ? this.#afterValue() : undefined;
      case 'end':
        return undefined;
      default:
        return expected satisfies never;
    }
  }

  /** Takes the next token. False if JSON has no such token here. */
  accepts(token: Token): boolean {
    const next = this.#after(token);
    if (next === undefined) return false;
    this.expected = next;
    return true;
  }
}

/** Finds where a text stops being JSON; undefined if it is JSON to its end. */
export function findBreak(text: string): Break | undefined {
  const grammar = new Grammar();
  let before: Token | undefined;
  for (const token of tokensOf(text)) {
    const { expected, open } = grammar;
    if (token.mark === '' && expected === 'end') return undefined;
    if (!grammar.accepts(token)) return { token, expected, before, open };
    before = token;
  }
  return undefined;
}
