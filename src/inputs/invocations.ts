import type { CST, Document, YAMLError } from 'yaml';
import { grouped, nearest } from '../shared/text.ts';
import { looksLikePath } from './files.ts';
import { type Problems, quote } from './problems.ts';
import { ENTRY_KEYS, type EntryKey, EVENT_INPUTS, INPUT_NAMES, keepsWhiteSpace } from './schema.ts';
import { ODD_SPACE, ODD_SPACE_PROBLEM } from './suggestions.ts';
import {
  type AddProblem,
  COMPOSER_OPTIONS,
  checkTokens,
  describeNode,
  hasFittingTag,
  isMistagged,
  jsonOf,
  loadYaml,
  offsetOf,
  pairsOf,
  syntaxProblem,
  textOf,
  type YamlReader,
} from './yaml.ts';

/** The inputs of an entry as texts, in the form of the step's inputs. */
export type EntryTexts = Readonly<Partial<Record<EntryKey, string>>>;

/** One entry of the list, and its place: `number` in the list and `line` in the text, both from 1. */
export type ListedEntry = Readonly<{ values: EntryTexts; number: number; line: number }>;

/** How long a list can be. */
export const MOST_ENTRIES = 100_000;
/** The keys of an entry that can be any value of YAML or JSON, not only a text. */
export const NATIVE: ReadonlySet<EntryKey> = new Set(['payload', 'client_context']);

/** The offset at which each entry begins, including its dash or the comma before it. */
function entryStarts(list: CST.Token | undefined): number[] {
  if (list?.type === 'block-seq') {
    return list.items.flatMap(({ start }) => start.find(({ type }) => type === 'seq-item-ind')?.offset ?? []);
  }
  if (list?.type !== 'flow-collection' || list.start.source !== '[') return [];
  return list.items
    .filter(({ key, sep, value }) => key || sep || value)
    .map(({ start }) => start.find(({ type }) => type === 'comma')?.offset ?? list.offset + 1);
}

// How much of a line is searched for its indentation.
const LONGEST_INDENT = 256;

/** The problem of a key without a value. */
export const noValue = (input: EntryKey): string =>
  `${input} has no value. Give it one${NATIVE.has(input) ? ', which can be null' : ''}, or remove the key.`;

/** The problem of a value that is not a text. */
export const notText = (input: EntryKey, kind: string): string => `${input} must be a text; this is ${kind}.`;

/** The problem of an entry that is neither a name nor a mapping. */
export const notEntry = (kind: string): string =>
  `an entry must be a function's name or a mapping, such as "function_name: my-function"; this is ${kind}. Write {} for an entry that inherits all of the step's inputs.`;

/** The text of an input in an entry, without white space around it, except where that is part of the text. */
export function entryText(input: EntryKey, text: string): string {
  const isKept = input !== 'name' && keepsWhiteSpace(input) && text.trim() !== '';
  return isKept ? text : text.trim();
}

type GivenInput = Readonly<{ input: EntryKey; offset: number; value: unknown }>;

/** The text of an input, or '' if it is not given; undefined if the node is refused. */
function inputTextOf({ input, offset, value }: GivenInput, reader: YamlReader): string | undefined {
  const { yaml, addProblem } = reader;
  const scalar = yaml.isScalar(value) ? value : undefined;
  if (scalar && typeof scalar.value === 'string' && !isMistagged(scalar)) {
    return entryText(input, textOf(scalar));
  }
  // An expression that evaluated to nothing leaves a key without a value, which YAML reads as null.
  const isBlank =
    value === null || (scalar !== undefined && scalar.tag === undefined && textOf(scalar) === '');
  if (NATIVE.has(input) && !isBlank) return jsonOf(value, reader);
  if (yaml.isAlias(value)) return undefined;
  if (scalar && !hasFittingTag(scalar, reader)) return undefined;
  if (scalar && scalar.value !== null) return textOf(scalar);
  if (scalar || value === null) addProblem(offset, noValue(input));
  else addProblem(offsetOf(value, reader), notText(input, describeNode(value, reader)));
  return undefined;
}

const EVERY_KEY = `An entry can have ${ENTRY_KEYS.slice(0, -1).join(', ')} and ${ENTRY_KEYS.at(-1)}.`;

/** The problem of an unknown key, with the key that was probably meant. */
export function unknownKey(key: string): string {
  if (INPUT_NAMES.some((name) => name === key)) {
    return `${key} is set for the whole step. Move it out of the entry, into "with:".`;
  }
  const likely = nearest(key.toLowerCase(), ENTRY_KEYS);
  const meant = likely === undefined ? '' : ` (did you mean "${likely}"?)`;
  return `there is no key ${quote(key)}${meant}. ${EVERY_KEY}`;
}

/** The key of a text such as `function_name:my-function`, which YAML does not read as a key and its value. */
function keyWithoutSpace(text: string): string | undefined {
  const [, key] = /^([a-z]+_[a-z_]+):[^ ]/.exec(text) ?? [];
  return ENTRY_KEYS.find((name) => name === key);
}

function valuesOf(node: unknown, reader: YamlReader): EntryTexts {
  const { yaml, addProblem } = reader;
  const values: Partial<Record<EntryKey, string>> = {};
  const given = new Map<EntryKey, number>();
  if (yaml.isAlias(node) || !hasFittingTag(node, reader)) return values;
  if (yaml.isScalar(node) && typeof node.value === 'string') {
    const key = keyWithoutSpace(textOf(node));
    if (key !== undefined) addProblem(offsetOf(node, reader), `write a space after "${key}:".`);
    return { function_name: textOf(node).trim() };
  }
  if (!yaml.isMap(node)) {
    addProblem(offsetOf(node, reader), notEntry(describeNode(node, reader)));
    return values;
  }
  for (const { key, offset, value } of pairsOf(node, reader)) {
    const input = ENTRY_KEYS.find((name) => name === key);
    if (input === undefined) {
      addProblem(offset, unknownKey(key));
      continue;
    }
    const text = inputTextOf({ input, offset, value }, reader);
    if (text === '') continue;
    given.set(input, offset);
    if (text !== undefined) values[input] = text;
  }
  const [first, second] = EVENT_INPUTS.filter((name) => given.has(name));
  if (first !== undefined && second !== undefined) {
    const offset = Math.max(given.get(first) ?? 0, given.get(second) ?? 0);
    addProblem(offset, `${first} and ${second} are both given. Keep one of them.`);
  }
  return values;
}

const NOT_EVALUATED =
  'the expression was not evaluated: ${{ }} has no effect in the value of a variable or in the default of a workflow input.';

/** The nodes of the entries. Adds a problem if the text is not a list of entries. */
function entryNodesOf(root: unknown, reader: YamlReader): readonly unknown[] {
  const { yaml } = reader;
  const addProblem: AddProblem = (offset, what) => reader.addProblem(offset, what, 0);
  if (yaml.isAlias(root)) return [];
  if (yaml.isCollection(root) && !hasFittingTag(root, { ...reader, addProblem })) return [];
  const offset = offsetOf(root, reader);
  if (yaml.isScalar(root) && looksLikePath(textOf(root).trim())) {
    addProblem(offset, 'this looks like a path: use invocations_file.');
    return [];
  }
  if (yaml.isScalar(root) && textOf(root).trim().startsWith('${{')) {
    addProblem(offset, NOT_EVALUATED);
    return [];
  }
  if (yaml.isScalar(root) && ODD_INDENT.test(textOf(root).slice(0, LONGEST_INDENT))) {
    addProblem(offset, `${ODD_SPACE_PROBLEM}.`);
    return [];
  }
  if (!yaml.isSeq(root)) {
    const kind = describeNode(root, reader);
    addProblem(offset, `it must be a list of entries; this is ${kind}. Start every entry with "- ".`);
    return [];
  }
  if (root.items.length === 0) addProblem(offset, 'the list is empty. Give at least one entry.');
  return root.items;
}

/**
 * Refuses directives, further documents, too many entries, and what checkTokens refuses. False if reading must stop.
 */
function checkStream(tokens: readonly CST.Token[], addProblem: AddProblem): boolean {
  const documents = tokens.filter((token) => token.type === 'document');
  for (const token of tokens) {
    if (token.type === 'directive' && !/^%YAML[ \t]+1\.2[ \t]*$/.test(token.source)) {
      addProblem(token.offset, 'directives (%) are not supported. Remove the line.');
    }
  }
  const [first, second] = documents;
  if (second) addProblem(second.offset, 'a second document begins here. Give one list, without "---" in it.');
  const starts = entryStarts(first?.value);
  const excess = starts[MOST_ENTRIES];
  if (excess !== undefined) {
    const [most, count] = [MOST_ENTRIES, starts.length].map((number) => grouped(number));
    addProblem(excess, `a list can have at most ${most} entries; this one has ${count}. Split it.`);
    return false;
  }
  return documents.map((document) => checkTokens(document, addProblem)).every((isBounded) => isBounded);
}

/** The library's errors, without those that were already refused, in the order of the text. */
const syntaxErrors = (documents: readonly Document[]): YAMLError[] =>
  documents
    .flatMap(({ errors, warnings }) => [...errors, ...warnings])
    .filter(({ code }) => !['ALIAS_PROPS', 'BAD_ALIAS', 'BAD_DIRECTIVE'].includes(code))
    .filter(({ message }) => !message.startsWith('Unresolved tag: '))
    .sort((a, b) => a.pos[0] - b.pos[0]);

/** The offset of a tab in the indentation, if it is the first mistake. The other mistakes follow from it. */
function findTab(source: string, [first]: readonly YAMLError[]): number | undefined {
  // JSON may be indented by tabs.
  if (first === undefined || /^\s*[[{]/.test(source)) return undefined;
  const [offset] = first.pos;
  if (first.code === 'TAB_AS_INDENT' || source[offset] === '\t') return offset;
  const start = source.lastIndexOf('\n', offset - 1) + 1;
  const isIndented = first.code !== 'MISSING_CHAR' && /^ *\t\s*$/.test(source.slice(start, offset));
  return isIndented ? source.indexOf('\t', start) : undefined;
}

// YAML allows odd spaces in a text, so only the indentation and the place after a dash are searched.
const ODD_INDENT = new RegExp(`^(?:[ -]*)(?:${ODD_SPACE.source})`, 'u');

/** The offset of an odd character in the indentation of the first line with an error. */
function findOddSpace(source: string, [first]: readonly YAMLError[]): number | undefined {
  if (first === undefined) return undefined;
  const start = source.lastIndexOf('\n', first.pos[0] - 1) + 1;
  const found = ODD_INDENT.exec(source.slice(start, start + LONGEST_INDENT));
  return found === null ? undefined : start + found[0].search(ODD_SPACE);
}

/** Reports syntax errors. Returns the entries that have them, and the offset after which nothing can be read. */
function reportSyntax(
  errors: readonly YAMLError[],
  source: string,
  { addProblem, entryAt, lineAt }: YamlReader,
): Readonly<{ broken: ReadonlySet<number>; end: number }> {
  const tab = findTab(source, errors);
  const odd = tab === undefined ? findOddSpace(source, errors) : undefined;
  if (tab !== undefined) addProblem(tab, 'indent with spaces, not with tabs.');
  if (odd !== undefined) addProblem(odd, `${ODD_SPACE_PROBLEM}.`);
  const first = tab ?? odd;
  const broken = new Set<number>();
  const lines = new Set<number>();
  for (const error of errors) {
    const [offset] = error.pos;
    // A mistake that is found at the dash of an entry, such as an open bracket, belongs to the entry before.
    const number = entryAt(offset - 1);
    const line = lineAt(offset);
    // The other errors of a line follow from its first.
    if (first === undefined && !lines.has(line)) addProblem(offset, syntaxProblem(error), number);
    broken.add(number);
    lines.add(line);
  }
  return { broken, end: first ?? source.length };
}

/** Reads the entries from tokens that were checked. */
function readEntries(tokens: readonly CST.Token[], source: string, reader: YamlReader): ListedEntry[] {
  const { yaml, lineAt, entryAt } = reader;
  const documents = [...new yaml.Composer(COMPOSER_OPTIONS).compose(tokens, true, source.length)];
  const { broken, end } = reportSyntax(syntaxErrors(documents), source, reader);
  const root = documents[0]?.contents;
  if (!yaml.isSeq(root) && broken.size > 0) return [];
  return entryNodesOf(root, reader).flatMap((node) => {
    const offset = offsetOf(node, reader);
    const number = entryAt(offset);
    // If the syntax of an entry is broken, no other problem of that entry is reported.
    const isBroken = broken.has(number) || offset > end;
    return isBroken ? [] : { values: valuesOf(node, reader), number, line: lineAt(offset) };
  });
}

/** Returns a function that finds the entry at an offset; 0 is before the first entry. */
function entryFinder(
  tokens: readonly CST.Token[],
  { LineCounter }: YamlReader['yaml'],
): YamlReader['entryAt'] {
  // The counter finds the line of an offset by where lines begin. It finds the entry in the same way.
  const entries = new LineCounter();
  const [first, second] = tokens.filter((token) => token.type === 'document');
  for (const start of entryStarts(first?.value)) entries.addNewLine(start);
  const end = second?.offset ?? Number.POSITIVE_INFINITY;
  return (offset) => (offset < end ? entries.linePos(offset).line : 0);
}

/**
 * Reads the YAML or JSON list in `invocations`, or in the file that `origin` names. Entries with a problem are left out.
 * `problems` names each with entry, line and column, all from 1, and never repeats a value.
 */
export async function parseInvocations(
  text: string,
  problems: Problems,
  origin = 'invocations',
): Promise<readonly ListedEntry[]> {
  const yaml = await loadYaml();
  // A byte order mark would count as indentation.
  const source = text.replace(/^\uFEFF/, '');
  const tokens = [...new yaml.Parser().parse(source)];
  const lines = new yaml.LineCounter();
  lines.addNewLine(0);
  // The parser could count lines too, but it skips line ends where the syntax is broken.
  for (const { index } of source.matchAll(/\n/g)) lines.addNewLine(index + 1);
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const entryAt = entryFinder(tokens, yaml);

  const found: { offset: number; what: string; number: number }[] = [];
  const addProblem: AddProblem = (offset, what, number = entryAt(offset)) => {
    found.push({ offset, what, number });
  };
  const listed = checkStream(tokens, addProblem)
    ? readEntries(tokens, source, { yaml, addProblem, lineAt, entryAt })
    : [];

  for (const { offset, what, number } of found.sort((a, b) => a.offset - b.offset)) {
    const { line, col } = lines.linePos(offset);
    const where = number > 0 ? `${origin}, entry ${number}` : origin;
    problems.add(`${where} (line ${line}, column ${col}): ${what}`);
  }
  const faulty = new Set(found.map(({ number }) => number));
  return listed.filter(({ number }) => !faulty.has(number));
}
