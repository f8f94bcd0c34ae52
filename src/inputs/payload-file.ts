import { glob } from 'node:fs/promises';
import path from 'node:path';
import { grouped } from '../shared/text.ts';
import { exists, type JobFolders } from './files.ts';
import { checkUnchanged, type OpenedFile, readContent, useInputFile } from './input-file.ts';
import { linesOf } from './input-types.ts';
import { isJsonLines, lineIn, readLines } from './json-lines.ts';
import { checkBytes, type GivenPayload, isUtf16, largestEvent, type Payloads, tooLarge } from './payload.ts';
import { Problems, quote } from './problems.ts';
import type { StoredEvents } from './stored-events.ts';

const MOST_EVENTS = 100_000;
const TOO_MANY = `more than ${grouped(MOST_EVENTS)}`;

const isPattern = (text: string): boolean => /[*?[{]/.test(text);

/** The files that match a pattern, sorted. The paths are relative to the workspace if the pattern is. */
async function matchesOf(pattern: string, { workspace }: JobFolders): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of glob(pattern, { cwd: workspace, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = path.join(entry.parentPath, entry.name);
    found.push(path.isAbsolute(pattern) ? file : path.relative(workspace, path.resolve(workspace, file)));
    if (found.length > MOST_EVENTS) break;
  }
  return found.sort();
}

/** The files that one line of `payload_file` names. */
async function filesOf(line: string, folders: JobFolders, problems: Problems): Promise<string[]> {
  // A file name can contain characters of a pattern, for example "[id].json".
  if (!isPattern(line) || (await exists(path.resolve(folders.workspace, line)))) return [line];
  const matches = await matchesOf(line, folders);
  if (matches.length === 0) {
    problems.add(
      `payload_file ${quote(line)} matches no file. Check the pattern, and that an earlier step made or checked out the files.`,
    );
  }
  return matches;
}

/** The files that `payload_file` names, in order. A file that several lines name counts once. */
async function allFiles(text: string, folders: JobFolders, problems: Problems): Promise<string[]> {
  const files = new Map<string, string>();
  for (const line of linesOf(text)) {
    for (const file of await filesOf(line, folders, problems)) {
      const known = path.resolve(folders.workspace, file);
      if (!files.has(known)) files.set(known, file);
    }
  }
  return [...files.values()];
}

/** The events of a file, with warnings. */
type FileEvents = Pick<Payloads, 'events' | 'warnings'>;
const NONE: FileEvents = { events: [], warnings: [] };

type EventReading = Readonly<{
  invocationType: GivenPayload['invocationType'];
  isHeld: boolean;
  stored: StoredEvents;
  problems: Problems;
}>;

/** Reads a file that is one event. */
async function readEventFile(
  file: OpenedFile,
  { invocationType, isHeld, stored, problems }: EventReading,
): Promise<FileEvents> {
  const { source } = file;
  const limit = largestEvent(invocationType);
  const { content: bytes, offset, size } = await readContent(file, limit);
  const checked =
    bytes.length > limit
      ? { problem: tooLarge(source, size, invocationType) }
      : await checkBytes({ bytes, source, input: 'payload_file' });
  if (checked.problem !== undefined) {
    problems.add(checked.problem);
    return NONE;
  }
  const event = isHeld ? bytes : stored.add({ file, offset, length: bytes.length }, bytes);
  return { events: [event], warnings: checked.warnings };
}

/** Reads a file in which each line is an event. */
async function readEventLines(
  file: OpenedFile,
  { invocationType, stored, problems }: EventReading,
): Promise<FileEvents> {
  const { source } = file;
  const limit = largestEvent(invocationType);
  const events: Payloads['events'][number][] = [];
  const warnings: string[] = [];
  let count = 0;
  for await (const { bytes, offset, length, number: line } of readLines(file.handle, limit)) {
    count += 1;
    if (count > MOST_EVENTS) {
      problems.add(`${source} has ${TOO_MANY} events. Split it.`);
      return NONE;
    }
    const checked =
      bytes === undefined
        ? { problem: tooLarge(lineIn(source, line), `${grouped(length)} bytes`, invocationType) }
        : await checkBytes({ bytes, source, input: 'payload_file', line });
    if (checked.problem !== undefined) problems.add(checked.problem);
    // Stop here, because each other line would add the same problem.
    if (bytes !== undefined && isUtf16(bytes)) return NONE;
    if (bytes !== undefined && checked.problem === undefined) {
      events.push(stored.add({ file, offset, length, line }, bytes));
      warnings.push(...checked.warnings);
    }
  }
  await checkUnchanged(file, problems);
  if (count === 0) problems.add(`${source} has no events. Write one on each line.`);
  return { events, warnings };
}

/** Whether a text is probably the event itself. A pattern can begin with the same brackets, but has no quotes. */
const isProbablyEvent = (text: string): boolean =>
  /^\s*[[{]/.test(text) && (text.includes('"') || /^\s*\{\s*\}\s*$/.test(text));

/** Reads the files that `payload_file` names. Undefined, with problems, if one of them can't be sent. */
export async function readPayloadFiles(
  given: GivenPayload,
  problems: Problems,
): Promise<Payloads | undefined> {
  const { payloadFile, folders, journal, invocationType, isOwn, storedEvents } = given;
  if (isProbablyEvent(payloadFile)) {
    // The event may contain a secret, so it is not quoted.
    problems.add('payload_file looks like JSON, and takes a path. To give the event itself, use payload.');
    return undefined;
  }
  const found = new Problems();
  const files = await allFiles(payloadFile, folders, found);
  const isJournal = (file: string): boolean =>
    path.resolve(folders.workspace, file) === path.resolve(folders.workspace, journal);
  if (journal !== '' && files.some(isJournal)) {
    found.add(
      `payload_file names the journal ${quote(journal)} as one of the files. Keep the journal in another folder.`,
    );
  }
  const stored = await storedEvents();
  const reading = { invocationType, isHeld: !isOwn && files.length === 1, stored, problems: found };
  const all: FileEvents[] = [];
  const outsideFiles: string[] = [];
  if (files.length > MOST_EVENTS) found.add(`payload_file names ${TOO_MANY} files. Split them.`);
  for (const file of files.slice(0, MOST_EVENTS)) {
    const events = await useInputFile({ input: 'payload_file', file, folders }, found, (opened) => {
      if (opened.outsideFile !== undefined) outsideFiles.push(opened.outsideFile);
      return isJsonLines(file) ? readEventLines(opened, reading) : readEventFile(opened, reading);
    });
    if (events !== undefined) all.push(events);
  }
  const events = all.flatMap(({ events: ofFile }) => ofFile);
  if (events.length > MOST_EVENTS) found.add(`payload_file names ${TOO_MANY} events. Split them.`);
  problems.addAll(found);
  if (found.error) return undefined;
  return { events, warnings: all.flatMap(({ warnings }) => warnings), outsideFiles };
}
