import { Buffer } from 'node:buffer';
import { looksLikePath } from './files.ts';
import { type Break, findBreak } from './json-scan.ts';
import { isFileInput, type JsonInput } from './json-text.ts';

/** A mistake: its offset in the text, and advice that names the mistake and the fix but never quotes a value. */
export type JsonMistake = Readonly<{ offset: number; advice: string }>;

/** A text that JSON.parse refuses, its input, and the offset that JSON.parse reports, if any. */
type Given = Readonly<{ text: string; input: JsonInput; reported: number | undefined }>;

/** Where the text stops being JSON. `rest` is the text from there on. */
type Context = Break & Readonly<{ text: string; input: JsonInput; rest: string }>;

type Advice = string | ((context: Context) => string);
/** The mistake is at the token that breaks the grammar, unless the row says that it is before that token. */
type Row = readonly [matches: (context: Context) => boolean, advice: Advice, place?: 'before' | 'gap'];

// How many characters the patterns search. Hostile text can be long, and no row in these tables needs more.
const HEAD = 4096;
const REST = 64;

/** Adds advice for an expression as the cause, unless the text is from a file, which has no expressions. */
const orExpression =
  (advice: string, forExpression: string): Advice =>
  ({ input }) =>
    isFileInput(input) ? advice : `${advice} ${forExpression}`;

const TO_JSON = 'write ${{ toJSON(...) }} around it, without quotes of your own.';
const NOT_JSON = 'this is not JSON.';
const PASTED = `If an expression is inserted here, ${TO_JSON}`;

const GZIP = '\x1f\x8b';

/** Base64 of an object, a list or gzip. A word or the SHA of a commit decodes to something else. */
function looksLikeBase64(head: string): boolean {
  const compact = head.replace(/\s+/g, '').slice(0, REST);
  if (compact.length < 8 || !/^[\w+/-]+={0,2}$/.test(compact)) return false;
  const decoded = Buffer.from(compact, 'base64').toString('latin1');
  return decoded.startsWith(GZIP) || /^\s*(?:\{\s*["}]|\[\s*["{[\]\d])/.test(decoded);
}

/** Whether the first line has a key and a value or an item of a list, or starts a document. */
function looksLikeYaml(head: string): boolean {
  const line = head.split('\n').find((text) => !/^\s*(?:#.*)?$/.test(text)) ?? '';
  return /^\s*(?:---(?:\s|$)|- |[\w.'-]{1,80}:(?:\s|$))/.test(line);
}

const PATH_ADVICE: Readonly<Record<JsonInput, string>> = {
  payload: 'this looks like a path. Set payload_file to the path of the file, without "file://".',
  payload_file: 'the file contains a path, not JSON. Git may have checked out a symlink as a text file.',
  invocations_file: 'the file contains a path, not JSON. Git may have checked out a symlink as a text file.',
  client_context: 'this looks like a path. Give the JSON itself.',
};

/** What the whole text may be if it is not JSON at all. */
const SHAPES: readonly (readonly [
  matches: (text: string) => boolean,
  advice: (input: JsonInput) => string,
])[] = [
  [
    (text) => /^\s*(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S/.test(text.slice(0, HEAD)),
    () => 'this looks like an HTTP request: use http_request.',
  ],
  [looksLikePath, (input) => PATH_ADVICE[input]],
  [(text) => looksLikeBase64(text.slice(0, HEAD)), () => 'this looks like base64. Give the JSON itself.'],
  [
    (text) => looksLikeYaml(text.slice(0, HEAD)),
    (input) =>
      input === 'invocations_file'
        ? 'this looks like YAML. Give the file a name that ends in .yml.'
        : `this looks like YAML, and ${input} takes JSON. To write an event as YAML, set payload in an entry of invocations.`,
  ],
];

const startsWith =
  (pattern: RegExp) =>
  ({ rest }: Context): boolean =>
    pattern.test(rest);

const isAtStart = ({ before }: Context): boolean => before === undefined;

const UNEVALUATED = ({ input }: Context): string =>
  isFileInput(input)
    ? `expressions are not evaluated in files. Write the value, or set ${input.replace('_file', '')} instead of ${input}.`
    : 'an expression was passed on without being evaluated. Expressions work in "with:", but not in the default of a workflow_dispatch input, in the value of a variable or in a file.';

const SHELL_VARIABLE = ({ input }: Context): string =>
  isFileInput(input)
    ? 'shell variables are not expanded in files. Write the value itself.'
    : 'shell variables are not expanded in "with:". Write an expression, such as ${{ toJSON(github.sha) }}.';

const TYPOGRAPHIC = 'replace typographic quotes (\u201c \u201d) with ".';
const OBJECT_AS_TEXT = orExpression(
  'an object or a list was inserted as text, not as JSON.',
  'Write ${{ toJSON(...) }} around the expression, without quotes of your own.',
);

/** Mistakes that are recognized by their first characters, anywhere in the text. */
const ANYWHERE: readonly Row[] = [
  [startsWith(/^\$\{\{/), UNEVALUATED],
  [startsWith(/^(?:\$[({]?[a-z_]|%\w+%)/i), SHELL_VARIABLE],
  [startsWith(/^[\u2018-\u201f\u00ab\u00bb]/), TYPOGRAPHIC],
  [
    (context) => isAtStart(context) && startsWith(/^'\s*[{["]/)(context),
    'remove the single quotes around the JSON.',
  ],
  [startsWith(/^'/), 'JSON needs double quotes, not single quotes.'],
  [startsWith(/^`/), 'JSON needs double quotes, not backticks.'],
  [startsWith(/^(?:\/[/*]|#(?:\s|$))/), 'JSON has no comments. Remove the comment.'],
  [
    ({ rest, expected }) => rest.startsWith('#') && expected !== 'value',
    'JSON has no comments. Remove the comment.',
  ],
  [startsWith(/^(?:Object|Array)(?![\w.-])|^object Object\]/), OBJECT_AS_TEXT],
  [startsWith(/^\\/), 'remove the backslash. JSON has backslashes only inside strings.'],
  [
    startsWith(/^[\p{Cc}\p{Z}\p{Cf}]/u),
    'this invisible character is not white space in JSON. Replace it with a space, or remove it.',
  ],
];

/** Whether a double quote that was meant as part of a string has ended the string. */
const isInsideString = ({ before, token, rest }: Context): boolean =>
  before?.mark === '"' && before.end === token.offset && !/^[,:}\]=]|^$/.test(rest);

const QUOTE_INSIDE = orExpression(
  'the string ends before this, and text follows. Write \\" for a double quote inside a string.',
  `If the string is an expression, ${TO_JSON}`,
);

const CLOSERS = { '{': '}', '[': ']' } as const;
const TOO_EARLY = ({ open }: Context): string =>
  open === undefined
    ? 'the text ends before the JSON does.'
    : `the text ends before the JSON does: "${CLOSERS[open]}" is missing.`;

const CLOSED_WRONG = ({ open = '{', token }: Context): string =>
  `"${CLOSERS[open]}" is missing before this "${token.mark}".`;

const NO_COMMA = ({ token }: Context): string => `remove the comma before "${token.mark}".`;
const NO_VALUE = orExpression(
  'a value is missing.',
  `If an expression is inserted here, it was empty: ${TO_JSON}`,
);
const NEEDS_QUOTES = orExpression(
  'this value needs double quotes.',
  'toJSON() adds them to an expression: "ref": ${{ toJSON(github.ref) }}.',
);

const TEXT_ALONE = orExpression(
  'this is not JSON. A text needs double quotes.',
  'toJSON() adds them to an expression: ${{ toJSON(github.ref) }}.',
);

const isAtEnd = ({ token }: Context): boolean => token.mark === '';
const hasMark =
  (marks: string) =>
  ({ token }: Context): boolean =>
    token.mark !== '' && marks.includes(token.mark);
const always = (): boolean => true;

/** Texts that were meant as a value but are not JSON. */
const VALUES: readonly Row[] = [
  [startsWith(/^(?:True|TRUE)(?![\w.-])/), 'write true, in lower case.'],
  [startsWith(/^(?:False|FALSE)(?![\w.-])/), 'write false, in lower case.'],
  [startsWith(/^(?:None|nil|undefined|Null|NULL)(?![\w.-])/), 'write null.'],
  [
    startsWith(/^[-+]?(?:nan|inf|infinity)(?![\w.-])/i),
    'JSON has no NaN and no Infinity. Write null or a number.',
  ],
  [
    startsWith(/^[-+]?0\d+(?![\w.-])/),
    "a number can't start with 0. Write it in double quotes, or without the 0.",
  ],
  [
    startsWith(/^[-+]?(?:0x[\da-f]*|\.?\d[\d_]*\.?\d*(?:e[-+]?\d*)?)(?![\w.-])/i),
    'JSON has numbers such as 1, -0.5 and 1e3. Write this one in that form, or in double quotes.',
  ],
];

const KEYS: readonly Row[] = [
  [isAtEnd, TOO_EARLY],
  [hasMark('}'), NO_COMMA, 'before'],
  [hasMark(']'), CLOSED_WRONG],
  [hasMark(','), 'a key and a value are missing before this comma. Remove one comma.'],
  [hasMark(':'), 'a key is missing before ":".'],
  [
    ({ token, text, input }) => token.mark === '{' && text[token.offset - 1] === '{' && !isFileInput(input),
    'an object needs keys in double quotes. An expression starts with "${{".',
  ],
  [always, 'keys need double quotes, as in {"name": 1}.'],
];

const AFTER_KEY: readonly Row[] = [
  [isAtEnd, TOO_EARLY],
  [isInsideString, QUOTE_INSIDE],
  [startsWith(/^=/), 'write ":" between a key and its value.'],
  [hasMark('}],'), 'a colon and a value are missing after this key.', 'gap'],
  [always, 'a colon is missing after this key.', 'gap'],
];

const ITEMS: readonly Row[] = [
  [isAtEnd, TOO_EARLY],
  [({ expected, token }) => expected === 'item' && token.mark === ']', NO_COMMA, 'before'],
  [hasMark('}'), CLOSED_WRONG],
  [hasMark(',:'), NO_VALUE],
  ...VALUES,
  [always, NEEDS_QUOTES],
];

/** How to give several values if one was expected. */
const SEVERAL: Readonly<Record<JsonInput, string>> = {
  payload:
    'For several events, put each on a line of its own in a .jsonl file, and set payload_file to the path of that file.',
  payload_file: 'For several events, put each on a line of its own in a .jsonl file.',
  invocations_file: 'For several entries, put each on a line of its own in a .jsonl file.',
  client_context: '',
};

const BREAKS: Readonly<Record<Break['expected'], readonly Row[]>> = {
  first_key: KEYS,
  key: KEYS,
  colon: AFTER_KEY,
  first_item: ITEMS,
  item: ITEMS,
  value: [
    [isAtEnd, TOO_EARLY],
    [
      (context) => isAtStart(context) && hasMark('}],:')(context),
      'JSON starts with a value, such as {"name": 1}.',
    ],
    [hasMark('}],:'), NO_VALUE],
    ...VALUES,
    [isAtStart, TEXT_ALONE],
    [always, NEEDS_QUOTES],
  ],
  separator: [
    [isAtEnd, TOO_EARLY],
    [isInsideString, QUOTE_INSIDE],
    [hasMark('}]'), CLOSED_WRONG],
    [
      ({ token, open }) => token.mark === ':' && open === '[',
      'a list has no keys. Write { } around a key and its value.',
    ],
    [hasMark(':'), 'remove this ":", or add the comma or the key that is missing before it.'],
    [always, 'a comma is missing after this value.', 'gap'],
  ],
  end: [
    [isInsideString, QUOTE_INSIDE],
    [hasMark(':'), 'write { } around the keys and values.'],
    [hasMark('}]'), ({ token }) => `the JSON ends before this "${token.mark}". Remove it.`],
    [({ input }) => input === 'client_context', 'the JSON ends before this text. Remove the rest.'],
    [always, ({ input }) => `the JSON ends before this text. Remove the rest. ${SEVERAL[input]}`],
  ],
};

/** What is wrong inside a string, by the character that can't be there. */
const IN_STRINGS: readonly (readonly [pattern: RegExp, advice: Advice])[] = [
  [
    /^[\r\n]/,
    orExpression(
      'a string has a line break in it. Write \\n, or add the double quote that ends the string.',
      PASTED,
    ),
  ],
  [/^\t/, orExpression('a string has a tab in it. Write \\t.', PASTED)],
  [
    /^\p{Cc}/u,
    orExpression('a string has a control character in it. Write it as \\u and four digits.', PASTED),
  ],
  [/^./s, orExpression('JSON has no such escape. Write \\\\ for a backslash.', PASTED)],
];

const say = (advice: Advice, context: Context): string =>
  typeof advice === 'string' ? advice : advice(context);

const CLOSING_QUOTE = /[\u201c-\u201f]\s*[,:}\]]/;

/** Finds a mistake in a string: a typographic quote at its end, no end, or a character that strings can't have. */
function mistakeInString(context: Context, reported: number | undefined): JsonMistake | undefined {
  const { token, before, text } = context;
  const isBroken = token.mark === '"' && !token.isScalar;
  const string = isBroken ? token : isInsideString(context) ? before : undefined;
  if (string === undefined) return undefined;
  const quote = text.slice(string.offset, string.end).search(CLOSING_QUOTE);
  if (quote !== -1) return { offset: string.offset + quote, advice: TYPOGRAPHIC };
  if (!isBroken) return undefined;
  const offset = reported ?? token.end;
  const found = IN_STRINGS.find(([pattern]) => pattern.test(text.slice(offset, offset + 1)));
  return found
    ? { offset, advice: say(found[1], context) }
    : { offset: token.offset, advice: 'this string does not end: a double quote (") is missing.' };
}

/** Finds the mistake in a text that is not JSON. The time is proportional to the length of any text. */
export function findMistake({ text, input, reported }: Given): JsonMistake {
  const found = findBreak(text);
  // This happens only if the scanner accepts something that JSON.parse does not.
  if (!found) return { offset: reported ?? 0, advice: NOT_JSON };
  const { token, before, expected } = found;
  const shape = /^\s*[{["]/.test(text) ? undefined : SHAPES.find(([matches]) => matches(text.trim()));
  if (shape) return { offset: text.search(/\S/), advice: shape[1](input) };
  const context = { ...found, text, input, rest: text.slice(token.offset, token.offset + REST) };
  const inString = mistakeInString(context, reported);
  if (inString) return inString;
  const row = [...ANYWHERE, ...BREAKS[expected]].find(([matches]) => matches(context));
  const places = { here: token.offset, before: before?.offset, gap: before?.end };
  return {
    offset: places[row?.[2] ?? 'here'] ?? token.offset,
    advice: row ? say(row[1], context) : NOT_JSON,
  };
}
