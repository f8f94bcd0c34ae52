// Minifies a bundle in place, with its chunks, which ncc does not minify.
// Usage: node script/minify.ts FOLDER
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { minifySync, parseSync } from '@swc/core';

type Node = Readonly<Record<string, unknown>>;
type Span = Readonly<{ start: number; end: number }>;

const PARENTHESIS = '('.charCodeAt(0);

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;
const isSpan = (value: unknown): value is Span => isNode(value) && 'start' in value && 'end' in value;
const typeOf = (value: unknown): unknown => (isNode(value) ? value['type'] : undefined);

const isFunction = (node: unknown): boolean =>
  ['ArrowFunctionExpression', 'FunctionExpression'].includes(String(typeOf(node)));

/** The wanted nodes in a node, without those inside functions. */
function outermost(node: unknown, isWanted: (node: Node) => boolean): Node[] {
  if (!isNode(node)) return [];
  if (isWanted(node)) return [node];
  return isFunction(node) || /Method|Getter|Setter|FunctionDeclaration|Constructor/.test(String(typeOf(node)))
    ? []
    : Object.values(node).flatMap((part) => outermost(part, isWanted));
}

/** The functions that webpack wraps modules in: the values of numeric keys. */
function moduleFunctions(node: unknown): Node[] {
  if (!isNode(node)) return [];
  const { key, value } = node;
  return typeOf(key) === 'NumericLiteral' && isNode(value) && typeOf(value) === 'ArrowFunctionExpression'
    ? [value]
    : Object.values(node).flatMap(moduleFunctions);
}

const spanOf = ({ span }: Node): Span[] => (isSpan(span) ? [span] : []);

/**
 * Puts parentheses around the functions of modules, and around the functions right inside them. Webpack writes the
 * former, and the minifier removes them. V8 takes parentheses as a sign that a function is called soon, and parses it once
 * instead of twice. That saves a tenth of the startup.
 */
function parenthesize(code: string): string {
  const bytes = Buffer.from(code);
  const program = parseSync(code, { syntax: 'ecmascript', target: 'es2024' });
  const modules = moduleFunctions(program.body);
  const inside = modules.flatMap((made) => outermost(made['body'], isFunction));
  // swc's offsets are in bytes and run on from one parsed file to the next.
  const marks = [...modules, ...inside]
    .flatMap(spanOf)
    .map(({ start, end }) => ({ start: start - program.span.start, end: end - program.span.start }))
    .filter(({ start }) => bytes[start - 1] !== PARENTHESIS)
    .flatMap(({ start, end }) => [
      { at: start, sign: '(' },
      { at: end, sign: ')' },
    ])
    .sort((one, other) => one.at - other.at);
  const parts = marks.map(({ at, sign }, n) => `${bytes.toString('utf8', marks[n - 1]?.at ?? 0, at)}${sign}`);
  return `${parts.join('')}${bytes.toString('utf8', marks.at(-1)?.at ?? 0)}`;
}

/**
 * Code that is removed before the code is minified, and its replacement. Without their registration, the minifier removes
 * unused classes and schemas too.
 */
const CUTS: readonly Readonly<{ unless?: RegExp; found: RegExp; put: string }>[] = [
  {
    // The clients' own errors. The SDK gives an error that it does not know the same name, message and fields, as an
    // instance of a more general class: 30 KB and 1 ms of every start. Not so for a client of the query protocol: its
    // errors are XML, and their schemas say where the message is.
    unless: /^class AwsQueryProtocol /m,
    found: /^\w*n0_registry\.registerError\(.*\);$/gm,
    put: '',
  },
  {
    // Node.js always has SHA-256, so the SDK's own, for browsers without it, is not needed.
    found: /\bhasNativeCrypto \? buildNativeClass\(\) : \w+(?:\/\*.*?\*\/\.\w+)?/g,
    put: 'buildNativeClass()',
  },
  {
    // Nothing sends an event stream (script/aliases/@smithy/core), so no headers of events are signed.
    found: /^ {4}headerFormatter = new HeaderFormatter\(\);$/gm,
    put: '',
  },
  {
    // A response is a stream of Node.js. For any other, the SDK tries a function for browsers before it throws.
    found: /^ {12}return sdkStreamMixin\(stream\);$/gm,
    put: 'throw stream;',
  },
  {
    // The last functions of the toolkit's summary write HTML. This action writes its own Markdown.
    found: /^ {4}addCodeBlock\(code, lang\) \{[\s\S]*?^\}$/gm,
    put: '}',
  },
  {
    // The promises of node:fs take 1 ms to load. Most steps use none of them, so they are loaded with the first use.
    found: /^module\.exports = require\("(?:node:)?fs\/promises"\);$/gm,
    put: 'module.exports = new Proxy({}, { get: (_, name) => require("node:fs").promises[name] });',
  },
  {
    // Every client reads AWS's configuration files, which are small. Reading them asynchronously needs Node.js's threads.
    // A pipe without a writer would block the process, which then could not be cancelled.
    found: /\(0,(\w+)\.readFile\)\(path, "utf8"\)/g,
    put:
      '(async (fs) => fs.statSync(path).isFile() ? fs.readFileSync(path, "utf8") : $1.readFile(path, "utf8"))' +
      '(require("node:fs"))',
  },
  {
    // Every step writes a summary once, after the request, so it can be written synchronously.
    found: /^const \{ access, appendFile, writeFile \} = (\w+)\.promises;$/gm,
    put:
      'const [access, appendFile, writeFile] = ["accessSync", "appendFileSync", "writeFileSync"]' +
      '.map((name) => async (...args) => $1[name](...args));',
  },
  {
    // Reading the global `crypto` loads the web's cryptography. The function of node:crypto makes the same identifiers.
    found: /^const v4 = bindV4\(_getRandomValues\);$/gm,
    put: 'const v4 = () => require("node:crypto").randomUUID();',
  },
];

/** Makes the cuts in the code of a file. Tests of the bundle see that there was something to cut. */
const trimmed = (code: string): string =>
  CUTS.filter(({ unless }) => unless?.test(code) !== true).reduce(
    (text, { found, put }) => text.replace(found, put),
    code,
  );

/** The classes that are known by their names: commands, errors, and the SDK's logger that prints nothing. */
const NAMED = /^class (\w*(?:Command|Error|Exception|Logger))\b/gm;

const [folder = ''] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
  const file = path.join(folder, name);
  const trimmedCode = trimmed(readFileSync(file, 'utf8'));
  const { code } = minifySync(trimmedCode, {
    // Nothing but webpack's exports can be seen from outside a file.
    toplevel: true,
    // The schemas of commands that are never called disappear only after many passes: 0 repeats them until nothing changes.
    compress: { passes: 0 },
    mangle: { reserved: [...trimmedCode.matchAll(NAMED)].map(([, name = '']) => name) },
  });
  writeFileSync(file, parenthesize(code));
}
