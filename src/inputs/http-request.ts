import { nearest } from '../shared/text.ts';
import { type Problems, quote } from './problems.ts';

/** A header as it was written. */
export type Header = readonly [name: string, value: string];

/** An HTTP request as it was written. The path begins with "/"; path and query are percent-encoded. */
export type HttpRequest = Readonly<{
  method: string;
  path: string;
  /** What follows "?"; empty if there is none. */
  query: string;
  /** In the order of the text. */
  headers: readonly Header[];
  body: string;
}>;

type AddLineProblem = (line: number, what: string) => void;

/** A line of the text, and its number there, from 1. */
type NumberedLine = Readonly<{ text: string; number: number }>;

// The methods that a route of API Gateway can have.
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const LONGEST_METHOD = 10;

const EXAMPLE = 'for example GET /health';
const NOT_EVALUATED = '"{{ }}" is not evaluated here. Write an expression, for example ${{ vars.NAME }}.';

/** Syntax of .http files before the body that is not supported. The first row that matches applies. */
const UNSUPPORTED: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^###/, '"###" begins another request. http_request supports only one.'],
  [/\{\{/, NOT_EVALUATED],
  [/^@/, 'variables (@name = value) are not supported. Write the values out.'],
  [/^[<>]/, 'scripts and files are not supported. Write the request itself.'],
  [
    /^[ \t]/,
    'the line begins with white space. Write the request target, and each header, on one line of its own.',
  ],
];

/** Problems with a path and its query. The first row that matches applies. */
const TARGET_PROBLEMS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^[^/]/, 'the path must begin with "/".'],
  [/#/, 'remove "#" and what follows it: a fragment is not sent.'],
  [/%(?![\dA-Fa-f]{2})/, '"%" must be followed by two hexadecimal digits. Write %25 for the sign itself.'],
];

/** The text of the first row whose pattern matches. */
const firstMatch = (
  text: string,
  rows: readonly (readonly [pattern: RegExp, what: string])[],
): string | undefined => rows.find(([pattern]) => pattern.test(text))?.[1];

const isComment = ({ text }: NumberedLine): boolean => /^(?:#(?!##)|\/\/)/.test(text);
const isBlank = ({ text }: NumberedLine): boolean => text.trim() === '';

function readMethod(word: string, addProblem: (what: string) => void): string {
  const method = word.toUpperCase();
  if (METHODS.includes(method)) return method;
  const meant = nearest(method, METHODS);
  const known =
    meant === undefined
      ? `It must be ${METHODS.slice(0, -1).join(', ')} or ${METHODS.at(-1)}.`
      : `Did you mean ${meant}?`;
  // A longer word may be anything, even a secret.
  const shown = word.length > LONGEST_METHOD ? 'the first word' : quote(word);
  addProblem(`${shown} is not a method that an API has. ${known}`);
  return method;
}

type RequestTarget = Pick<HttpRequest, 'path' | 'query'> & Readonly<{ host?: string }>;

/** Reads a path with a query, or a URL, whose host becomes the Host header. */
function readTarget(word: string, addProblem: (what: string) => void): RequestTarget {
  const [, host, afterHost = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(word) ?? [];
  if (host?.includes('@')) {
    addProblem('a user name in a URL is not sent. Remove it, or write an Authorization header.');
  }
  // A browser or curl encodes these too.
  const written = (host === undefined ? word : afterHost.replace(/^(?!\/)/, '/')).toWellFormed();
  const encoded = written.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  const problem = firstMatch(encoded, TARGET_PROBLEMS);
  if (problem !== undefined) addProblem(problem);
  const mark = encoded.indexOf('?');
  return {
    ...(mark === -1
      ? { path: encoded, query: '' }
      : { path: encoded.slice(0, mark), query: encoded.slice(mark + 1) }),
    ...(host && { host }),
  };
}

/** Reads `GET /health?deep=1`, with or without the HTTP version after it. */
function readRequestLine(
  { text, number }: NumberedLine,
  addProblem: AddLineProblem,
): (RequestTarget & { method: string }) | undefined {
  const add = (what: string): void => addProblem(number, what);
  const words = text.trim().split(/[ \t]+/);
  if (/^HTTP\/\d(?:\.\d)?$/i.test(words.at(-1) ?? '')) words.pop();
  const [method = '', target, ...more] = words;
  if (/^(?:\/|https?:)/i.test(method)) {
    add(`begin with the method, ${EXAMPLE}.`);
    return undefined;
  }
  if (target === undefined && /\.(?:http|rest)$/i.test(method)) {
    add('this looks like the path of a file. Write the request itself.');
    return undefined;
  }
  const known = readMethod(method, add);
  if (target === undefined) add(`the path is missing. Write it after the method, ${EXAMPLE}.`);
  if (more.length > 0) add('the path has white space in it. Write %20 for a space.');
  return target === undefined || more.length > 0 ? undefined : { method: known, ...readTarget(target, add) };
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const CONTROL = /[^\P{Cc}\t]/u;

function readHeader({ text, number }: NumberedLine, addProblem: AddLineProblem): Header[] {
  const colon = text.indexOf(':');
  if (colon === -1) {
    addProblem(
      number,
      'a header needs a colon, as in "name: value". Put an empty line in front of the body.',
    );
    return [];
  }
  const name = text.slice(0, colon);
  const value = text.slice(colon + 1).trim();
  if (!HEADER_NAME.test(name)) {
    addProblem(
      number,
      'the name of a header has letters, digits and dashes only, and no space before the colon.',
    );
    return [];
  }
  if (CONTROL.test(value)) addProblem(number, 'a header can have no control characters.');
  return [[name, value]];
}

/** Refuses what a .http file can have after a request, and a body in a file. */
function checkBody(lines: readonly NumberedLine[], addProblem: AddLineProblem): void {
  const [first] = lines.filter((line) => !isBlank(line));
  if (first !== undefined && /^<@?[ \t]/.test(first.text)) {
    addProblem(first.number, 'a body in a file is not supported. Write the body itself.');
  }
  for (const { text, number } of lines) {
    if (text.startsWith('###'))
      addProblem(number, '"###" begins another request. http_request supports only one.');
    if (/^>[ \t]*\{%/.test(text)) addProblem(number, 'response handlers are not supported. Use expect.');
  }
}

/** Reads the part before the body: the request line, headers and comments. */
function readHead(
  [requestLine, ...rest]: readonly NumberedLine[],
  addProblem: AddLineProblem,
): Omit<HttpRequest, 'body'> | undefined {
  const isSupported = ({ text, number }: NumberedLine): boolean => {
    const problem = firstMatch(text, UNSUPPORTED);
    if (problem !== undefined) addProblem(number, problem);
    return problem === undefined;
  };
  const target =
    requestLine && isSupported(requestLine) ? readRequestLine(requestLine, addProblem) : undefined;
  const headers = rest
    .filter((line) => !isComment(line) && isSupported(line))
    .flatMap((line) => readHeader(line, addProblem));
  if (target === undefined) return undefined;
  const { host, ...known } = target;
  const hasHost = host === undefined || headers.some(([name]) => name.toLowerCase() === 'host');
  return { ...known, headers: hasHost ? headers : [['Host', host], ...headers] };
}

/**
 * Reads a request in the syntax of .http files. Comments and empty lines before it are skipped, and the last line end
 * is not part of the body. Undefined if there are problems. No problem quotes a path, a header or the body.
 */
export function parseHttpRequest(text: string, problems: Problems): HttpRequest | undefined {
  const found: string[] = [];
  const addProblem: AddLineProblem = (line, what) => found.push(`http_request, line ${line}: ${what}`);
  const written = text.split('\n');
  const lines = written.map((line, at) => ({ text: line.replace(/\r$/, ''), number: at + 1 }));
  const start = lines.findIndex((line) => !isBlank(line) && !/^(?:#|\/\/)/.test(line.text));
  if (start === -1) {
    problems.add(`http_request has no request line. Begin with a method and a path, ${EXAMPLE}.`);
    return undefined;
  }
  const length = lines.slice(start).findIndex(isBlank);
  const end = length === -1 ? lines.length : start + length;
  const head = readHead(lines.slice(start, end), addProblem);
  checkBody(lines.slice(end + 1), addProblem);
  for (const problem of found) problems.add(problem);
  if (head === undefined || found.length > 0) return undefined;
  return {
    ...head,
    body: written
      .slice(end + 1)
      .join('\n')
      .replace(/\r?\n$/, ''),
  };
}
