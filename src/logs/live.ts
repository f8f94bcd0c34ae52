import type { Clients } from '../lambda/client.ts';
import type { Invocation, InvocationResult } from '../lambda/invocation.ts';
import type { Sending } from '../lambda/invoker.ts';
import { boundsFor, linkAbort, type Timing } from '../lambda/timing.ts';
import { isUuid } from '../shared/text.ts';
import type { LogEvent, LogsClients } from './client.ts';
import { findLogSource, type LogSource } from './find.ts';
import { type FollowedLog, followLog, ResponseArrival } from './follow.ts';

/** What reading the logs of a step's invocations needs. */
export type LogReading = Readonly<{
  clients: Clients;
  logs: LogsClients;
  timing: Timing;
  cancel: AbortSignal;
}>;

/** Receives the source of a log before anything is read, and then its events as they are found. */
export type LogSink = Readonly<{
  onSource: (source: LogSource) => void;
  onEvents: (events: readonly LogEvent[]) => void;
}>;

// AWS refuses a signature that is 5 minutes off, so a clock that is not known to be wrong is at most this wrong.
const LONGEST_SKEW_MS = 300_000;
const LONGEST_CONFIGURATION_READ_MS = 10_000;

/** The ID of a request in the log, if it may have run: Lambda's ID, or ours if no response has another. */
function loggedIdOf({ sent }: InvocationResult): Readonly<{ requestId: string; sentAt: Date }> | undefined {
  const ran = sent.findLast(({ mayHaveRun }) => mayHaveRun);
  const requestId = ran?.requestId ?? ran?.sentAs;
  return ran === undefined || requestId === undefined || !isUuid(requestId)
    ? undefined
    : { requestId, sentAt: ran.sentAt };
}

type Followed = Readonly<{
  requestId: string;
  arrival: ResponseArrival;
  superseded: AbortController;
  done: Promise<FollowedLog>;
}>;

/** The log of one invocation, from the moment when it is sent, under the ID of its last attempt. */
export class InvocationLog {
  readonly #reading: LogReading;
  readonly #sink: LogSink;
  #followed: Followed | undefined;
  /** Found once, even if the invocation is retried. */
  #source: Promise<LogSource> | undefined;

  constructor(reading: LogReading, sink: LogSink) {
    this.#reading = reading;
    this.#sink = sink;
  }

  /** Follows an attempt that is about to be sent, and stops following the one before. */
  begin({ invocation, api, sentAs }: Sending): void {
    this.#followed?.superseded.abort();
    if (sentAs === undefined) return;
    const sentAt = this.#reading.timing.now() + api.clockOffsetMs;
    this.#followed = this.#follow({ requestId: sentAs, sentAt }, invocation);
  }

  /** Reads the log to its end. Undefined if nothing can have run, or if its ID is not known. */
  async end(ended: InvocationResult): Promise<FollowedLog | undefined> {
    const logged = loggedIdOf(ended);
    if (logged?.requestId !== this.#followed?.requestId) {
      // Nothing ran, or Lambda uses another ID.
      this.#followed?.superseded.abort();
      this.#followed = undefined;
    }
    if (logged === undefined) return undefined;
    const { requestId, sentAt } = logged;
    const { clockOffsetMs } = this.#reading.clients.of(ended.invocation.region);
    const sent = { requestId, sentAt: sentAt.getTime() + clockOffsetMs };
    this.#followed ??= this.#follow(sent, ended.invocation);
    this.#followed.arrival.record(ended.startedAt.getTime() + ended.elapsedMs);
    return this.#followed.done;
  }

  #follow(request: Readonly<{ requestId: string; sentAt: number }>, invocation: Invocation): Followed {
    const { requestId, sentAt } = request;
    const [arrival, superseded] = [new ResponseArrival(), new AbortController()];
    const { signal: cancel, unlink } = linkAbort(this.#reading.cancel, superseded.signal);
    const follow = async (): Promise<FollowedLog> => {
      this.#source ??= this.#findSource(invocation);
      const source = await this.#source;
      const api = this.#reading.logs.of(source.region);
      const { timing } = this.#reading;
      const { onEvents } = this.#sink;
      const since = sentAt - LONGEST_SKEW_MS;
      const following = { api, source, timing, cancel, arrival, onEvents };
      return followLog({ requestId, since }, following).finally(unlink);
    };
    return { requestId, arrival, superseded, done: follow() };
  }

  async #findSource(invocation: Invocation): Promise<LogSource> {
    const { clients } = this.#reading;
    const api = clients.of(invocation.region);
    const { bounds, release } = boundsFor(LONGEST_CONFIGURATION_READ_MS, this.#reading);
    const source = await findLogSource({ ...bounds, api, region: await api.region() }, invocation);
    release();
    this.#sink.onSource(source);
    return source;
  }
}
