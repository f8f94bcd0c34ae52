import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { BYTE_ORDER_MARK, hasByteOrderMark } from './input-file.ts';

/** Whether a file has JSON on each line, by its name. */
export const isJsonLines = (file: string): boolean => /\.(?:jsonl|ndjson)$/i.test(file);

/** How messages name a line of a file. The name of a file outside the workspace ends with a comma. */
export const lineIn = (source: string, line: number): string => `${source.replace(/,$/, '')}, line ${line}`;

/** A part of a file, in bytes. */
export type FilePart = Readonly<{ offset: number; length: number }>;

/** A line that is not blank, without white space around it. A line that is too long has no bytes. */
export type FileLine = FilePart & Readonly<{ number: number; bytes: Buffer | undefined }>;

const CHUNK_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

const isWhiteSpace = (byte = 0): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** A line that is being read. Keeps at most the longest allowed length. */
class LineParts {
  readonly #longest: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Adds bytes, which are copied because the buffer is reused. */
  keep(bytes: Buffer): void {
    this.#length += bytes.length;
    // A byte order mark and a carriage return do not count as part of the line.
    if (this.#length <= this.#longest + BYTE_ORDER_MARK.length + 1) this.#parts.push(Buffer.from(bytes));
    else this.#parts = [];
  }

  /** Ends the line, which begins at `start`, with its last bytes. Undefined if the line is blank. */
  end(last: Buffer, { start, number }: Readonly<{ start: number; number: number }>): FileLine | undefined {
    const length = this.#length + last.length;
    const isKept = this.#length === 0 || this.#parts.length > 0;
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#length = 0;
    if (!isKept) return { offset: start, length, number, bytes: undefined };
    let from = start === 0 && hasByteOrderMark(bytes) ? BYTE_ORDER_MARK.length : 0;
    let to = bytes.length;
    while (from < to && isWhiteSpace(bytes[from])) from += 1;
    while (to > from && isWhiteSpace(bytes[to - 1])) to -= 1;
    if (from === to) return undefined;
    const isShort = to - from <= this.#longest;
    const part = { offset: start + from, length: to - from, number };
    return { ...part, bytes: isShort ? bytes.subarray(from, to) : undefined };
  }
}

/**
 * The lines of a file. Each is valid until the next one is read, so memory does not grow with the file. The last line
 * may have no line feed.
 */
export async function* readLines(handle: FileHandle, longest: number): AsyncGenerator<FileLine, void> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const parts = new LineParts(longest);
  let number = 1;
  let start = 0;
  for (let read = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, read);
    const bytes = chunk.subarray(0, bytesRead);
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, from)) {
      const line = parts.end(bytes.subarray(from, at), { start, number });
      if (line !== undefined) yield line;
      from = at + 1;
      start = read + from;
      number += 1;
    }
    const rest = bytes.subarray(from);
    if (bytesRead === 0) {
      const last = parts.end(rest, { start, number });
      if (last !== undefined) yield last;
      return;
    }
    parts.keep(rest);
    read += bytesRead;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
// In ASCII, brackets and braces differ only in this bit.
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** The offset after a string that begins at `start`. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** A value of an object or a list: its key, and where it begins and ends. JSON.parse does not report the place. */
export type JsonPart = Readonly<{ key?: string; start: number; end: number }>;

/** The part without white space around it. */
function trimmed(json: Uint8Array, start: number, end: number): JsonPart {
  let [from, to] = [start, end];
  while (from < to && isWhiteSpace(json[from])) from += 1;
  while (to > from && isWhiteSpace(json[to - 1])) to -= 1;
  return { start: from, end: to };
}

/** Finds the values of an object or a list in bytes that JSON.parse has read. */
export function* partsOf(json: Buffer): Generator<JsonPart, void> {
  let depth = 0;
  let start = 0;
  let key: string | undefined;
  const part = (end: number): JsonPart => ({
    ...trimmed(json, start, end),
    ...(key !== undefined && { key }),
  });
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) at = endOfString(json, at) - 1;
    else if ((byte | BRACE_BIT) === OPENING) {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if ((byte | BRACE_BIT) === CLOSING) {
      depth -= 1;
      if (depth > 0) continue;
      const last = part(at);
      if (last.end > last.start) yield last;
    } else if (depth === 1 && byte === COLON) {
      key = String(JSON.parse(json.toString('utf8', start, at)));
      start = at + 1;
    } else if (depth === 1 && byte === COMMA) {
      yield part(at);
      key = undefined;
      start = at + 1;
    }
  }
}
