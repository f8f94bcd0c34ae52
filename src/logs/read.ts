import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import type { LogEvent, LogFailure, LogsApi } from './client.ts';
import { findStream, type LoggedRequest, type LogSource } from './find.ts';
import { type LoggedReport, loggedLineOf } from './platform.ts';

// How many events are kept after a REPORT. A function can write such a line, and then they belong to the request too.
const MOST_AFTER_REPORT = 1_000;

/** Finds the events of one request in a stream, which are passed in the order of the log. */
class RequestPart {
  readonly #requestId: string;
  readonly #isOnlyWithId: boolean;
  /**
   * Events before START with the same time. If START has that time too, they belong to the request: it can sort after
   * them.
   */
  #before: LogEvent[] = [];
  /** Events after REPORT. They belong to the request if another REPORT follows. */
  readonly #after: LogEvent[] = [];
  #reportedAt: number | undefined;
  #hasOther = false;
  hasStart = false;
  report: LoggedReport | undefined;
  /** Whether another request began or ended between this one's START and REPORT. */
  isShared = false;

  /**
   * @param isOnlyWithId whether only events with the ID belong to the request, because several requests write into the
   * stream or the log has no START
   */
  constructor(requestId: string, { isOnlyWithId }: Readonly<{ isOnlyWithId: boolean }>) {
    this.#requestId = requestId;
    this.#isOnlyWithId = isOnlyWithId;
  }

  /** Takes the next event of the stream. Returns the events that are now known to belong to the request. */
  next(event: LogEvent): readonly LogEvent[] {
    const line = loggedLineOf(event.message);
    if (line !== undefined && line.requestId !== this.#requestId) {
      // The next request of an environment begins after this one's REPORT, even if REPORT arrives later.
      this.#hasOther ||= this.hasStart;
      this.#before = [];
      return [];
    }
    if (this.#isOnlyWithId || this.#hasOther) {
      const hasId = line !== undefined || event.message.includes(this.#requestId);
      if (!hasId) return [];
    } else if (!this.hasStart && line?.kind !== 'start') return this.#hold(event);
    if (line?.kind === 'report') return this.#end(event, line.report);
    return line?.kind === 'start' ? this.#start(event) : this.#add(event);
  }

  #hold(event: LogEvent): readonly LogEvent[] {
    if (this.#before[0]?.timestamp !== event.timestamp) this.#before = [];
    this.#before.push(event);
    return [];
  }

  #start(event: LogEvent): readonly LogEvent[] {
    this.hasStart = true;
    const held = this.#before.filter(({ timestamp }) => timestamp === event.timestamp);
    this.#before = [];
    return [event, ...held.flatMap((one) => this.next(one))];
  }

  #add(event: LogEvent): readonly LogEvent[] {
    // Events with the same time as REPORT can be after it.
    if (this.#reportedAt === undefined || this.#reportedAt === event.timestamp) return [event];
    if (this.#after.length < MOST_AFTER_REPORT) this.#after.push(event);
    return [];
  }

  #end(event: LogEvent, report: LoggedReport): readonly LogEvent[] {
    this.report = report;
    this.#reportedAt = event.timestamp;
    this.isShared ||= this.#hasOther;
    return [...this.#after.splice(0), event];
  }
}

/** Called with new events of a request, in the order in which they are found. */
export type OnLogEvents = (events: readonly LogEvent[]) => void;

/** A look into the log, and whether it found new events. */
export type LogLook = Readonly<{ kind: 'look'; isNew: boolean }>;

/** One pass through the log. A failed request interrupts it, and the next look continues it. */
type Pass = { isWhole: boolean; wasReported: boolean; isNew: boolean };

// A hash takes a fraction of the memory of the log itself.
const eventKey = ({ timestamp, message }: LogEvent): string =>
  hash('sha256', `${timestamp} ${message}`, 'base64');

function countIn(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

// In a longer log, only the end is read again for events that arrive late.
const MOST_READ_AGAIN = 5_000;
const PASSES_BETWEEN = 5;
// How many pages are read before the next wait. A page has up to 10,000 events.
const MOST_PAGES = 200;
/** How many bytes of a log are passed on, including a line break for each event. */
const MOST_LOG_BYTES = 64 * 1024 * 1024;

type ReaderParts = Readonly<{
  api: LogsApi;
  source: LogSource;
  request: LoggedRequest;
  /** Ends a look that is in progress. */
  stop: AbortSignal;
  onEvents: OnLogEvents;
}>;

/**
 * Reads the log of one request, look by look, and passes on each event once. A token skips events that arrive late
 * with an older time, so the log is also read again from START on, and new events are passed on.
 */
export class LogReader {
  readonly #parts: ReaderParts;
  #isOnlyWithId: boolean;
  #stream: Readonly<{ name: string; from: number }> | undefined;
  #token: string | undefined;
  #part: RequestPart;
  #pass: Pass | undefined;
  #passes = 0;
  /** How often each event was passed on, and how often it was read since the current pass began. */
  readonly #given = new Map<string, number>();
  #read = new Map<string, number>();
  #bytes = 0;
  #report: LoggedReport | undefined;
  #isQuiet = false;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#isOnlyWithId = parts.source.sharesStreams || parts.source.lacksPlatformLines;
    this.#part = this.#newPart();
  }

  /** Lambda's report on the request, if it was read. */
  get report(): LoggedReport | undefined {
    return this.#report;
  }

  /** Whether any event was passed on. */
  get hasEvents(): boolean {
    return this.#given.size > 0;
  }

  /** Whether other requests write into the stream at the same time, so that only events with the ID are passed on. */
  get isShared(): boolean {
    return this.#part.isShared || this.#parts.source.sharesStreams;
  }

  /** Whether REPORT was read, and then the whole log again without new events. */
  get isComplete(): boolean {
    return this.#report !== undefined && this.#isQuiet;
  }

  /** From now on, passes on every event with the request's ID, because there is no START. */
  readWithoutStart(): void {
    this.#isOnlyWithId = true;
    this.#pass = undefined;
    this.#token = undefined;
  }

  /** Continues reading. After a failure, the next look continues from there. */
  async look(): Promise<LogLook | LogFailure> {
    const stream = this.#stream ?? (await this.#find());
    if (stream === undefined) return { kind: 'look', isNew: false };
    if ('kind' in stream) return stream;
    this.#stream = stream;
    this.#pass ??= this.#beginPass();
    const failure = await this.#readToEnd(stream, this.#pass);
    if (failure !== undefined) return failure;
    const { isWhole, wasReported, isNew } = this.#pass;
    this.#isQuiet = wasReported && isWhole && !isNew;
    this.#pass = undefined;
    return { kind: 'look', isNew };
  }

  async #find(): Promise<Readonly<{ name: string; from: number }> | LogFailure | undefined> {
    const { api, source, request, stop } = this.#parts;
    const mark = source.lacksPlatformLines || this.#isOnlyWithId ? 'id' : 'start';
    const found = await findStream(api, source, { ...request, mark, stop });
    if (found?.kind !== 'stream') return found;
    return { name: found.name, from: mark === 'start' ? found.at : request.since };
  }

  #newPart(): RequestPart {
    return new RequestPart(this.#parts.request.requestId, { isOnlyWithId: this.#isOnlyWithId });
  }

  /** Begins a pass where the last one ended, or at START if events may have arrived late. */
  #beginPass(): Pass {
    this.#passes += 1;
    const isDue = this.#passes % PASSES_BETWEEN === 0 && this.#given.size < MOST_READ_AGAIN;
    const wasReported = this.#report !== undefined;
    const isWhole = this.#token === undefined || !this.#part.hasStart || wasReported || isDue;
    if (isWhole) {
      this.#token = undefined;
      this.#read = new Map();
      this.#part = this.#newPart();
    }
    return { isWhole, wasReported, isNew: false };
  }

  async #readToEnd(
    { name, from }: { name: string; from: number },
    pass: Pass,
  ): Promise<LogFailure | undefined> {
    const { api, source, stop, onEvents } = this.#parts;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const query = { logGroup: source.logGroup, startTime: from, token: this.#token, stop };
      const page = await api.read(query, name);
      if (page.kind === 'failure') return page;
      const events = page.events
        .flatMap((event) => this.#part.next(event))
        .filter((event) => this.#isNew(event));
      this.#report = this.#part.report ?? this.#report;
      if (events.length > 0) onEvents(events);
      pass.isNew ||= events.length > 0;
      const isEnd = page.next === undefined || page.next === this.#token;
      this.#token = page.next;
      if (isEnd) break;
    }
    return undefined;
  }

  #isNew(event: LogEvent): boolean {
    // The event that exceeds the limit is passed on too, so that the receiver sees that there are more.
    if (this.#bytes > MOST_LOG_BYTES) return false;
    const key = eventKey(event);
    if (countIn(this.#read, key) <= (this.#given.get(key) ?? 0)) return false;
    countIn(this.#given, key);
    this.#bytes += Buffer.byteLength(event.message) + 1;
    return true;
  }
}
