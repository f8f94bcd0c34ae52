import type { Clients } from '../lambda/client.ts';
import type {
  Invocation,
  InvocationResult,
  LogEvidence,
  LoggedRun,
  SentAttempt,
} from '../lambda/invocation.ts';
import { boundsFor, type Timing } from '../lambda/timing.ts';
import { isUuid } from '../shared/text.ts';
import type { LogFailure, LogsClients } from './client.ts';
import { findLogSource, type LogSource } from './find.ts';
import { lookForRuns, type RunsToFind, type SeenRuns } from './witness.ts';

/** A log that the caller is not allowed to read. */
export type DeniedLog = Readonly<{ invocation: Invocation; source: LogSource; failure: LogFailure }>;

/** What looking into logs needs, and the callback for a denied log, which is called once for each log group. */
export type LostParts = Readonly<{
  clients: Clients;
  logs: LogsClients;
  timing: Timing;
  cancel: AbortSignal;
  onDenied: (denied: DeniedLog) => void;
}>;

// How many invocations are looked up. The others have links to their logs.
const MOST_LOOKS = 20;
const LONGEST_LOOK_MS = 15_000;
// Added for each look in progress, because concurrent looks share one request per second.
const QUEUED_MS = 1_000;
const LONGEST_CONFIGURATION_READ_MS = 5_000;
// How many attempts of one invocation are looked up: the last ones.
const MOST_ATTEMPTS = 10;
// AWS accepts signatures of a clock that is up to this wrong, so a smaller difference is not known.
const LONGEST_SKEW_MS = 300_000;

// A function runs for 15 minutes at most, and Lambda keeps an event for 6 hours.
const LONGEST_RUN_MS = { RequestResponse: 900_000, Event: 21_600_000 + 900_000, DryRun: 0 } as const;

/** The IDs under which the log may have an attempt. Ours is first, because nobody else uses it. */
const idsOf = ({ requestId, sentAs }: SentAttempt): string[] => [
  ...new Set([sentAs, requestId].filter((id) => id !== undefined).filter(isUuid)),
];

const attemptsToFind = ({ sent }: InvocationResult): readonly SentAttempt[] =>
  sent.filter((attempt) => attempt.mayHaveRun && idsOf(attempt).length > 0).slice(-MOST_ATTEMPTS);

function toLoggedRun({ runs }: SeenRuns): LoggedRun | undefined {
  const seen = runs.find(({ hasStarted }) => hasStarted);
  return seen && { requestId: seen.requestId, ...(seen.report && { report: seen.report }) };
}

/** Looks in the functions' logs for invocations that may have run and have no response. */
export class LostInvocations {
  readonly #parts: LostParts;
  readonly #sources = new Map<string, Promise<LogSource>>();
  readonly #denied = new Set<string>();
  #looks = 0;

  constructor(parts: LostParts) {
    this.#parts = parts;
  }

  /** Looks once, for up to 15 s. Undefined if there is nothing to look for, or after 20 looks. */
  async look(ended: InvocationResult): Promise<LogEvidence | undefined> {
    const attempts = attemptsToFind(ended);
    if (attempts.length === 0 || this.#looks >= MOST_LOOKS) return undefined;
    const overtimeMs = this.#looks * QUEUED_MS;
    this.#looks += 1;
    const source = await this.#source(ended.invocation);
    const { logGroup } = source;
    // Each attempt is looked up for its own time, because the end of one says nothing about another.
    const { clockOffsetMs } = this.#parts.clients.of(ended.invocation.region);
    const seen = await Promise.all(
      attempts.map((attempt) => {
        const sentAt = attempt.sentAt.getTime() + clockOffsetMs;
        const from = sentAt - LONGEST_SKEW_MS;
        const until = sentAt + LONGEST_RUN_MS[ended.invocation.invocationType] + LONGEST_SKEW_MS;
        const wanted = { logGroup, requestIds: idsOf(attempt), from, until };
        return this.#lookFor(wanted, { ...source, overtimeMs });
      }),
    );
    // A log group that does not exist yet counts as an empty one, not as a failure.
    const failure = seen.map((one) => one.failure).find((one) => one && one.refusal !== 'missing');
    if (failure?.refusal === 'denied') this.#reportDenied({ invocation: ended.invocation, source, failure });
    const runs = seen.map(toLoggedRun).filter((run) => run !== undefined);
    return { logGroup, runs, ...(failure !== undefined && { unreadable: failure.name }) };
  }

  #lookFor(
    wanted: RunsToFind,
    { region, overtimeMs }: LogSource & Readonly<{ overtimeMs: number }>,
  ): Promise<SeenRuns> {
    const { logs, timing, cancel } = this.#parts;
    const bounds = { api: logs.of(region), timing, cancel, longestMs: LONGEST_LOOK_MS, overtimeMs };
    return lookForRuns(wanted, bounds);
  }

  #reportDenied(denied: DeniedLog): void {
    const { logGroup } = denied.source;
    if (!this.#denied.has(logGroup)) this.#parts.onDenied(denied);
    this.#denied.add(logGroup);
  }

  #source(invocation: Invocation): Promise<LogSource> {
    const { functionName, qualifier, region } = invocation;
    const key = JSON.stringify([region, functionName, qualifier]);
    const source = this.#sources.get(key) ?? this.#findSource(invocation);
    this.#sources.set(key, source);
    return source;
  }

  async #findSource(invocation: Invocation): Promise<LogSource> {
    const { clients } = this.#parts;
    const api = clients.of(invocation.region);
    const region = await api.region();
    const { bounds, release } = boundsFor(LONGEST_CONFIGURATION_READ_MS, this.#parts);
    try {
      return await findLogSource({ ...bounds, api, region }, invocation);
    } finally {
      release();
    }
  }
}
