import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import {
  type Accepted,
  type EndedRecord,
  HEADER,
  headerKind,
  keyOfCutLine,
  recordOf,
  type SentRecord,
} from './records.ts';

/** Where a line stands in the file, in bytes. */
type LinePlace = Readonly<{ start: number; length: number }>;

/** A request whose outcome is not in the journal: when it was sent, and its ID. */
export type UnresolvedRequest = Readonly<{ sentAt: Date | undefined; requestId?: string }>;

/** What a journal says about one key. Requests without a known outcome are in the order in which they were sent. */
export type EntryState =
  | Readonly<{ kind: 'succeeded'; place: LinePlace }>
  | Readonly<{
      kind: 'accepted';
      what: Accepted;
      place: LinePlace;
      requests: readonly UnresolvedRequest[];
    }>
  | Readonly<{ kind: 'unknown'; requests: readonly UnresolvedRequest[] }>;

const toUnresolved = ({ sent, request_id: requestId }: SentRecord): UnresolvedRequest => ({
  sentAt: new Date(sent),
  ...(requestId !== undefined && { requestId }),
});

// The number of requests that are looked up in a log.
const MOST_REQUESTS = 10;

/** Combines the lines about one key. */
class KeyHistory {
  #succeeded: LinePlace | undefined;
  #accepted: Extract<EntryState, { kind: 'accepted' }> | undefined;
  /** Requests whose outcome was recorded as unknown. */
  readonly #unknown: UnresolvedRequest[] = [];
  /** Requests without an outcome, by run, because the outcome of one run says nothing about the requests of another. */
  readonly #open = new Map<string, UnresolvedRequest[]>();

  /** Adds an attempt. Which attempts of a run may have run is known only when the run has an outcome. */
  sent(record: SentRecord): void {
    const earlier = this.#open.get(record.run) ?? [];
    this.#open.set(record.run, [...earlier, toUnresolved(record)].slice(-MOST_REQUESTS));
  }

  /**
   * Adds the request of a line that is cut, which may be about a request that is known. Returns whether it is a new one.
   */
  cut(): boolean {
    if (this.state !== undefined) return false;
    this.#open.set('', [{ sentAt: undefined }]);
    return true;
  }

  ended({ run, outcome, accepted }: EndedRecord, place: LinePlace): void {
    const requests = this.#open.get(run) ?? [{ sentAt: new Date(outcome.started_at) }];
    this.#open.delete(run);
    if (outcome.outcome === 'succeeded' && accepted === undefined) this.#succeeded = place;
    if (outcome.outcome === 'succeeded' && accepted !== undefined) {
      this.#accepted = { kind: 'accepted', what: accepted, place, requests };
    }
    if (outcome.outcome === 'unknown') this.#unknown.push(...requests);
  }

  get state(): EntryState | undefined {
    if (this.#succeeded !== undefined) return { kind: 'succeeded', place: this.#succeeded };
    if (this.#accepted !== undefined) return this.#accepted;
    const requests = [...this.#unknown, ...[...this.#open.values()].flat()].slice(-MOST_REQUESTS);
    return requests.length === 0 ? undefined : { kind: 'unknown', requests };
  }
}

/** What a journal says, and the size of its whole lines: a cut line at the end is not part of it. */
export type JournalContents = Readonly<{
  states: ReadonlyMap<string, EntryState>;
  /** Bytes up to the end of the last whole line. */
  size: number;
  /** Whether that line has no line feed, which an editor may have removed. */
  lacksLineFeed: boolean;
  /** The key in a line that is cut, if only that line says that the invocation may have been sent. */
  cutKey: string | undefined;
}>;

/** Why a file can't be used as a journal, worded to follow its name. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const FOREIGN = 'was not written by this action. To begin a journal, name a file that does not exist yet';
const OTHER_VERSION =
  'was written by another version of this action, which this version cannot read. Use that version, or another file';
const edited = (line: number): JournalError =>
  new JournalError(`was edited or damaged in line ${line}. Restore it, or remove whole lines only`);

/** A line without its line feed; `end` is where the next line starts. A line without a line feed is cut. */
type Line = Readonly<{ bytes: Buffer; start: number; end: number; isCut: boolean }>;

/** Git and editors on Windows write a carriage return before each line feed. */
const withoutReturn = (line: Buffer): Buffer =>
  line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;

/** The lines of a file. Throws if the first one is longer than that of any journal. */
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
      const bytes = withoutReturn(Buffer.concat([...parts, buffer.subarray(from, at)]));
      from = at + 1;
      const end = read + from;
      yield { bytes, start, end, isCut: false };
      parts = [];
      start = end;
    }
    if (start === 0 && bytesRead === CHUNK_BYTES) throw new JournalError(FOREIGN);
    parts.push(buffer.subarray(from, bytesRead));
    read += bytesRead;
  }
  if (read > start) yield { bytes: Buffer.concat(parts), start, end: read, isCut: true };
}

/** Collects what the lines of a journal say. */
class Reading {
  readonly #histories = new Map<string, KeyHistory>();
  size = 0;
  lacksLineFeed = false;
  cutKey: string | undefined;

  #historyOf(key: string): KeyHistory {
    const history = this.#histories.get(key) ?? new KeyHistory();
    this.#histories.set(key, history);
    return history;
  }

  /** Reads the first line. If it is cut, there are no further lines. */
  addHeader({ bytes, end, isCut }: Line): void {
    if (isCut && HEADER.startsWith(bytes.toString('latin1'))) return;
    const kind = isCut ? 'foreign' : headerKind(bytes);
    if (kind === 'foreign') throw new JournalError(FOREIGN);
    if (kind === 'other version') throw new JournalError(OTHER_VERSION);
    this.size = end;
  }

  addLine({ bytes, start, end }: Line, number: number): void {
    const record = recordOf(bytes);
    if (record === undefined) throw edited(number);
    this.size = end;
    if ('sent' in record) this.#historyOf(record.key).sent(record);
    else this.#historyOf(record.key).ended(record, { start, length: bytes.length });
  }

  /**
   * Reads the end of a file without a line feed: the process ended while it wrote, or an editor removed the line feed.
   * A whole line with another byte after it has a damaged line feed, and its request may have been sent.
   */
  addCutLine(line: Line, number: number): void {
    if (recordOf(line.bytes.subarray(0, -1)) !== undefined) throw edited(number);
    if (recordOf(line.bytes) !== undefined) {
      this.addLine(line, number);
      this.lacksLineFeed = true;
      return;
    }
    const key = keyOfCutLine(line.bytes);
    if (key !== undefined && this.#historyOf(key).cut()) this.cutKey = key;
  }

  get states(): ReadonlyMap<string, EntryState> {
    const states = new Map<string, EntryState>();
    for (const [key, { state }] of this.#histories) if (state !== undefined) states.set(key, state);
    return states;
  }
}

/** Reads a journal. Throws a JournalError if the file is not a journal, or was changed. */
export async function readContents(file: FileHandle): Promise<JournalContents> {
  const reading = new Reading();
  let number = 0;
  for await (const line of linesIn(file)) {
    number += 1;
    if (number === 1) reading.addHeader(line);
    else if (line.isCut) reading.addCutLine(line, number);
    else reading.addLine(line, number);
  }
  const { states, size, lacksLineFeed, cutKey } = reading;
  return { states, size, lacksLineFeed, cutKey };
}
