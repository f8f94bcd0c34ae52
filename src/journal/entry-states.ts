import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { type EndedRecord, HEADER, isHeader, keyOfCutLine, recordOf, type SentRecord } from './records.ts';

/** Where a line stands in the file, in bytes. */
type LinePlace = Readonly<{ start: number; length: number }>;

/** A request whose outcome is not known, as far as the journal shows: when it was sent, and its id. */
export type Unresolved = Readonly<{ sentAt: Date | undefined; requestId?: string }>;

/** What a journal says of one key. */
export type EntryState =
  | Readonly<{ kind: 'succeeded'; place: LinePlace }>
  | Readonly<{ kind: 'unknown'; request: Unresolved }>;

const toUnresolved = ({ sent, request_id: requestId }: SentRecord): Unresolved => ({
  sentAt: new Date(sent),
  ...(requestId !== undefined && { requestId }),
});

/** What the lines about one key add up to. */
class KeyHistory {
  #succeeded: LinePlace | undefined;
  /** A request whose outcome was recorded as unknown. */
  #unknown: Unresolved | undefined;
  /** Requests without an outcome, by the run that sent them: what one run ended with says nothing of another's. */
  readonly #open = new Map<string, Unresolved>();

  sent(record: SentRecord): void {
    if (!this.#open.has(record.run)) this.#open.set(record.run, toUnresolved(record));
  }

  /** A request of a line that is cut. */
  cut(): void {
    this.#open.set('', { sentAt: undefined });
  }

  ended({ run, outcome }: EndedRecord, place: LinePlace): void {
    const request = this.#open.get(run);
    this.#open.delete(run);
    if (outcome.outcome === 'succeeded') this.#succeeded = place;
    if (outcome.outcome === 'unknown') this.#unknown ??= request ?? { sentAt: new Date(outcome.started_at) };
  }

  get state(): EntryState | undefined {
    if (this.#succeeded !== undefined) return { kind: 'succeeded', place: this.#succeeded };
    const [open] = this.#open.values();
    const request = this.#unknown ?? open;
    return request && { kind: 'unknown', request };
  }
}

/** What a journal says, and how much of the file it is: a line that is cut at the end is not part of it. */
export type JournalContents = Readonly<{
  states: ReadonlyMap<string, EntryState>;
  /** Bytes up to the end of the last whole line. */
  size: number;
  /** The key of the request in a line that is cut. */
  cutKey: string | undefined;
}>;

/** Why a file can't be used as a journal, in words that follow its name. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

type Line = Readonly<{ bytes: Buffer; start: number; isCut: boolean }>;

/** The lines of a file, without their line feeds; the last one is cut where it has none. */
async function* linesIn(file: FileHandle): AsyncGenerator<Line, void> {
  let parts: Buffer[] = [];
  let start = 0;
  let read = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, read);
    if (bytesRead === 0) break;
    let from = 0;
    for (
      let at = buffer.indexOf(LINE_FEED);
      at !== -1 && at < bytesRead;
      at = buffer.indexOf(LINE_FEED, from)
    ) {
      yield { bytes: Buffer.concat([...parts, buffer.subarray(from, at)]), start, isCut: false };
      parts = [];
      from = at + 1;
      start = read + from;
    }
    parts.push(buffer.subarray(from, bytesRead));
    read += bytesRead;
  }
  if (read > start) yield { bytes: Buffer.concat(parts), start, isCut: true };
}

const FOREIGN = 'was not written by this action';
const edited = (line: number): JournalError =>
  new JournalError(`was edited or damaged in line ${line}. Restore it, or remove whole lines only`);

/** Collects what the lines of a journal say. */
class Reading {
  readonly #histories = new Map<string, KeyHistory>();
  size = 0;
  cutKey: string | undefined;

  #historyOf(key: string): KeyHistory {
    const history = this.#histories.get(key) ?? new KeyHistory();
    this.#histories.set(key, history);
    return history;
  }

  /** The first line. One that is cut was never followed by another. */
  addHeader({ bytes, isCut }: Line): void {
    const isWhole = !isCut && isHeader(bytes);
    if (!isWhole && !(isCut && HEADER.startsWith(bytes.toString('latin1')))) throw new JournalError(FOREIGN);
    if (isWhole) this.size = bytes.length + 1;
  }

  addLine({ bytes, start }: Line, number: number): void {
    const record = recordOf(bytes);
    if (record === undefined) throw edited(number);
    this.size = start + bytes.length + 1;
    if ('sent' in record) this.#historyOf(record.key).sent(record);
    else this.#historyOf(record.key).ended(record, { start, length: bytes.length });
  }

  /**
   * The end of the file, where it has no line feed: the process ended while it wrote. A whole line with another byte
   * behind it has a damaged line feed, and its request may have been sent.
   */
  addCutLine(line: Line, number: number): void {
    if (recordOf(line.bytes.subarray(0, -1)) !== undefined) throw edited(number);
    this.cutKey = keyOfCutLine(line.bytes);
    if (this.cutKey !== undefined) this.#historyOf(this.cutKey).cut();
  }

  get states(): ReadonlyMap<string, EntryState> {
    const states = new Map<string, EntryState>();
    for (const [key, { state }] of this.#histories) if (state !== undefined) states.set(key, state);
    return states;
  }
}

/** Reads a journal. Throws a JournalError where it is none, or not as this action wrote it. */
export async function readContents(file: FileHandle): Promise<JournalContents> {
  const reading = new Reading();
  let number = 0;
  for await (const line of linesIn(file)) {
    number += 1;
    if (number === 1) reading.addHeader(line);
    else if (line.isCut) reading.addCutLine(line, number);
    else reading.addLine(line, number);
  }
  const { states, size, cutKey } = reading;
  return { states, size, cutKey };
}
