import leven from 'leven';
import type { CST, ErrorCode, Scalar, YAMLError, YAMLMap } from 'yaml';
import { grouped } from '../shared/figures.ts';
import { looksLikePath } from './path-text.ts';
import { type Problems, quote } from './problems.ts';
import { INPUT_DEFAULTS } from './schema.ts';

/** The inputs that an entry may give for itself. */
export const ENTRY_INPUTS = [
  'function_name',
  'payload',
  'payload_file',
  'qualifier',
  'invocation_type',
  'log_type',
  'client_context',
  'tenant_id',
  'durable_execution_name',
  'region',
] as const;
/** An input that an entry may give for itself. */
export type EntryInput = (typeof ENTRY_INPUTS)[number];

/**
 * One entry of the list: the texts it gives, as the step's inputs would have them, and where it stands,
 * `number` in the list and `line` in the input's text, both from 1.
 */
export type ListedEntry = Readonly<{
  values: Readonly<Partial<Record<EntryInput, string>>>;
  number: number;
  line: number;
}>;

const MOST_ENTRIES = 100_000;
// The library descends by recursion. What payload_file names is not read by it and may be deeper.
const MOST_LEVELS = 500;
const NEAR = 4;
const NATIVE: ReadonlySet<EntryInput> = new Set(['payload', 'client_context']);

type Library = typeof import('yaml');
/** Takes down what is wrong at an offset of the text: in the entry there, or in `entry`, 0 for the list. */
type Note = (offset: number, what: string, entry?: number) => void;
/** The library, where to note problems, and the line or entry that an offset of the text is in. */
type Reader = Readonly<{
  yaml: Library;
  note: Note;
  lineAt: (offset: number) => number;
  entryAt: (offset: number) => number;
}>;

const REFERENCE = 'anchors (&) and aliases (*) are not taken here. Write the value out.';
const MERGE = 'merge keys (<<) are not taken here. Write the keys and values out.';
const TAG = 'this tag (!) is not known here or does not fit its value. Remove it.';
const TOO_DEEP = `values are nested more than ${MOST_LEVELS} levels deep. Give such an event as payload_file.`;

// What the library says of these repeats a piece of the text, which may be a secret's.
const OWN_WORDS: Partial<Record<ErrorCode, string>> = {
  BAD_DQ_ESCAPE:
    'the YAML is not valid: in double quotes a backslash starts an escape, and YAML has no such escape. Write two backslashes for one, or take single quotes.',
  BAD_SCALAR_START: 'the YAML is not valid: a text that starts with @ ` % , | or > needs quotes.',
  TAG_RESOLVE_FAILED: TAG,
};
// Found by this module itself, at the same places.
const FOUND_HERE: ReadonlySet<ErrorCode> = new Set(['ALIAS_PROPS', 'BAD_ALIAS', 'BAD_DIRECTIVE']);

function syntaxProblem({ code, message }: YAMLError): string {
  return OWN_WORDS[code] ?? `the YAML is not valid: ${message.replace(/(?<=\w): .*$/s, '')}.`;
}

function noteAnchors(tokens: readonly CST.SourceToken[], note: Note): void {
  for (const { type, offset } of tokens) if (type === 'anchor') note(offset, REFERENCE);
}

/**
 * Notes what must never be resolved: anchors, aliases, merge keys. It looks at tokens and has no recursion,
 * so neither their number nor their depth can do harm. False where the text is too deep to be read on.
 */
function checkTokens(document: CST.Document, note: Note): boolean {
  noteAnchors(document.start, note);
  const left: { token: CST.Token | null | undefined; level: number }[] = [
    { token: document.value, level: 1 },
  ];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { token, level } = next;
    if (token?.type === 'alias') note(token.offset, REFERENCE);
    if (!token || !('items' in token)) continue;
    if (level > MOST_LEVELS) {
      note(token.offset, TOO_DEEP);
      return false;
    }
    for (const { start, key, sep, value } of token.items) {
      const isMerge = key?.type === 'scalar' && key.source === '<<';
      noteAnchors(start, note);
      left.push({ token: key, level: level + 1 });
      if (isMerge) note(key.offset, MERGE);
      else {
        noteAnchors(sep ?? [], note);
        left.push({ token: value, level: level + 1 });
      }
    }
  }
  return true;
}

/** The offset at which each entry begins, its dash or the comma before it included. */
function entryStarts(list: CST.Token | undefined): number[] {
  if (list?.type === 'block-seq') {
    return list.items.flatMap(({ start }) => start.find(({ type }) => type === 'seq-item-ind')?.offset ?? []);
  }
  if (list?.type !== 'flow-collection' || list.start.source !== '[') return [];
  return list.items
    .filter(({ key, sep, value }) => key || sep || value)
    .map(({ start }) => start.find(({ type }) => type === 'comma')?.offset ?? list.offset + 1);
}

const CORE_TAG = 'tag:yaml.org,2002:';

/** A number as JSON writes it, with every digit it has. */
const jsonNumber = (source: string): string =>
  source
    .replace(/^\+/, '')
    .replace(/^(?<sign>-?)0+(?=\d)/, '$<sign>')
    .replace(/^(?<sign>-?)(?=\.)/, '$<sign>0')
    .replace(/\.(?!\d)/, '');

type Kind = 'str' | 'null' | 'bool' | 'digits' | 'int' | 'float';
/** What a scalar means; `json` is undefined where JSON can't say it. */
type Meaning = Readonly<{ kind: Kind; json: string | undefined }>;

/**
 * What a plain scalar means; anything else is a string. Source: YAML 1.2.2, section 10.3.2, core schema, but
 * an integer with leading zeros is an account number, say, and keeps them as a string.
 */
const PLAIN: readonly (readonly [
  kind: Kind,
  pattern: RegExp,
  json: (source: string) => string | undefined,
])[] = [
  ['null', /^(?:|~|null|Null|NULL)$/, () => 'null'],
  ['bool', /^(?:true|True|TRUE|false|False|FALSE)$/, (source) => source.toLowerCase()],
  ['digits', /^[-+]?0\d+$/, (source) => JSON.stringify(source)],
  ['int', /^[-+]?\d+$/, jsonNumber],
  ['int', /^0(?:o[0-7]+|x[\dA-Fa-f]+)$/, (source) => String(BigInt(source))],
  ['float', /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[Ee][-+]?\d+)?$/, jsonNumber],
  ['float', /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/, () => undefined],
];

const textOf = (scalar: Scalar): string => String(scalar.value);

/** Undefined where the scalar has a tag that is not of the core schema or does not fit. */
function meaningOf(scalar: Scalar): Meaning | undefined {
  const text = textOf(scalar);
  const { tag = scalar.type === 'PLAIN' ? '' : '!' } = scalar;
  if (tag === '!' || tag === `${CORE_TAG}str`) return { kind: 'str', json: JSON.stringify(text) };
  const found = PLAIN.find(
    ([kind, pattern]) => (tag === '' || tag === `${CORE_TAG}${kind}`) && pattern.test(text),
  );
  if (found) return { kind: found[0], json: found[2](text) };
  return tag === '' ? { kind: 'str', json: JSON.stringify(text) } : undefined;
}

const KINDS: Readonly<Record<Kind, string>> = {
  str: 'a text',
  null: 'nothing',
  bool: 'a boolean',
  digits: 'a number',
  int: 'a number',
  float: 'a number',
};

function describe(node: unknown, { yaml }: Reader): string {
  if (yaml.isMap(node)) return 'a mapping';
  if (yaml.isSeq(node)) return 'a list';
  return KINDS[(yaml.isScalar(node) ? meaningOf(node)?.kind : undefined) ?? 'null'];
}

const offsetOf = (node: unknown, { yaml }: Reader): number => (yaml.isNode(node) ? node.range?.[0] : 0) ?? 0;

/** Whether a collection has no tag or its own; one that it can't have is noted. */
function isUntagged(node: unknown, reader: Reader): boolean {
  const { yaml, note } = reader;
  const own = `${CORE_TAG}${yaml.isMap(node) ? 'map' : 'seq'}`;
  const isFit = !yaml.isCollection(node) || node.tag === undefined || node.tag === own;
  if (!isFit) note(offsetOf(node, reader), TAG);
  return isFit;
}

/** The keys of a mapping, as texts, each once. */
function* pairsOf(
  map: YAMLMap,
  reader: Reader,
): Generator<Readonly<{ key: string; offset: number; value: unknown }>> {
  const { yaml, note, lineAt } = reader;
  const seen = new Map<string, number>();
  for (const { key, value } of map.items) {
    const offset = offsetOf(key, reader);
    if (yaml.isAlias(key)) continue;
    if (!yaml.isScalar(key)) {
      note(offset, `a key must be a text; this is ${describe(key, reader)}.`);
      continue;
    }
    const text = textOf(key);
    const first = seen.get(text);
    if (text === '<<' && key.type === 'PLAIN') continue;
    if (meaningOf(key) === undefined) note(offset, TAG);
    else if (first !== undefined) {
      note(offset, `the key ${quote(text)} is there already, on line ${lineAt(first)}. Remove one of them.`);
    } else {
      seen.set(text, offset);
      yield { key: text, offset, value };
    }
  }
}

/** The JSON text of a scalar; what JSON can't say is noted. */
function scalarJson(scalar: Scalar, reader: Reader): string {
  const meaning = meaningOf(scalar);
  if (meaning?.json === undefined) {
    const what = meaning ? 'JSON has no infinity and no "not a number". Write a number or null.' : TAG;
    reader.note(offsetOf(scalar, reader), what);
  }
  return meaning?.json ?? 'null';
}

/** The JSON text of a node, digit for digit, its keys in their order. */
function jsonOf(node: unknown, reader: Reader): string {
  const { yaml } = reader;
  if (yaml.isScalar(node)) return scalarJson(node, reader);
  if (!isUntagged(node, reader)) return 'null';
  if (yaml.isSeq(node)) return `[${node.items.map((item) => jsonOf(item, reader)).join(',')}]`;
  // An alias, noted before; or nothing, where a key stands alone.
  if (!yaml.isMap(node)) return 'null';
  const members = Array.from(
    pairsOf(node, reader),
    ({ key, value }) => `${JSON.stringify(key)}:${jsonOf(value, reader)}`,
  );
  return `{${members.join(',')}}`;
}

/** An input's text, '' where it is not given; undefined where it can't be that input's and that was noted. */
function readInput(
  { input, offset, value }: Readonly<{ input: EntryInput; offset: number; value: unknown }>,
  reader: Reader,
): string | undefined {
  const { yaml, note } = reader;
  const meaning = yaml.isScalar(value) ? meaningOf(value) : undefined;
  if (yaml.isScalar(value) && meaning?.kind === 'str') return textOf(value).trim();
  if (NATIVE.has(input)) return jsonOf(value, reader);
  if (yaml.isAlias(value)) return undefined;
  if (yaml.isScalar(value) && meaning === undefined) note(offsetOf(value, reader), TAG);
  else if (value === null || meaning?.kind === 'null') {
    note(offset, `${input} has no value. Give it one, or remove the key.`);
  } else if (yaml.isScalar(value)) return textOf(value);
  else note(offsetOf(value, reader), `${input} must be a text; this is ${describe(value, reader)}.`);
  return undefined;
}

const EVERY_INPUT = `An entry takes ${ENTRY_INPUTS.slice(0, -1).join(', ')} and ${ENTRY_INPUTS.at(-1)}.`;

function unknownKey(key: string): string {
  if (Object.hasOwn(INPUT_DEFAULTS, key)) {
    return `${key} is set for the whole step. Move it out of the entry, into "with:".`;
  }
  const [nearest] = ENTRY_INPUTS.map((input) => ({ input, distance: leven(key, input) })).sort(
    (a, b) => a.distance - b.distance,
  );
  const meant = nearest && nearest.distance < NEAR ? ` (did you mean "${nearest.input}"?)` : '';
  return `there is no key ${quote(key)}${meant}. ${EVERY_INPUT}`;
}

function readEntry(node: unknown, reader: Reader): ListedEntry['values'] {
  const { yaml, note } = reader;
  const values: Partial<Record<EntryInput, string>> = {};
  if (yaml.isAlias(node) || !isUntagged(node, reader)) return values;
  if (!yaml.isMap(node)) {
    note(
      offsetOf(node, reader),
      `an entry must be a mapping, such as "function_name: my-function"; this is ${describe(node, reader)}. Write {} for an entry that takes everything from the step's inputs.`,
    );
    return values;
  }
  const given = new Map<EntryInput, number>();
  for (const { key, offset, value } of pairsOf(node, reader)) {
    const input = ENTRY_INPUTS.find((name) => name === key);
    if (input === undefined) {
      note(offset, unknownKey(key));
      continue;
    }
    const text = readInput({ input, offset, value }, reader);
    if (text !== '') given.set(input, offset);
    if (text !== undefined && text !== '') values[input] = text;
  }
  const [payload, file] = [given.get('payload'), given.get('payload_file')];
  if (payload !== undefined && file !== undefined) {
    note(Math.max(payload, file), 'payload and payload_file are both given. Remove one of them.');
  }
  return values;
}

/** The nodes of the entries; a text that is no list of entries is noted. */
function readList(root: unknown, { note: noteAt, ...others }: Reader): readonly unknown[] {
  const note: Note = (offset, what) => noteAt(offset, what, 0);
  const reader = { ...others, note };
  const { yaml } = reader;
  const offset = offsetOf(root, reader);
  if (yaml.isAlias(root) || !isUntagged(root, reader)) return [];
  if (yaml.isScalar(root) && looksLikePath(textOf(root).trim())) {
    note(offset, 'this looks like a path. invocations takes the list itself.');
    return [];
  }
  if (!yaml.isSeq(root)) {
    note(
      offset,
      `it must be a list of entries; this is ${describe(root, reader)}. Start every entry with "- ".`,
    );
    return [];
  }
  if (root.items.length === 0) note(offset, 'the list is empty. Give at least one entry.');
  return root.items;
}

/** Notes directives, further documents, too many entries and what checkTokens refuses; false where to stop. */
function checkStream(tokens: readonly CST.Token[], note: Note): boolean {
  const documents = tokens.filter((token) => token.type === 'document');
  for (const token of tokens) {
    if (token.type === 'directive' && !/^%YAML[ \t]+1\.2[ \t]*$/.test(token.source)) {
      note(token.offset, 'directives (%) are not taken here. Remove the line.');
    }
  }
  const [first, second] = documents;
  if (second) note(second.offset, 'a second document begins here. Give one list, without "---" in it.');
  const starts = entryStarts(first?.value);
  const excess = starts[MOST_ENTRIES];
  if (excess !== undefined) {
    const [most, count] = [MOST_ENTRIES, starts.length].map((number) => grouped(number));
    note(excess, `a list takes at most ${most} entries; this one has ${count}. Split it.`);
    return false;
  }
  return documents.map((document) => checkTokens(document, note)).every((isBounded) => isBounded);
}

/** What the library finds wrong with the syntax, in the order of the text. */
const syntaxErrors = (documents: readonly Readonly<{ errors: YAMLError[]; warnings: YAMLError[] }>[]) =>
  documents
    .flatMap(({ errors, warnings }) => [...errors, ...warnings])
    .filter(({ code, message }) => !FOUND_HERE.has(code) && !message.startsWith('Unresolved tag: '))
    .sort((a, b) => a.pos[0] - b.pos[0]);

/** The offset of a tab in the indentation, where the first mistake is there. The others follow from that one. */
function findTab(source: string, [first]: readonly YAMLError[]): number | undefined {
  // JSON may be indented by tabs.
  if (first === undefined || /^\s*[[{]/.test(source)) return undefined;
  const [offset] = first.pos;
  if (first.code === 'TAB_AS_INDENT' || source[offset] === '\t') return offset;
  const start = source.lastIndexOf('\n', offset - 1) + 1;
  const isIndented = first.code !== 'MISSING_CHAR' && /^ *\t\s*$/.test(source.slice(start, offset));
  return isIndented ? source.indexOf('\t', start) : undefined;
}

/** Reads the entries out of tokens that were checked, and notes what the library finds wrong with them. */
function readEntries(tokens: readonly CST.Token[], source: string, reader: Reader): ListedEntry[] {
  const { yaml, note, lineAt, entryAt } = reader;
  // Strings only: what a plain scalar means is decided here, from its source.
  const composer = new yaml.Composer({ schema: 'failsafe', resolveKnownTags: false, uniqueKeys: false });
  const documents = [...composer.compose(tokens, true, source.length)];
  const errors = syntaxErrors(documents);
  const tab = findTab(source, errors);
  if (tab !== undefined) note(tab, 'indent with spaces, not with tabs.');
  const broken = new Set<number>();
  for (const error of errors) {
    const [offset] = error.pos;
    // What shows at an entry's dash, as a bracket that was never closed, is a mistake of the entry before.
    const number = entryAt(offset - 1);
    if (tab === undefined) note(offset, syntaxProblem(error), number);
    broken.add(number);
  }
  const root = documents[0]?.contents;
  if (!yaml.isSeq(root) && broken.size > 0) return [];
  return readList(root, reader).flatMap((node) => {
    const offset = offsetOf(node, reader);
    const number = entryAt(offset);
    // Where the syntax is broken, nothing more can be said of that entry, nor of those that follow a tab.
    const isBroken = broken.has(number) || offset > (tab ?? Number.POSITIVE_INFINITY);
    return isBroken ? [] : { values: readEntry(node, reader), number, line: lineAt(offset) };
  });
}

/**
 * Reads the YAML or JSON list in `invocations`. Entries with a problem are left out; `problems` names each with
 * entry, line and column, all from 1, and never repeats a value.
 */
export async function parseInvocations(text: string, problems: Problems): Promise<readonly ListedEntry[]> {
  const yaml = await import('yaml');
  // A byte order mark would count as indentation.
  const source = text.replace(/^\uFEFF/, '');
  const tokens = [...new yaml.Parser().parse(source)];
  const lines = new yaml.LineCounter();
  lines.addNewLine(0);
  // Not by the parser, which passes over line ends where the syntax is broken.
  for (const { index } of source.matchAll(/\n/g)) lines.addNewLine(index + 1);
  // What counts lines by where they begin counts entries as well; 0 is before the first.
  const entries = new yaml.LineCounter();
  const [first, second] = tokens.filter((token) => token.type === 'document');
  for (const start of entryStarts(first?.value)) entries.addNewLine(start);
  const entryAt = (offset: number): number =>
    offset < (second?.offset ?? Number.POSITIVE_INFINITY) ? entries.linePos(offset).line : 0;
  const lineAt = (offset: number): number => lines.linePos(offset).line;

  const mistakes: { offset: number; what: string; number: number }[] = [];
  const note: Note = (offset, what, number = entryAt(offset)) => {
    mistakes.push({ offset, what, number });
  };
  const listed = checkStream(tokens, note)
    ? readEntries(tokens, source, { yaml, note, lineAt, entryAt })
    : [];

  for (const { offset, what, number } of mistakes.sort((a, b) => a.offset - b.offset)) {
    const { line, col } = lines.linePos(offset);
    const where = number > 0 ? `invocations, entry ${number}` : 'invocations';
    problems.add(`${where} (line ${line}, column ${col}): ${what}`);
  }
  const faulty = new Set(mistakes.map(({ number }) => number));
  return listed.filter(({ number }) => !faulty.has(number));
}
