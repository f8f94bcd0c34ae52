import { childrenOf, type ExpressionNode, isIdentifier, spelledName } from '../shared/expression-tree.ts';
import { parseIntegers } from '../shared/json-integers.ts';
import { nearest } from '../shared/text.ts';
import { FUNCTION_NAMES, parseTree } from './jmespath.ts';
import { ODD_SPACE, ODD_SPACE_PROBLEM } from './suggestions.ts';

/** What is wrong with an expression, and at which character. */
export type Mistake = Readonly<{ column: number; what: string }>;

/** A word, a sign or a quoted text in an expression, and the offset where it begins. */
export type Lexeme = Readonly<{ text: string; at: number }>;

// The words and signs of standard JMESPath. The library does not say where it fails, and accepts more than these.
const LEXEME =
  /'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|`(?:[^`\\]|\\.)*`?|[A-Za-z_]\w*|-?\d+|\$\{\{|\[\?|\[\]|&&|\|\||[!=<>]=|=~|\S|[^\S \t\r\n]/gsu;

/** The lexemes of an expression, in order. */
export const lexemesOf = (expression: string): Lexeme[] =>
  [...expression.matchAll(LEXEME)].map(({ 0: text, index }) => ({ text, at: index }));

const WORD = /[\w.+:-]{1,80}/y;

/** The word at an offset, including dots and dashes. */
function wordAt(expression: string, at: number): string {
  WORD.lastIndex = at;
  return WORD.exec(expression)?.[0] ?? '';
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Whether a word is a number without an exponent. */
export const isNumber = (word: string): boolean => NUMBER.test(word);

const parsesAsJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** What is wrong with the JSON in backticks; undefined if it is a value that an outcome can have. */
function mistakeInLiteral(inner: string): string | undefined {
  const json = inner.replaceAll('\\`', '`');
  if (!parsesAsJson(json)) return `backticks hold JSON; write a string in single quotes: '${inner.trim()}'`;
  const value = parseIntegers(json);
  if (JSON.stringify(value) === JSON.stringify(JSON.parse(json))) return undefined;
  const asText = typeof value === 'string' ? `'${value}'` : 'it in double quotes';
  return `an integer with so many digits is a string in the outcome; write ${asText}`;
}

const ARITHMETIC = 'JMESPath has no arithmetic';
const TYPOGRAPHIC = "replace typographic quotes with '";

/** Signs that JMESPath does not have, and what to write instead. */
const FOREIGN_SIGNS: ReadonlyMap<string, string> = new Map([
  ['=', 'a comparison is written =='],
  ['=~', 'JMESPath has no regular expressions; use contains(), starts_with() or ends_with()'],
  [
    '${{',
    'the expression in ${{ }} was not evaluated. It is evaluated in "with:", but not in the default of a workflow_dispatch input, in the value of a variable or in a file',
  ],
  ['$', 'JMESPath starts at the outcome itself; drop "$."'],
  [';', 'write one expression per line, without ";"'],
  ['#', 'comments are not supported in expressions'],
  ['+', ARITHMETIC],
  ['%', ARITHMETIC],
  ['/', ARITHMETIC],
  ['\u2018', TYPOGRAPHIC],
  ['\u2019', TYPOGRAPHIC],
  ['\u201c', TYPOGRAPHIC],
  ['\u201d', TYPOGRAPHIC],
]);
const ALLOWED_SIGNS = new Set('.,:@&|!*()[]{}<>');

const QUOTES: ReadonlyMap<string, string> = new Map([
  ["'", 'quote'],
  ['"', 'quote'],
  ['`', 'backtick'],
]);
const QUOTED = /^(['"`])((?:[^\\]|\\.)*)\1$/s;

// White space and invisible characters that JMESPath does not skip.
const ODD = new RegExp(`^(?:${ODD_SPACE.source})$`, 'u');

/** The problem of a text that JMESPath does not have at this place. */
const notExpected = (text: string): string =>
  ODD.test(text)
    ? ODD_SPACE_PROBLEM
    : `${QUOTES.has(text.charAt(0)) ? text : `"${text}"`} is not expected here`;

/** What is wrong with a word or sign by itself; undefined if it is JMESPath. */
function mistakeInLexeme({ text }: Lexeme): string | undefined {
  const [, quote, inner = ''] = QUOTED.exec(text) ?? [];
  const opened = QUOTES.get(text.charAt(0));
  if (opened !== undefined && quote === undefined) return `the ${opened} is not closed`;
  const inLiteral = quote === '`' ? mistakeInLiteral(inner) : undefined;
  if (inLiteral !== undefined) return inLiteral;
  if (quote === '"' && !parsesAsJson(text)) return `${text} is not a valid name`;
  const isKnown = text.length > 1 || /\w/.test(text) || ALLOWED_SIGNS.has(text);
  return FOREIGN_SIGNS.get(text) ?? (isKnown ? undefined : notExpected(text));
}

/** A key such as `error-count`. JMESPath would read only the part before the dash. */
function keyWithDash(lexemes: readonly Lexeme[], index: number): Mistake | undefined {
  const before = lexemes[index - 1];
  const dash = lexemes[index];
  const after = lexemes[index + 1]?.text ?? '';
  if (before === undefined || !dash?.text.startsWith('-') || !isIdentifier(before.text)) return undefined;
  if (before.at + before.text.length !== dash.at) return undefined;
  const key = `${before.text}${dash.text}${dash.text === '-' && /^\w/.test(after) ? after : ''}`;
  return { column: before.at, what: `write a key that has a dash in double quotes: "${key}"` };
}

function mistakeInLexemes(lexemes: readonly Lexeme[]): Mistake | undefined {
  for (const [index, lexeme] of lexemes.entries()) {
    const dashed = keyWithDash(lexemes, index);
    if (dashed !== undefined) return dashed;
    const sign = index === 0 ? 'drop the "-"; each line is one expression' : ARITHMETIC;
    const what = lexeme.text === '-' ? sign : mistakeInLexeme(lexeme);
    if (what !== undefined) return { column: lexeme.at, what };
  }
  return undefined;
}

/** How the library fails on a text: not at all, because the text ends too early, or because of what it has read. */
function parseFailureOf(expression: string): 'none' | 'end' | 'syntax' | 'depth' {
  try {
    parseTree(expression);
    return 'none';
  } catch (error) {
    if (error instanceof RangeError) return 'depth';
    return error instanceof Error && /\(EOF\)|got: EOF/.test(error.message) ? 'end' : 'syntax';
  }
}

/** The index of the first lexeme that the library refuses. A text that ends before it is only incomplete. */
function firstRefused(expression: string, lexemes: readonly Lexeme[]): number {
  let taken = 0;
  let refused = lexemes.length;
  while (refused - taken > 1) {
    const middle = Math.floor((taken + refused) / 2);
    const last = lexemes[middle - 1];
    const start = expression.slice(0, (last?.at ?? 0) + (last?.text.length ?? 0));
    if (parseFailureOf(start) === 'syntax') refused = middle;
    else taken = middle;
  }
  return refused - 1;
}

const WORD_OPERATORS: ReadonlyMap<string, string> = new Map([
  ['and', 'write && instead of "and"'],
  ['or', 'write || instead of "or"'],
  ['not', 'write !(…) instead of "not"'],
]);
// A key in brackets, as in JavaScript and Python.
const QUOTED_KEY = /^(["'])([\w-]{1,80})\1$/;
const BINARY = new Set(['&&', '||', '|', '==', '!=', '<', '<=', '>', '>=']);

function syntaxMistake(expression: string, lexemes: readonly Lexeme[]): Mistake {
  const index = firstRefused(expression, lexemes);
  const before = lexemes[index - 1];
  const { text, at: column } = lexemes[index] ?? { text: '', at: 0 };
  const operator = WORD_OPERATORS.get(text) ?? WORD_OPERATORS.get(before?.text ?? '');
  if (operator !== undefined) return { column, what: operator };
  if (/^-?\d/.test(text)) {
    const word = wordAt(expression, column);
    const what = isNumber(word)
      ? `write a number in backticks: \`${word}\``
      : `write a string in single quotes: '${word}'`;
    return { column, what };
  }
  const key = before?.text === '[' ? QUOTED_KEY.exec(text)?.[2] : undefined;
  if (key !== undefined) return { column, what: `write .${spelledName(key)} instead of [${text}]` };
  if (index === 0 && text === '.') return { column, what: 'drop the leading "."' };
  if (index === 0 && BINARY.has(text)) return { column, what: 'each line is one expression' };
  return { column, what: notExpected(text) };
}

/** Functions of other languages, in lower case and without underscores, and what they are in JMESPath. */
const OTHER_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...['len', 'size', 'count'].map((name) => [name, 'length'] as const),
  ...['json', 'fromjson', 'parsejson', 'jsonparse'].map((name) => [name, 'powertools_json'] as const),
  ...['base64', 'frombase64', 'base64decode', 'atob'].map((name) => [name, 'powertools_base64'] as const),
  ...['includes', 'has'].map((name) => [name, 'contains'] as const),
  ...['int', 'number', 'parseint'].map((name) => [name, 'to_number'] as const),
  ...['str', 'string', 'tojson'].map((name) => [name, 'to_string'] as const),
]);

/** Finds a function that does not exist. The library reports it only when it calls the function. */
function unknownFunction(tree: ExpressionNode, lexemes: readonly Lexeme[]): Mistake | undefined {
  if (tree.type === 'Function' && !FUNCTION_NAMES.includes(tree.name)) {
    const { name } = tree;
    const meant =
      OTHER_FUNCTIONS.get(name.toLowerCase().replaceAll('_', '')) ?? nearest(name, FUNCTION_NAMES);
    const call = lexemes.find(({ text }, index) => text === name && lexemes[index + 1]?.text === '(');
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
    return { column: call?.at ?? 0, what: `there is no function ${name}${hint}` };
  }
  for (const child of childrenOf(tree)) {
    const found = unknownFunction(child, lexemes);
    if (found !== undefined) return found;
  }
  return undefined;
}

const ENDS_EARLY = 'the expression ends too early';
const CLOSING: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['{', '}'],
  ['[', ']'],
  ['[?', ']'],
]);

/** Why an expression is incomplete: the innermost bracket that is not closed, or its last operator. */
function incompleteness(lexemes: readonly Lexeme[]): string {
  const open: string[] = [];
  for (const { text } of lexemes) {
    const closing = CLOSING.get(text);
    if (closing !== undefined) open.push(closing);
    else if (text === open.at(-1)) open.pop();
  }
  const last = lexemes.at(-1)?.text ?? '';
  const missing = BINARY.has(last) || CLOSING.has(last) ? undefined : open.at(-1);
  return missing === undefined ? ENDS_EARLY : `"${missing}" is missing`;
}
const STAR = 'JMESPath has no arithmetic; * stands for all values';

const hasArithmetic = (tree: ExpressionNode): boolean =>
  tree.type === 'Arithmetic' || childrenOf(tree).some(hasArithmetic);

/** An expression's syntax tree, or what is wrong with its text. */
export function readTree(
  expression: string,
  { isOneOfMany }: Readonly<{ isOneOfMany: boolean }>,
): ExpressionNode | Mistake {
  const lexemes = lexemesOf(expression);
  const mistake = mistakeInLexemes(lexemes);
  if (mistake !== undefined) return mistake;
  const failure = parseFailureOf(expression);
  switch (failure) {
    case 'end': {
      const what = incompleteness(lexemes);
      return { column: expression.length, what: isOneOfMany ? `${what}; each line is one expression` : what };
    }
    case 'depth':
      return { column: 0, what: 'the expression is nested too deeply' };
    case 'syntax':
      return syntaxMistake(expression, lexemes);
    case 'none': {
      const tree = parseTree(expression);
      const star = hasArithmetic(tree) ? lexemes.find(({ text }) => text === '*') : undefined;
      if (star !== undefined) return { column: star.at, what: STAR };
      return unknownFunction(tree, lexemes) ?? tree;
    }
    default:
      return failure satisfies never;
  }
}
