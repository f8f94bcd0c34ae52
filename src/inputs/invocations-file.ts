import type { Buffer } from 'node:buffer';
import { isUtf8 } from 'node:buffer';
import { grouped } from '../shared/text.ts';
import { looksLikePath } from './files.ts';
import {
  checkUnchanged,
  type NamedInputFile,
  type OpenedFile,
  readContent,
  useInputFile,
} from './input-file.ts';
import {
  type EntryTexts,
  entryText,
  MOST_ENTRIES,
  NATIVE,
  notEntry,
  notText,
  noValue,
  parseInvocations,
  unknownKey,
} from './invocations.ts';
import {
  type FileLine,
  type FilePart,
  isJsonLines,
  type JsonPart,
  lineIn,
  partsOf,
  readLines,
} from './json-lines.ts';
import { describeJsonProblem, parseJson } from './json-text.ts';
import { isUtf16, type ListedPayload } from './payload.ts';
import { Problems, quote } from './problems.ts';
import { ENTRY_KEYS, type EntryKey } from './schema.ts';

/** One entry of the file: the texts that it gives, how messages name it, and where its own event stands. */
export type FileEntry = Readonly<{ values: EntryTexts; place: string; payload?: ListedPayload }>;

const LINE_FEED = 0x0a;

// A payload of 6 MB is up to twice as long as a text in JSON.
const LONGEST_LINE = 16 * 1024 * 1024;
// A list in JSON is in memory while it is read, and YAML takes 300 times its size.
const LONGEST = { json: 64 * 1024 * 1024, yaml: 4 * 1024 * 1024 } as const;

/** JSON in a file that may be an entry. */
type Piece = FilePart & Readonly<{ file: OpenedFile; bytes: Buffer; line: number; place: string }>;

/** A value in an entry, as JSON.parse reads it and as it is written. */
type GivenValue = Readonly<{ key: EntryKey; value: unknown; json: string }>;

const kindOf = (value: unknown): string => {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
};

/** An input's text, '' where it is not given; undefined where the value is refused. Numbers keep their digits. */
function textOfValue({ key, value, json }: GivenValue, problems: Problems): string | undefined {
  if (typeof value === 'string') return entryText(key, value);
  if (NATIVE.has(key) || typeof value === 'number' || typeof value === 'boolean') return json;
  problems.add(value === null ? noValue(key) : notText(key, kindOf(value)));
  return undefined;
}

const isEntryKey = (key: string): key is EntryKey => ENTRY_KEYS.some((name) => name === key);

type Member = GivenValue & Readonly<{ part: JsonPart }>;

/** The keys that an entry may have, each once. */
function* membersOf(bytes: Buffer, entry: object, problems: Problems): Generator<Member, void> {
  const values = new Map<string, unknown>(Object.entries(entry));
  const seen = new Set<string>();
  for (const part of partsOf(bytes)) {
    const { key = '', start, end } = part;
    if (seen.has(key)) problems.add(`the key ${JSON.stringify(key)} is there twice. Remove one of them.`);
    else if (!isEntryKey(key)) problems.add(unknownKey(key));
    else yield { key, value: values.get(key), json: bytes.toString('utf8', start, end), part };
    seen.add(key);
  }
}

function payloadIn({ file, bytes, offset, line }: Piece, { part, value }: Member): ListedPayload {
  const { start, end } = part;
  const isText = typeof value === 'string';
  const place = { file, offset: offset + start, length: end - start, line, isText };
  return { place, ...(!isText && { json: bytes.subarray(start, end) }) };
}

/** The entry in a piece of JSON that was parsed. */
function entryOf(piece: Piece, entry: unknown, problems: Problems): FileEntry | undefined {
  const { bytes, place } = piece;
  const here = new Problems();
  const values: Partial<Record<EntryKey, string>> = {};
  let payload: ListedPayload | undefined;
  if (typeof entry === 'string') values.function_name = entry.trim();
  else if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    here.add(notEntry(kindOf(entry)));
  else {
    for (const member of membersOf(bytes, entry, here)) {
      const text = textOfValue(member, here);
      if (text === undefined || text === '') continue;
      values[member.key] = text;
      if (member.key === 'payload') payload = payloadIn(piece, member);
    }
  }
  problems.at(place).addAll(here);
  return here.error ? undefined : { values, place, ...(payload && { payload }) };
}

const tooMany = (source: string): string =>
  `${source} has more than ${grouped(MOST_ENTRIES)} entries, the most that a list can have. Split it.`;

const notUtf8 = (what: string, bytes: Buffer): string =>
  `${what} is not UTF-8${isUtf16(bytes) ? ' but UTF-16' : ''}. Save it as UTF-8.`;

/** Takes each entry as it is read. */
type OnEntry = (entry: FileEntry) => Promise<void>;

/** A file, and where its entries and its problems go. */
type ListReading = Readonly<{ file: OpenedFile; onEntry: OnEntry; problems: Problems }>;

/** Reads a line that is an entry. */
async function readEntryLine(
  { bytes, number: line, ...part }: FileLine,
  { file, onEntry, problems }: ListReading,
): Promise<void> {
  const { source } = file;
  const place = lineIn(source, line);
  if (bytes === undefined) {
    const [size, most] = [part.length, LONGEST_LINE].map((length) => grouped(length));
    problems.add(`${place} is ${size} bytes; a line can have at most ${most}.`);
  } else if (!isUtf8(bytes)) problems.add(notUtf8(place, bytes));
  else {
    const { value, problem } = await parseJson(bytes.toString(), 'invocations_file');
    if (problem) problems.add(describeJsonProblem(source, { ...problem, line: line + problem.line - 1 }));
    const entry = problem ? undefined : entryOf({ file, bytes, ...part, line, place }, value, problems);
    if (entry !== undefined) await onEntry(entry);
  }
}

/** Reads a file in which each line is an entry. */
async function readEntryLines(reading: ListReading): Promise<void> {
  const { file, problems } = reading;
  let count = 0;
  for await (const line of readLines(file.handle, LONGEST_LINE)) {
    count += 1;
    if (count > MOST_ENTRIES) {
      problems.add(tooMany(file.source));
      return;
    }
    await readEntryLine(line, reading);
    // Each of the other lines would be one more problem.
    if (line.bytes !== undefined && isUtf16(line.bytes)) return;
  }
  await checkUnchanged(file, problems);
  if (count === 0) problems.add(`${file.source} has no entries. Write one on each line.`);
}

/** Reads a file that is a list in JSON. */
async function readJsonList(
  bytes: Buffer,
  start: number,
  { file, onEntry, problems }: ListReading,
): Promise<void> {
  const { source } = file;
  const { value, problem } = await parseJson(bytes.toString(), 'invocations_file');
  if (problem) problems.add(describeJsonProblem(source, problem));
  else if (!Array.isArray(value)) {
    problems.add(
      `${source} must hold a list of entries; this is ${kindOf(value)}. Write [ ] around the entries.`,
    );
  } else if (value.length === 0) problems.add(`${source}: the list is empty. Give at least one entry.`);
  else if (value.length > MOST_ENTRIES) problems.add(tooMany(source));
  else {
    let [line, counted, number] = [1, 0, 0];
    for (const { start: from, end } of partsOf(bytes)) {
      for (; counted < from; counted += 1) if (bytes[counted] === LINE_FEED) line += 1;
      const place = `${source}, entry ${number + 1} (line ${line})`;
      const piece = {
        file,
        bytes: bytes.subarray(from, end),
        offset: start + from,
        length: end - from,
        line,
        place,
      };
      const entry = entryOf(piece, value[number], problems);
      number += 1;
      if (entry !== undefined) await onEntry(entry);
    }
  }
}

/** Reads a file that is a list in YAML. */
async function readYamlList(bytes: Buffer, { file, onEntry, problems }: ListReading): Promise<void> {
  const { source } = file;
  if (looksLikePath(bytes.toString().trim())) {
    problems.add(`${source} holds a path, not a list. Git may have checked out a symlink as a text file.`);
    return;
  }
  for (const { values, number, line } of await parseInvocations(bytes.toString(), problems, source)) {
    await onEntry({ values, place: `${source}, entry ${number} (line ${line})` });
  }
}

const formOf = (name: string): keyof typeof LONGEST | undefined => {
  if (/\.ya?ml$/i.test(name)) return 'yaml';
  return /\.json$/i.test(name) ? 'json' : undefined;
};

/** Reads a file whose list is read as a whole. */
async function readWholeList(form: keyof typeof LONGEST, reading: ListReading): Promise<void> {
  const { file, problems } = reading;
  const { content, offset, size } = await readContent(file, LONGEST[form]);
  if (content.length > LONGEST[form]) {
    problems.add(
      `${file.source} is ${size}; a list in ${form === 'json' ? 'JSON' : 'YAML'} can have at most ${grouped(LONGEST[form])}. Write JSON lines: a .jsonl file with one entry on each line.`,
    );
  } else if (!isUtf8(content)) problems.add(notUtf8(file.source, content));
  else if (form === 'yaml') await readYamlList(content, reading);
  else await readJsonList(content, offset, reading);
}

/** Reads the entries of `invocations_file`, without those with a problem. Returns its path if that is outside the workspace. */
export async function readInvocationsFile(
  named: NamedInputFile,
  problems: Problems,
  onEntry: OnEntry,
): Promise<readonly string[]> {
  const form = formOf(named.file);
  if (form === undefined && !isJsonLines(named.file)) {
    problems.add(
      `invocations_file ${quote(named.file)} must have a name that ends in .yml, .yaml, .json, .jsonl or .ndjson.`,
    );
    return [];
  }
  const outside = await useInputFile(named, problems, async (file) => {
    // The name of a file outside the workspace ends with a comma.
    const source = file.source.replace(/,$/, '');
    const reading = { file: { ...file, source }, onEntry, problems };
    await (form === undefined ? readEntryLines(reading) : readWholeList(form, reading));
    return file.outsideFile;
  });
  return outside === undefined ? [] : [outside];
}
