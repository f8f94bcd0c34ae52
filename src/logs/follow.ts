import { linkAbort, type Timing } from '../lambda/timing.ts';
import type { LogFailure, LogsApi } from './client.ts';
import type { LoggedRequest, LogSource } from './find.ts';
import type { LoggedReport } from './platform.ts';
import { type LogLook, LogReader, type OnLogEvents } from './read.ts';

const LOOK_MS = 2_000;
const LONGEST_LOOK_MS = 32_000;
// Nobody listens there, or a firewall is in the way.
const MOST_UNREACHABLE = 3;

/** How often to look into a log: every 2 s, with up to a quarter more at random, and half as often after each throttle. */
export class LookPace {
  readonly #random: () => number;
  #ms = LOOK_MS;
  #unreachable = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Takes in how a look ended. Returns whether another one is of use. */
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
export class Answer {
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

  came(at: number): void {
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
  answer: Answer;
  /** Takes events as they are found. One that arrives late comes after events that are newer. */
  onEvents: OnLogEvents;
}>;

/** How far a log was read. */
export type FollowedLog = Readonly<{
  /** `whole`: up to REPORT, as far as CloudWatch knows. `part` and `none`: REPORT did not arrive in time. */
  kind: 'whole' | 'part' | 'none' | 'cancelled' | 'unreadable';
  source: LogSource;
  report?: LoggedReport;
  /** Whether other requests wrote into the stream, so that only events with the request's ID were given out. */
  isShared: boolean;
  /** Why no more was read, for `unreadable`. */
  failure?: LogFailure;
}>;

/** How long a log is waited for after the response. Usually it arrives within seconds. */
const AFTER_ANSWER_MS = 30_000;
// How long the last look may take, and how long one may take that begins long after the response.
const LAST_LOOK_MS = 5_000;
const LONGEST_LATE_MS = 15_000;
// Where there is no REPORT, nothing else says that the log is complete.
const QUIET_LOOKS = 3;

class Follower {
  readonly #following: LogFollowing;
  readonly #reader: LogReader;
  readonly #unlink: () => void;
  readonly #pace: LookPace;
  /** Aborts when no look may take any longer. */
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
    const { answer, timing } = this.#following;
    let clear = (): void => {};
    const limit = (): void => {
      clear = timing.after(this.#longestMs, () => this.#over.abort());
    };
    if (answer.at === undefined) answer.signal.addEventListener('abort', limit);
    else limit();
    try {
      return await this.#look();
    } finally {
      answer.signal.removeEventListener('abort', limit);
      clear();
      this.#unlink();
    }
  }

  /** How much longer looks may take, from the response on. */
  get #longestMs(): number {
    return Math.max(this.#until - this.#following.timing.now() + LAST_LOOK_MS, LONGEST_LATE_MS);
  }

  async #look(): Promise<FollowedLog> {
    const { cancel, answer, timing } = this.#following;
    for (;;) {
      const wasAnswered = answer.at !== undefined;
      const look = await this.#reader.look();
      if (cancel.aborted) return this.#end('cancelled');
      if (this.#over.signal.aborted) return this.#endOf(look);
      if (!this.#pace.after(look)) return this.#unreadable(look);
      if (wasAnswered) {
        if (this.#isComplete(look)) return this.#end('whole');
        if (timing.now() >= this.#until) return this.#giveUp(look);
      }
      await this.#wait();
    }
  }

  /** Until when the log is waited for. */
  get #until(): number {
    return (this.#following.answer.at ?? Number.POSITIVE_INFINITY) + AFTER_ANSWER_MS;
  }

  #isComplete(look: LogLook | LogFailure): boolean {
    if (this.#reader.isComplete) return true;
    const isQuiet = look.kind === 'look' && !look.isNew && this.#reader.hasEvents;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    return this.#following.source.lacksPlatformLines && this.#quietLooks >= QUIET_LOOKS;
  }

  /** Waits for the next look, which is due at once when the response is there. */
  async #wait(): Promise<void> {
    const { cancel, answer, timing } = this.#following;
    const ms = Math.min(this.#pace.waitMs, Math.max(0, this.#until - timing.now()));
    if (answer.at !== undefined) {
      await timing.sleep(ms, cancel);
      return;
    }
    const { signal, unlink } = linkAbort(cancel, answer.signal);
    await timing.sleep(ms, signal);
    unlink();
  }

  /** No complete log in time. Without a START either, what has the ID is all that can be told. */
  async #giveUp(last: LogLook | LogFailure): Promise<FollowedLog> {
    if (this.#reader.report !== undefined || this.#reader.hasEvents) return this.#endOf(last);
    this.#reader.readWithoutStart();
    const look = await this.#reader.look();
    return this.#reader.hasEvents ? this.#end('part') : this.#endOf(look);
  }

  /** The end after the last look: where nothing was read and that look failed, its failure says why. */
  #endOf(last: LogLook | LogFailure): FollowedLog {
    const hasFailed = last.kind === 'failure' && last.refusal !== 'missing';
    return this.#reached === 'none' && hasFailed ? this.#unreadable(last) : this.#end(this.#reached);
  }

  /** How far the log was read so far. */
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
