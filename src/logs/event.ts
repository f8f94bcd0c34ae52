import { Buffer } from 'node:buffer';
import type { LambdaApi } from '../lambda/api.ts';
import {
  DEFAULT_EVENT_CONFIGURATION,
  type EventConfiguration,
  readEventConfiguration,
} from '../lambda/configuration.ts';
import { toUnresolvedEvent } from '../lambda/failures.ts';
import type {
  Invocation,
  InvokeFailure,
  InvokeResponse,
  UnresolvedEvent,
  WhyUnresolved,
} from '../lambda/invocation.ts';
import { type Bounds, boundsFor, stopCauseOf } from '../lambda/timing.ts';
import { isUuid } from '../shared/text.ts';
import { type Fields, fieldsOf } from '../shared/values.ts';
import type { LogFailure, LogPage, LogsClients } from './client.ts';
import { findLogSource, type LogSource, searchAll } from './find.ts';
import { LookPace } from './follow.ts';
import { type LoggedReport, loggedLineOf } from './platform.ts';

type LoggedEvent = LogPage['events'][number];

/** One try of the event, as the log shows it. */
type Try = Readonly<{
  stream: string | undefined;
  start: LoggedEvent | undefined;
  end?: Readonly<{ event: LoggedEvent; report: LoggedReport }>;
}>;

/** The log events of a function, without duplicates. In a shared log group, another function may log the same ID. */
function eventsOf(functionName: string, events: readonly LoggedEvent[]): readonly LoggedEvent[] {
  const isOwn = ({ stream = '' }: LoggedEvent): boolean => stream.includes(`/${functionName}[`);
  const own = events.some(isOwn) ? events.filter(isOwn) : events;
  // Two lines that Lambda writes about one request never have the same time and text.
  return [...new Map(own.map((event) => [JSON.stringify(event), event])).values()];
}

// Lambda's second try starts after one minute, and the third after two more minutes.
const RETRY_MS = [60_000, 120_000] as const;

/** The try of a REPORT: the last START in its stream without a REPORT, or the try that has just ended there. */
function tryOfReport(tries: readonly Try[], { stream, timestamp }: LoggedEvent): number {
  const open = tries.findLastIndex((one) => one.stream === stream && one.end === undefined);
  if (open >= 0) return open;
  // A function can write a line that looks like its REPORT. The last such line is Lambda's.
  return tries.findLastIndex(
    ({ end, ...one }) =>
      one.stream === stream && end !== undefined && timestamp - end.event.timestamp < RETRY_MS[0] / 2,
  );
}

/** The tries in the order of their START. */
function triesIn(events: readonly LoggedEvent[], requestId: string): readonly Try[] {
  const tries: Try[] = [];
  for (const event of events) {
    const line = loggedLineOf(event.message);
    if (line?.requestId !== requestId) continue;
    const { stream } = event;
    if (line.kind === 'start') {
      tries.push({ stream, start: event });
      continue;
    }
    const at = tryOfReport(tries, event);
    const end = { event, report: line.report };
    // A START may arrive after its REPORT.
    if (at < 0) tries.push({ stream, start: undefined, end });
    else tries[at] = { stream, start: tries[at]?.start, end };
  }
  return tries;
}

// A longer log event is not searched for an error. An event in CloudWatch Logs has at most 256 KB.
const LONGEST_ERROR = 262_144;
// The Node.js runtime logs what a handler throws as one line: time, request ID, level, title, the error as JSON.
const THROWN = /\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection) *\t(?<json>\{.*)$/m;

function fieldsIn(json: string): Fields {
  try {
    return fieldsOf(JSON.parse(json));
  } catch {
    return {};
  }
}

/** The error that a runtime logged in either format, in the form of the payload of a failed invocation. */
function errorIn({ message }: LoggedEvent): string | undefined {
  if (message.length > LONGEST_ERROR) return undefined;
  const text = THROWN.exec(message)?.groups?.['json'];
  const line = fieldsIn(text ?? message);
  const error = typeof line['errorType'] === 'string' ? line : fieldsOf(line['message']);
  const { errorType, errorMessage, stackTrace = error['stack'] } = error;
  if (typeof errorType !== 'string') return undefined;
  return JSON.stringify({ errorType, errorMessage, ...(Array.isArray(stackTrace) && { stackTrace }) });
}

const TIMED_OUT = 'Sandbox.Timedout';

/** The error of a failed try: the last error that its runtime logged, or else the status in its REPORT. */
function errorOf({ stream, start, end }: Try, events: readonly LoggedEvent[]): string {
  const from = start?.timestamp ?? 0;
  const own = events.filter((event) => event.stream === stream && event.timestamp >= from);
  const logged = own.map(errorIn).findLast((error) => error !== undefined);
  if (logged !== undefined) return logged;
  const { status = 'error', errorType } = end?.report ?? {};
  return JSON.stringify({
    errorType: errorType ?? (status === 'timeout' ? TIMED_OUT : 'Runtime.Unknown'),
    errorMessage: `The log reports status ${status}.`,
  });
}

/** What to do after a look into the log: wait for more, or end with what is known. */
type EventDecision =
  | Readonly<{ kind: 'wait' }>
  | Readonly<{ kind: 'succeeded' | 'failed'; one: Try }>
  | Readonly<{ kind: 'unresolved'; why: WhyUnresolved }>;

const WAIT: EventDecision = { kind: 'wait' };
// How long a START may take to arrive in the log.
const SLACK_MS = 30_000;

/** Decides by the tries so far, at a time of AWS's clock. */
function decideOnEvent(
  tries: readonly Try[],
  { mostRetries, longestAgeMs }: EventConfiguration,
  { now, acceptedAt }: Readonly<{ now: number; acceptedAt: number }>,
): EventDecision {
  const success = tries.find(({ end }) => end?.report.status === 'success');
  if (success !== undefined) return { kind: 'succeeded', one: success };
  const last = tries.at(-1);
  const isTooOld = now > acceptedAt + longestAgeMs + SLACK_MS;
  if (last === undefined) return isTooOld ? { kind: 'unresolved', why: 'expired' } : WAIT;
  if (last.end === undefined) return WAIT;
  const isLast = tries.length > mostRetries || isTooOld;
  if (last.end.report.status !== undefined) return isLast ? { kind: 'failed', one: last } : WAIT;
  // In text format, the log does not show whether the handler threw. If it did, there is another try.
  const [first, second] = RETRY_MS;
  const nextBy = last.end.event.timestamp + (tries.length === 1 ? first : second) + SLACK_MS;
  return isLast || now > nextBy ? { kind: 'unresolved', why: 'text log' } : WAIT;
}

/** A try that has started, or has ended with a status. A text log has a status only if Lambda itself ended the try. */
export type EventTry = Readonly<{ invocation: Invocation; number: number; state: string }>;

/** What waiting for events needs, and callbacks for what happens. */
export type EventWaiting = Readonly<{
  logs: LogsClients;
  onTry: (happened: EventTry) => void;
  /** Called if the configuration of retries can't be read. Lambda's defaults are assumed then. */
  onHiddenConfiguration: (invocation: Invocation, failure: InvokeFailure) => void;
}>;

const LONGEST_CONFIGURATION_READ_MS = 10_000;
const LONGEST_WAIT_MS = 10_000;
const GROWTH = 1.5;
// AWS refuses a signature that is 5 minutes off, so a clock that is not known to be wrong is at most this wrong.
const LONGEST_SKEW_MS = 300_000;

type Asked = Bounds & Readonly<{ api: LambdaApi }>;

/** Waits for the end of one accepted event. */
class EventWatch {
  readonly #accepted: InvokeResponse;
  readonly #invocation: Invocation;
  readonly #parts: EventWaiting & Asked;
  readonly #pace: LookPace;
  #events: readonly LoggedEvent[] = [];
  #tries: readonly Try[] = [];
  #source: LogSource | undefined;
  #quietLooks = 0;

  constructor(accepted: InvokeResponse, invocation: Invocation, parts: EventWaiting & Asked) {
    this.#accepted = accepted;
    this.#invocation = invocation;
    this.#parts = parts;
    this.#pace = new LookPace(parts.timing.random);
  }

  async wait(): Promise<InvokeResponse | InvokeFailure> {
    const { requestId = '' } = this.#accepted;
    if (!isUuid(requestId)) return this.#unresolved('no request ID');
    const { source, configuration } = await this.#readConfiguration();
    this.#source = source;
    if (source.lacksPlatformLines) return this.#unresolved('no platform lines');
    const { timing, api } = this.#parts;
    const acceptedAt = (this.#accepted.sentAt?.getTime() ?? timing.now()) + api.clockOffsetMs;
    const from = acceptedAt - LONGEST_SKEW_MS;
    for (;;) {
      const failure = await this.#look(requestId, source, from);
      const cause = stopCauseOf(this.#parts);
      if (cause !== undefined) return this.#unresolved(cause === 'deadline' ? 'timeout' : cause, failure);
      if (failure !== undefined && !this.#pace.after(failure)) return this.#unresolved('unreadable', failure);
      const decision = decideOnEvent(this.#tries, configuration, { now: this.#now, acceptedAt });
      if (decision.kind === 'unresolved') return this.#unresolved(decision.why);
      if (decision.kind !== 'wait') return this.#end(decision);
      await this.#sleep();
    }
  }

  get #now(): number {
    return this.#parts.timing.now() + this.#parts.api.clockOffsetMs;
  }

  async #readConfiguration(): Promise<Readonly<{ source: LogSource; configuration: EventConfiguration }>> {
    const { api, onHiddenConfiguration } = this.#parts;
    const { bounds, release } = boundsFor(LONGEST_CONFIGURATION_READ_MS, {
      ...this.#parts,
      cancel: this.#parts.stop,
    });
    const [source, configuration] = await Promise.all([
      findLogSource({ ...bounds, api, region: await api.region() }, this.#invocation),
      readEventConfiguration(api, this.#invocation, bounds),
    ]);
    release();
    if (configuration.kind !== 'failure') return { source, configuration };
    if (!this.#parts.stop.aborted) onHiddenConfiguration(this.#invocation, configuration);
    return { source, configuration: DEFAULT_EVENT_CONFIGURATION };
  }

  /** Reads everything that the log has about the event. A failure changes nothing of what is known. */
  async #look(text: string, { region, logGroup }: LogSource, from: number): Promise<LogFailure | undefined> {
    const { logs, stop } = this.#parts;
    const found = await searchAll(logs.of(region), { logGroup, text, from, stop });
    if (found.kind === 'failure') return found;
    this.#pace.after({ kind: 'look' });
    const events = eventsOf(this.#invocation.reference.name, found.events);
    this.#quietLooks = events.length > this.#events.length ? 0 : this.#quietLooks + 1;
    const tries = triesIn(events, text);
    this.#tell(tries);
    this.#events = events;
    this.#tries = tries;
    return undefined;
  }

  #tell(tries: readonly Try[]): void {
    const { onTry } = this.#parts;
    for (const [index, { end }] of tries.entries()) {
      const known = this.#tries[index];
      const happened = { invocation: this.#invocation, number: index + 1 };
      if (known === undefined) onTry({ ...happened, state: 'started' });
      if (end !== undefined && known?.end === undefined) {
        onTry({ ...happened, state: end.report.status ?? 'ended' });
      }
    }
  }

  /** Waits for the next look: for 2 s, and longer if nothing happens. */
  async #sleep(): Promise<void> {
    const { timing, stop } = this.#parts;
    const quietMs = Math.min(LONGEST_WAIT_MS, 1_000 * GROWTH ** Math.min(this.#quietLooks, 10));
    await timing.sleep(Math.max(this.#pace.waitMs, quietMs), stop);
  }

  /** How the event ended, as a response that replaces the accepting one. Its figures are those of the last try. */
  #end({ kind, one }: Extract<EventDecision, { one: Try }>): InvokeResponse {
    const lines = [one.start, one.end?.event].map((event) => event?.message.trimEnd() ?? '');
    const { logGroup } = this.#source ?? {};
    const ended = {
      ...this.#accepted,
      ...(logGroup !== undefined && { logGroup }),
      logTail: Buffer.from(lines.join('\n')),
    };
    return kind === 'succeeded'
      ? ended
      : { ...ended, functionError: 'Unhandled', payload: Buffer.from(errorOf(one, this.#events)) };
  }

  #unresolved(why: WhyUnresolved, failure?: LogFailure): InvokeFailure {
    const event: UnresolvedEvent = {
      why,
      started: this.#tries.length,
      finished: this.#tries.filter(({ end }) => end !== undefined).length,
      ...(this.#source !== undefined && { logGroup: this.#source.logGroup }),
      ...(failure !== undefined && { failure: { name: failure.name, message: failure.message } }),
    };
    return toUnresolvedEvent(this.#accepted, event);
  }
}

/** Waits until the log shows how an accepted event ended, or until the bounds are reached. Never throws. */
export const waitForEvent = (
  accepted: InvokeResponse,
  invocation: Invocation,
  parts: EventWaiting & Asked,
): Promise<InvokeResponse | InvokeFailure> => new EventWatch(accepted, invocation, parts).wait();
