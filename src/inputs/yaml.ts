import type { CST, ErrorCode, Scalar, YAMLError, YAMLMap } from 'yaml';
import { quote } from './problems.ts';

/** Adds a problem at an offset of the text. It is about the entry there, or about `entry`, where 0 is the list. */
export type AddProblem = (offset: number, what: string, entry?: number) => void;

/** Loads the library's parts by name, so that the bundle leaves out the others. */
export async function loadYaml() {
  const { Composer, isAlias, isCollection, isMap, isNode, isScalar, isSeq, LineCounter, Parser } =
    await import('yaml');
  return { Composer, isAlias, isCollection, isMap, isNode, isScalar, isSeq, LineCounter, Parser };
}

/** The library, the collector of problems, and functions that find the line and the entry of an offset. */
export type YamlReader = Readonly<{
  yaml: Awaited<ReturnType<typeof loadYaml>>;
  addProblem: AddProblem;
  lineAt: (offset: number) => number;
  entryAt: (offset: number) => number;
}>;

// The library is recursive. A file that payload_file names is not read with it and can be nested deeper.
const MOST_LEVELS = 500;

const REFERENCE = 'anchors (&) and aliases (*) are not supported. Write the value out.';
const MERGE = 'merge keys (<<) are not supported. Write the keys and values out.';
const TAG = 'this tag (!) is not supported or does not fit its value. Remove it.';
const TOO_DEEP = `values are nested more than ${MOST_LEVELS} levels deep. Give such an event as payload_file.`;
const NOT_FINITE = 'JSON has no infinity and no "not a number". Write a number or null.';

// The library's own messages for these errors quote the text, which may contain a secret.
const OWN_WORDS: Partial<Record<ErrorCode, string>> = {
  BAD_DQ_ESCAPE:
    'the YAML is not valid: in double quotes a backslash starts an escape, and YAML has no such escape. Write two backslashes for one, or use single quotes.',
  BAD_SCALAR_START: 'the YAML is not valid: a text that starts with @ ` % , | or > needs quotes.',
  TAG_RESOLVE_FAILED: TAG,
};

const INDENTED_ALIKE =
  'indent all keys of an entry alike, write a space after each ":", and put a text that contains ": " in quotes.';

// The library's messages for common mistakes name its own concepts. The first row that matches applies.
const PLAIN_WORDS: readonly (readonly [message: RegExp, what: string])[] = [
  [/^(?:Nested mappings are|Implicit keys need|All (?:collection|mapping) items)/, INDENTED_ALIKE],
  [
    /^Sequence item without - indicator/,
    'this line is indented less than its entry. Indent all keys of an entry alike.',
  ],
  [/^Flow map .*end with/, 'a "}" is missing, or a line inside the braces is not indented.'],
  [/^Flow sequence .*end with/, 'a "]" is missing, or a line inside the brackets is not indented.'],
  [/^Implicit map keys need/, 'a ":" and a value are missing after this key.'],
  [/^Missing closing ["']/, 'the quote at the end of a text is missing.'],
  [/^Block collections are not allowed within flow/, 'a comma is missing before this.'],
];

/** A syntax error of the library, in words that never quote the text. */
export function syntaxProblem({ code, message }: YAMLError): string {
  const plain = PLAIN_WORDS.find(([pattern]) => pattern.test(message))?.[1];
  const words = plain ?? `${message.replace(/(?<=\w): .*$/s, '')}.`;
  return OWN_WORDS[code] ?? `the YAML is not valid: ${words}`;
}

function refuseAnchors(tokens: readonly CST.SourceToken[], addProblem: AddProblem): void {
  for (const { type, offset } of tokens) if (type === 'anchor') addProblem(offset, REFERENCE);
}

/**
 * Refuses anchors, aliases and merge keys, which must never be resolved. It reads tokens without recursion, so neither
 * their number nor their depth can exhaust memory. False if the text is nested too deep to continue.
 */
export function checkTokens(document: CST.Document, addProblem: AddProblem): boolean {
  refuseAnchors(document.start, addProblem);
  const left: { token: CST.Token | null | undefined; level: number }[] = [
    { token: document.value, level: 1 },
  ];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { token, level } = next;
    if (token?.type === 'alias') addProblem(token.offset, REFERENCE);
    if (!token || !('items' in token)) continue;
    if (level > MOST_LEVELS) {
      addProblem(token.offset, TOO_DEEP);
      return false;
    }
    for (const { start, key, sep, value } of token.items) {
      const isMerge = key?.type === 'scalar' && key.source === '<<';
      refuseAnchors(start, addProblem);
      left.push({ token: key, level: level + 1 });
      if (isMerge) addProblem(key.offset, MERGE);
      else {
        refuseAnchors(sep ?? [], addProblem);
        left.push({ token: value, level: level + 1 });
      }
    }
  }
  return true;
}

// The library's own float needs a fraction or an exponent. This tag is after the one for integers in the list, so it
// matches only a tagged text: !!float 5.
const WHOLE_FLOAT = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^[-+]?\d+$/,
  resolve: Number,
} as const;

/** How the library composes nodes: YAML 1.2's core schema, and duplicate keys are reported by `pairsOf`. */
export const COMPOSER_OPTIONS = {
  schema: 'core',
  customTags: [WHOLE_FLOAT],
  resolveKnownTags: false,
  uniqueKeys: false,
} satisfies ConstructorParameters<typeof import('yaml').Composer>[0];

/** The text of a scalar, with every digit of a number and all leading zeros. */
export const textOf = ({ source = '' }: Scalar): string => source;

const TEXT_TAGS: readonly string[] = ['!', 'tag:yaml.org,2002:str'];

/** Whether a scalar has a tag that is not of the core schema or does not fit; the library reads it as a string. */
export const isMistagged = ({ tag, value }: Scalar): boolean =>
  tag !== undefined && typeof value === 'string' && !TEXT_TAGS.includes(tag);

/** Whether a scalar is an integer with leading zeros, for example an account ID. It keeps them as a string. */
const hasLeadingZeros = ({ tag, source = '' }: Scalar): boolean =>
  tag === undefined && /^[-+]?0\d+$/.test(source);

/** A number in the syntax of JSON, with all its digits. */
const jsonNumber = (source: string): string =>
  source
    .replace(/^\+/, '')
    .replace(/^(?<sign>-?)0+(?=\d)/, '$<sign>')
    .replace(/^(?<sign>-?)(?=\.)/, '$<sign>0')
    .replace(/\.(?!\d)/, '');

/** The JSON text of a scalar; undefined if JSON has no such value. Numbers keep all digits of the text. */
function scalarJson(scalar: Scalar): string | undefined {
  const { value, source = '', format } = scalar;
  if (typeof value !== 'number') return JSON.stringify(value);
  if (hasLeadingZeros(scalar)) return JSON.stringify(source);
  if (format === 'HEX' || format === 'OCT') return String(BigInt(source));
  return /\d/.test(source) ? jsonNumber(source) : undefined;
}

/** The offset of a node in the text. */
export const offsetOf = (node: unknown, { yaml }: YamlReader): number =>
  (yaml.isNode(node) ? node.range?.[0] : 0) ?? 0;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'a boolean',
  number: 'a number',
};

/** What a node is, worded to follow "this is". */
export function describeNode(node: unknown, { yaml }: YamlReader): string {
  if (yaml.isMap(node)) return 'a mapping';
  if (yaml.isSeq(node)) return 'a list';
  return (yaml.isScalar(node) ? KINDS[typeof node.value] : undefined) ?? 'nothing';
}

/** Whether a node has no tag or a fitting tag. Adds a problem for a tag that does not fit. */
export function hasFittingTag(node: unknown, reader: YamlReader): boolean {
  const { yaml, addProblem } = reader;
  const own = `tag:yaml.org,2002:${yaml.isMap(node) ? 'map' : 'seq'}`;
  const fits = yaml.isScalar(node)
    ? !isMistagged(node)
    : !yaml.isCollection(node) || node.tag === undefined || node.tag === own;
  if (!fits) addProblem(offsetOf(node, reader), TAG);
  return fits;
}

/** A key of a mapping, its place and its value. */
type Pair = Readonly<{ key: string; offset: number; value: unknown }>;

/** The pairs of a mapping, with keys as texts. Adds a problem for a duplicate key. */
export function* pairsOf(map: YAMLMap, reader: YamlReader): Generator<Pair> {
  const { yaml, addProblem, lineAt } = reader;
  const seen = new Map<string, number>();
  for (const { key, value } of map.items) {
    const offset = offsetOf(key, reader);
    // checkTokens has already refused these.
    if (yaml.isAlias(key) || (yaml.isScalar(key) && key.type === 'PLAIN' && textOf(key) === '<<')) continue;
    if (!yaml.isScalar(key)) {
      addProblem(offset, `a key must be a text; this is ${describeNode(key, reader)}.`);
      continue;
    }
    if (!hasFittingTag(key, reader)) continue;
    const text = textOf(key);
    const first = seen.get(text);
    if (first === undefined) {
      seen.set(text, offset);
      yield { key: text, offset, value };
    } else {
      addProblem(offset, `the key ${quote(text)} is already on line ${lineAt(first)}. Remove one of them.`);
    }
  }
}

/** The JSON text of a node, with all digits of numbers and its keys in order. The depth was checked before. */
export function jsonOf(node: unknown, reader: YamlReader): string {
  const { yaml, addProblem } = reader;
  if (!hasFittingTag(node, reader)) return 'null';
  if (yaml.isScalar(node)) {
    const json = scalarJson(node);
    if (json === undefined) addProblem(offsetOf(node, reader), NOT_FINITE);
    return json ?? 'null';
  }
  if (yaml.isSeq(node)) return `[${node.items.map((item) => jsonOf(item, reader)).join(',')}]`;
  // Either an alias, which checkTokens has refused, or a key without a value.
  if (!yaml.isMap(node)) return 'null';
  const members = Array.from(
    pairsOf(node, reader),
    ({ key, value }) => `${JSON.stringify(key)}:${jsonOf(value, reader)}`,
  );
  return `{${members.join(',')}}`;
}
