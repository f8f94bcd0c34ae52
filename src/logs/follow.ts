import { linkAbort, type Timing } from '../lambda/timing.ts';
import type { LogFailure, LogsApi } from './client.ts';
import type { LoggedRequest, LogSource } from './find.ts';
import type { LoggedReport } from './platform.ts';
import { type LogLook, LogReader, type OnLogEvents } from './read.ts';

const LOOK_MS = 2_000;
const LONGEST_LOOK_MS = 32_000;
// After this many failures to connect, nothing listens there or a firewall blocks the connection.
const MOST_UNREACHABLE = 3;

/** How often to look into a log: every 2 s, plus up to a quarter at random, and half as often after each throttle. */
export class LookPace {
  readonly #random: () => number;
  #ms = LOOK_MS;
  #unreachable = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Records how a look ended. Returns whether another look can help. */
  after(look: LogFailure | Readonly<{ kind: 'look' }>): boolean {
    const refusal = look.kind === 'failure' ? look.refusal : undefined;
    this.#ms = refusal === 'busy' ? Math.min(LONGEST_LOOK_MS, this.#ms * 2) : LOOK_MS;
    this.#unreachable = refusal === 'unreachable' ? this.#unreachable + 1 : 0;
    return refusal !== 'denied' && refusal !== 'unreadable' && this.#unreachable < MOST_UNREACHABLE;
  }

  /** Milliseconds until the next look. */
  get waitMs(): number {
    return this.#ms * (1 + this.#random() / 4);
  }
}

/** When the function responded, or when no response was awaited any more. */
export class ResponseArrival {
  readonly #controller = new AbortController();
  #at: number | undefined;

  /** Aborts with the response. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** In milliseconds since 1970; undefined before the response. */
  get at(): number | undefined {
    return this.#at;
  }

  record(at: number): void {
    this.#at ??= at;
    this.#controller.abort();
  }
}

/** What following a log needs. */
export type LogFollowing = Readonly<{
  api: LogsApi;
  source: LogSource;
  timing: Timing;
  cancel: AbortSignal;
  arrival: ResponseArrival;
  /** Called with events as they are found. An event that arrives late comes after newer ones. */
  onEvents: OnLogEvents;
}>;

/** How far a log was read. */
export type FollowedLog = Readonly<{
  /** `whole`: up to REPORT. `part` and `none`: REPORT did not arrive in time, and something or nothing was read. */
  kind: 'whole' | 'part' | 'none' | 'cancelled' | 'unreadable';
  source: LogSource;
  report?: LoggedReport;
  /** Whether other requests wrote into the stream, so that only events with the request's ID were passed on. */
  isShared: boolean;
  /** Why no more was read, for `unreadable`. */
  failure?: LogFailure;
}>;

/** How long to wait for the log after the response. Usually it arrives within seconds. */
const AFTER_RESPONSE_MS = 30_000;
// How long the last look may take, and any look that begins long after the response.
const LAST_LOOK_MS = 5_000;
const LONGEST_LATE_MS = 15_000;
// Without a REPORT, the log counts as complete after this many looks without new events.
const QUIET_LOOKS = 3;

class Follower {
  readonly #following: LogFollowing;
  readonly #reader: LogReader;
  readonly #unlink: () => void;
  readonly #pace: LookPace;
  /** Aborts when looks must end. */
  readonly #over = new AbortController();
  #quietLooks = 0;

  constructor(request: LoggedRequest, following: LogFollowing) {
    this.#following = following;
    const { signal: stop, unlink } = linkAbort(following.cancel, this.#over.signal);
    this.#unlink = unlink;
    this.#reader = new LogReader({ ...following, request, stop });
    this.#pace = new LookPace(following.timing.random);
  }

  async follow(): Promise<FollowedLog> {
    const { arrival, timing } = this.#following;
    let clear = (): void => {};
    const limit = (): void => {
      clear = timing.after(this.#longestMs, () => this.#over.abort());
    };
    if (arrival.at === undefined) arrival.signal.addEventListener('abort', limit);
    else limit();
    try {
      return await this.#look();
    } finally {
      arrival.signal.removeEventListener('abort', limit);
      clear();
      this.#unlink();
    }
  }

  /** How long looks may still take after the response. */
  get #longestMs(): number {
    return Math.max(this.#until - this.#following.timing.now() + LAST_LOOK_MS, LONGEST_LATE_MS);
  }

  async #look(): Promise<FollowedLog> {
    const { cancel, arrival, timing } = this.#following;
    for (;;) {
      const hadResponse = arrival.at !== undefined;
      const look = await this.#reader.look();
      if (cancel.aborted) return this.#end('cancelled');
      if (this.#over.signal.aborted) return this.#endOf(look);
      if (!this.#pace.after(look)) return this.#unreadable(look);
      if (hadResponse) {
        if (this.#isComplete(look)) return this.#end('whole');
        if (timing.now() >= this.#until) return this.#giveUp(look);
      }
      await this.#wait();
    }
  }

  /** Until when the log is waited for. */
  get #until(): number {
    return (this.#following.arrival.at ?? Number.POSITIVE_INFINITY) + AFTER_RESPONSE_MS;
  }

  #isComplete(look: LogLook | LogFailure): boolean {
    if (this.#reader.isComplete) return true;
    const isQuiet = look.kind === 'look' && !look.isNew && this.#reader.hasEvents;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    return this.#following.source.lacksPlatformLines && this.#quietLooks >= QUIET_LOOKS;
  }

  /** Waits for the next look. When the response arrives, the next look starts at once. */
  async #wait(): Promise<void> {
    const { cancel, arrival, timing } = this.#following;
    const ms = Math.min(this.#pace.waitMs, Math.max(0, this.#until - timing.now()));
    if (arrival.at !== undefined) {
      await timing.sleep(ms, cancel);
      return;
    }
    const { signal, unlink } = linkAbort(cancel, arrival.signal);
    await timing.sleep(ms, signal);
    unlink();
  }

  /** Ends without a complete log. If START is missing too, passes on the events with the ID. */
  async #giveUp(last: LogLook | LogFailure): Promise<FollowedLog> {
    if (this.#reader.report !== undefined || this.#reader.hasEvents) return this.#endOf(last);
    this.#reader.readWithoutStart();
    const look = await this.#reader.look();
    return this.#reader.hasEvents ? this.#end('part') : this.#endOf(look);
  }

  /** How the log was read, after the last look. If nothing was read and that look failed, with the failure. */
  #endOf(last: LogLook | LogFailure): FollowedLog {
    const hasFailed = last.kind === 'failure' && last.refusal !== 'missing';
    return this.#reached === 'none' && hasFailed ? this.#unreadable(last) : this.#end(this.#reached);
  }

  /** How far the log has been read. */
  get #reached(): 'whole' | 'part' | 'none' {
    if (this.#reader.report !== undefined) return 'whole';
    return this.#reader.hasEvents ? 'part' : 'none';
  }

  #unreadable(look: LogLook | LogFailure): FollowedLog {
    return { ...this.#end('unreadable'), ...(look.kind === 'failure' && { failure: look }) };
  }

  #end(kind: FollowedLog['kind']): FollowedLog {
    const { report, isShared } = this.#reader;
    const { source } = this.#following;
    return { kind, source, isShared, ...(report !== undefined && { report }) };
  }
}

/** Follows the log of a request from START to REPORT, at most 30 s beyond the response. Never throws. */
export const followLog = (request: LoggedRequest, following: LogFollowing): Promise<FollowedLog> =>
  new Follower(request, following).follow();
