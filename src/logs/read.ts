import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import type { LogEvent, LogFailure, LogsApi } from './client.ts';
import { findStream, type LoggedRequest, type LogSource } from './find.ts';
import { type LoggedReport, loggedLineOf } from './platform.ts';

// A function can write a line that looks like its REPORT. This many events after one may turn out to be the request's.
const MOST_HELD = 1_000;

/** Finds out which events of a stream are a request's, one after the other in the order of the log. */
class RequestPart {
  readonly #requestId: string;
  readonly #isOnlyWithId: boolean;
  /** Before START, what has one time: events with START's own are the request's, and a later START sorts behind them. */
  #before: LogEvent[] = [];
  /** After REPORT, what is the request's where another REPORT follows. */
  readonly #after: LogEvent[] = [];
  #reportedAt: number | undefined;
  #hasOther = false;
  hasStart = false;
  report: LoggedReport | undefined;
  /** Whether another request began or ended between this one's START and REPORT. */
  isShared = false;

  /** @param source whether only events with the ID are the request's: several write at once, or none has a START */
  constructor(requestId: string, { isOnlyWithId }: Readonly<{ isOnlyWithId: boolean }>) {
    this.#requestId = requestId;
    this.#isOnlyWithId = isOnlyWithId;
  }

  /** The events that turn out to be the request's with the next one of the stream. */
  next(event: LogEvent): readonly LogEvent[] {
    const line = loggedLineOf(event.message);
    if (line !== undefined && line.requestId !== this.#requestId) {
      // The next request of an environment begins after this one's REPORT, which may arrive later.
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
    // In the time of REPORT, what arrives after it sorts behind it.
    if (this.#reportedAt === undefined || this.#reportedAt === event.timestamp) return [event];
    if (this.#after.length < MOST_HELD) this.#after.push(event);
    return [];
  }

  #end(event: LogEvent, report: LoggedReport): readonly LogEvent[] {
    this.report = report;
    this.#reportedAt = event.timestamp;
    this.isShared ||= this.#hasOther;
    return [...this.#after.splice(0), event];
  }
}

/** Takes events of a request that were not given out before, in the order in which they are found. */
export type OnLogEvents = (events: readonly LogEvent[]) => void;

/** What a look into the log brought. */
export type LogLook = Readonly<{ kind: 'look'; isNew: boolean }>;

/** A way through the log, which a failed request only interrupts. */
type Pass = { isWhole: boolean; wasReported: boolean; isNew: boolean };

// The log itself would take several times the memory.
const eventKey = ({ timestamp, message }: LogEvent): string =>
  hash('sha256', `${timestamp} ${message}`, 'base64');

function countIn(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

// In a log that is longer, events that arrive late are looked for at its end only.
const MOST_READ_AGAIN = 5_000;
const PASSES_BETWEEN = 5;
// A page has up to 10,000 events; this many are read before the next wait.
const MOST_PAGES = 200;
/** How many bytes of a log are given out, with a line break for each event. */
export const MOST_LOG_BYTES = 64 * 1024 * 1024;

type ReaderParts = Readonly<{
  api: LogsApi;
  source: LogSource;
  request: LoggedRequest;
  /** Ends a look that is in progress. */
  stop: AbortSignal;
  onEvents: OnLogEvents;
}>;

/**
 * Reads the log of one request, look by look, and gives each event out once. A token leads past events that arrive
 * late with an older time, so the log is also read again from START on, and what was not there before is given out.
 */
export class LogReader {
  readonly #parts: ReaderParts;
  #isOnlyWithId: boolean;
  #stream: Readonly<{ name: string; from: number }> | undefined;
  #token: string | undefined;
  #part: RequestPart;
  #pass: Pass | undefined;
  #passes = 0;
  /** How often each event was given out, and how often it was read since the log was begun again. */
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

  /** Lambda's report on the request, once it was read. */
  get report(): LoggedReport | undefined {
    return this.#report;
  }

  /** Whether anything was given out. */
  get hasEvents(): boolean {
    return this.#given.size > 0;
  }

  /** Whether other requests write into the stream at the same time: only events with the ID are given out. */
  get isShared(): boolean {
    return this.#part.isShared || this.#parts.source.sharesStreams;
  }

  /** Whether REPORT was read, and then all of the log once more without anything new in it. */
  get isComplete(): boolean {
    return this.#report !== undefined && this.#isQuiet;
  }

  /** Takes every event with the request's ID from now on: there is no START to read from. */
  readWithoutStart(): void {
    this.#isOnlyWithId = true;
    this.#pass = undefined;
    this.#token = undefined;
  }

  /** Reads on. A failure is one of this look: the next continues from there. */
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

  /** Begins where the last pass ended, or from START on where events may have arrived before that. */
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
    // The event that does not fit is the last one, so that the reader knows that there are more.
    if (this.#bytes > MOST_LOG_BYTES) return false;
    const key = eventKey(event);
    if (countIn(this.#read, key) <= (this.#given.get(key) ?? 0)) return false;
    countIn(this.#given, key);
    this.#bytes += Buffer.byteLength(event.message) + 1;
    return true;
  }
}
