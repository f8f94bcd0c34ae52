import { info, warning } from '@actions/core';
import { isHalted, isResumedSuccess, type Outcome } from '../outcome/outcome.ts';
import { grouped, onOneLine, shortened } from '../shared/text.ts';
import { writeForeign } from './foreign-text.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** A line that may repeat: what happened, and what happens next, which differs each time. */
export type RepeatableLine = Readonly<{ what: string; next: string }>;

const QUIET_MS = 10_000;

type Repeated = { writtenAt: number; unwritten: number };

/** Writes lines that repeat: the first at once, then at most one every 10 s with how often the line was repeated. */
export class RepeatedLines {
  readonly #now: () => number;
  readonly #write: (line: string) => void;
  readonly #repeated = new Map<string, Repeated>();

  constructor(now: () => number, write: (line: string) => void) {
    this.#now = now;
    this.#write = write;
  }

  /** Writes the line, or counts it if the same line was written just before. */
  add({ what, next }: RepeatableLine): void {
    const now = this.#now();
    const { writtenAt, unwritten } = this.#repeated.get(what) ?? { writtenAt: -QUIET_MS, unwritten: 0 };
    const isDue = now - writtenAt >= QUIET_MS;
    if (isDue) this.#write(`${what}${unwritten === 0 ? '' : moreTimes(unwritten + 1)}${next}`);
    this.#repeated.set(
      what,
      isDue ? { writtenAt: now, unwritten: 0 } : { writtenAt, unwritten: unwritten + 1 },
    );
  }

  /** Writes what was counted and not yet written. */
  end(): void {
    for (const [what, { unwritten }] of this.#repeated) {
      if (unwritten > 0) this.#write(`${what}${moreTimes(unwritten)}.`);
    }
    this.#repeated.clear();
  }
}

const moreTimes = (count: number): string => (count === 1 ? ', once more' : `, ${grouped(count)} more times`);

/** A wait before an invocation is retried. */
export type Pause = Readonly<{
  label: string;
  error: string;
  /** Lambda's reason for throttling it. */
  reason?: string | undefined;
  ran: 'never' | 'perhaps';
  waitMs: number;
  leftMs: number;
}>;

// All error names of throttling.
const THROTTLES: readonly string[] = [
  'HTTP 429',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
];

/** The line before a retry of an invocation: why, when, and how much time is left. */
export function waitLine({ label, error, reason, ran, waitMs, leftMs }: Pause): RepeatableLine {
  const name = THROTTLES.includes(error) ? 'throttled' : error;
  const why = reason === undefined ? name : `${name}, ${reason}`;
  const state = ran === 'never' ? 'not run' : 'may have run';
  return {
    what: `${label}: ${state} (${why})`,
    next: `. Retrying in ${seconds(waitMs)} (${seconds(leftMs)} left).`,
  };
}

/** A request about a function that failed and is retried while the step waits. */
export type FailedRead = Readonly<{
  label: string;
  about: 'configuration' | 'durable execution';
  error: string;
  waitMs: number;
}>;

/** The line about such a request. */
export const pollLine = ({ label, about, error, waitMs }: FailedRead): RepeatableLine => ({
  what: `${label}: could not read the ${about} (${error})`,
  next: `. Retrying in ${seconds(waitMs)}.`,
});

/** The line about a state of a function that is not ready yet. */
export const stateLine = ({ label, state }: { label: string; state: string }): string =>
  `${label} is ${state}`;

/** An event of a durable execution. The name is foreign text. */
export type DurableEvent = Readonly<{
  label: string;
  kind: 'Step' | 'Wait' | 'Callback' | 'ChainedInvoke' | 'Context';
  state: 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Stopped' | 'Cancelled';
  name?: string | undefined;
  seconds?: number | undefined;
}>;

const KINDS: Readonly<Record<DurableEvent['kind'], string>> = {
  Step: 'step',
  Wait: 'wait',
  Callback: 'callback',
  ChainedInvoke: 'invocation',
  Context: 'context',
};
const STATES: Readonly<Record<DurableEvent['state'], string>> = {
  Started: 'started',
  Succeeded: 'succeeded',
  Failed: 'failed',
  TimedOut: 'timed out',
  Stopped: 'was stopped',
  Cancelled: 'was cancelled',
};
// 200 characters, and the … of a longer text.
const SHOWN_CHARACTERS = 201;

/** One line of a durable execution's history. It must be fenced. */
export function historyLine({ label, kind, state, name, seconds }: DurableEvent): string {
  const named = name === undefined ? '' : ` ${shortened(onOneLine(name), SHOWN_CHARACTERS)}`;
  const period =
    seconds === undefined ? '' : state === 'Failed' ? `; retrying in ${seconds} s` : ` (${seconds} s)`;
  return `${label}: ${KINDS[kind]}${named} ${STATES[state]}${period}`;
}

/** Writes the state that a function is in. */
export const writeState = (change: { label: string; state: string }): void => info(stateLine(change));

/** Writes an event of a durable execution. */
export const writeDurableEvent = (event: DurableEvent): void => writeForeign(historyLine(event));

/** Warns that requests are not signed with this machine's time, and how much its clock is wrong. */
export const warnOfClock = (note: string): void =>
  warning(
    `Requests are signed with AWS's time, because ${note}. Set the runner's clock: other steps may fail, and the times in this report are wrong.`,
  );

/** Warns that the steps of an execution can't be shown. */
export const warnOfHiddenHistory = ({ label, error }: { label: string; error: string }): void =>
  warning(
    `The history of the durable execution of ${label} can't be read (${error}), so its steps are not shown. To see them, allow lambda:GetDurableExecution and lambda:GetDurableExecutionHistory.`,
  );

const TRY_STATES: Readonly<Record<string, string>> = {
  started: 'started',
  success: 'succeeded',
  timeout: 'timed out',
  ended: 'ended',
};

/** The line about a try of an accepted event. An unknown state counts as a failure. */
const tryLine = ({ label, number, state }: { label: string; number: number; state: string }): string =>
  `${label}: try ${number} of the event ${(Object.hasOwn(TRY_STATES, state) && TRY_STATES[state]) || 'failed'}`;

/** Writes the state of a try of an accepted event. */
export const writeTry = (happened: Parameters<typeof tryLine>[0]): void => info(tryLine(happened));

/** Warns that it is not known how often an event is retried. */
export const warnOfHiddenRetries = ({ label, error }: { label: string; error: string }): void =>
  warning(
    `The retries of events of ${label} can't be read (${error}), so Lambda's defaults are assumed: 2 retries, 6 hours. To read them, allow lambda:GetFunctionEventInvokeConfig.`,
  );

/** Warns that a function's log could not be read, and says what to do. */
export const warnOfLog = (text: string): void => warning(text, { title: 'Function Log Not Read' });

/** Warns that there is no execution to wait for. */
export const warnOfNoExecution = ({ label }: { label: string }): void =>
  warning(
    `wait_for_durable_execution has nothing to wait for: Lambda started no durable execution of ${label}. Check that the function is durable.`,
  );

// Enough for every line of a thousand invocations that are sometimes throttled. Fifty thousand would write 48 MB.
const MOST_LINES = 2_000;
const EVERY_MS = 1_000;
// Kinds are limited, because a kind may contain the name of an error, and a foreign server can invent any number of
// names.
const MOST_KINDS = 10;

/** Writes the lines of invocations in progress: the first 2,000 one by one, and after that counts, once a second. */
export class LogThrottle {
  readonly #total: number;
  readonly #now: () => number;
  #written = 0;
  #ended = 0;
  /** When counts were last written; undefined while every line is written. */
  #countedAt: number | undefined;
  readonly #counts = new Map<string, number>();

  /** @param plan the number of invocations, and the time in milliseconds */
  constructor({ total, now }: Readonly<{ total: number; now: () => number }>) {
    this.#total = total;
    this.#now = now;
  }

  /** How many invocations have not ended. */
  get left(): number {
    return this.#total - this.#ended;
  }

  /** Writes that one of many invocations has ended. `line` gets the number of ended invocations and of all. */
  end(outcome: Outcome, line: (ended: number, total: number) => string): void {
    this.#ended += 1;
    const ended = this.#ended;
    if (this.#total === 1 || isHalted(outcome) || isResumedSuccess(outcome)) return;
    this.write(outcome.outcome.replaceAll('_', ' '), () => writeForeign(line(ended, this.#total)));
  }

  /** Writes a line, or counts it by its kind. */
  write(kind: string, line: () => void): void {
    if (this.#countedAt === undefined) {
      this.#written += 1;
      if (this.#written <= MOST_LINES) {
        line();
        return;
      }
      info(
        `This log has ${grouped(MOST_LINES)} lines. From here on it has one line per second, with counts.`,
      );
      this.#countedAt = this.#now();
    }
    const counted = this.#counts.has(kind) || this.#counts.size < MOST_KINDS ? kind : 'other';
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
    if (this.#now() - this.#countedAt >= EVERY_MS) this.flush();
  }

  /** Writes what was counted and not yet written. */
  flush(): void {
    if (this.#counts.size === 0) return;
    const counts = [...this.#counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
    info(`[${this.#ended}/${this.#total}] Since the last line: ${counts}.`);
    this.#counts.clear();
    this.#countedAt = this.#now();
  }
}

const MINUTE_MS = 60_000;

/**
 * Writes a line with the elapsed time every minute, so that a quiet log shows that the step is running. The returned
 * function stops it.
 */
export function startHeartbeat(
  after: (ms: number, callback: () => void) => () => void,
  waitedFor: () => string,
): () => void {
  let minutes = 0;
  const next = (): (() => void) =>
    after(MINUTE_MS, () => {
      minutes += 1;
      info(`Still waiting for ${waitedFor()} (${minutes} min so far)`);
      cancel = next();
    });
  let cancel = next();
  return () => cancel();
}

/** The lines that repeat in the log while invocations are in progress. */
export const repeatedLogLines = (now: () => number, throttle: LogThrottle): RepeatedLines =>
  new RepeatedLines(now, (line) => throttle.write('retries', () => info(line)));
