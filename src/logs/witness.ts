import { boundsFor, type Timing } from '../lambda/timing.ts';
import type { LogFailure, LogsApi } from './client.ts';
import { searchAll } from './find.ts';
import { LookPace } from './follow.ts';
import { type LoggedReport, loggedLineOf } from './platform.ts';

/** The requests to look for, their log group, and the period, in milliseconds since 1970. */
export type RunsToFind = Readonly<{
  logGroup: string;
  requestIds: readonly string[];
  from: number;
  until?: number;
}>;

/** What a log has about one request. If it has nothing, that proves nothing: a log can be late, filtered or denied. */
export type SeenRun = Readonly<{
  requestId: string;
  hasStarted: boolean;
  /** Its last REPORT, with its duration and status; absent if none has arrived. */
  report?: LoggedReport;
}>;

/** What the log has about each request, in the given order, and the failure of the last look. */
export type SeenRuns = Readonly<{ runs: readonly SeenRun[]; failure?: LogFailure }>;

/** How long to look, and what ends it early. */
export type WitnessBounds = Readonly<{
  api: LogsApi;
  timing: Timing;
  cancel: AbortSignal;
  /** How long to look again. */
  longestMs: number;
  /** How much longer a look in progress may take after that, because earlier requests may delay it. */
  overtimeMs?: number;
}>;

async function lookFor(
  requestId: string,
  { logGroup, from, until }: RunsToFind,
  { api, stop }: Readonly<{ api: LogsApi; stop: AbortSignal }>,
): Promise<SeenRun | LogFailure> {
  const found = await searchAll(api, { logGroup, text: requestId, from, until, stop });
  if (found.kind === 'failure') return found;
  let seen: SeenRun = { requestId, hasStarted: false };
  for (const { message } of found.events) {
    const line = loggedLineOf(message);
    if (line?.requestId !== requestId) continue;
    // A request with a REPORT has started.
    seen = { ...seen, hasStarted: true, ...(line.kind === 'report' && { report: line.report }) };
  }
  return seen;
}

/**
 * Looks for requests in a log, every 2 s until the time is over, or until at least one request has started and each
 * that has started has its REPORT. Never throws.
 */
export async function lookForRuns(wanted: RunsToFind, given: WitnessBounds): Promise<SeenRuns> {
  const { longestMs, overtimeMs = 0 } = given;
  const { bounds, release } = boundsFor(longestMs + overtimeMs, given);
  try {
    return await lookUntil(wanted, { ...given, stop: bounds.stop });
  } finally {
    release();
  }
}

async function lookUntil(
  wanted: RunsToFind,
  { api, timing, stop, longestMs }: WitnessBounds & Readonly<{ stop: AbortSignal }>,
): Promise<SeenRuns> {
  const until = timing.now() + longestMs;
  const pace = new LookPace(timing.random);
  const runs = new Map<string, SeenRun>(
    wanted.requestIds.map((requestId) => [requestId, { requestId, hasStarted: false }]),
  );
  for (;;) {
    let failure: LogFailure | undefined;
    for (const [requestId, known] of runs) {
      if (known.report !== undefined || stop.aborted) continue;
      const seen = await lookFor(requestId, wanted, { api, stop });
      if ('kind' in seen) failure = seen;
      else runs.set(requestId, seen);
      if ('kind' in seen && !pace.after(seen)) return { runs: [...runs.values()], failure: seen };
    }
    if (failure === undefined) pace.after({ kind: 'look' });
    const all = [...runs.values()];
    const started = all.filter(({ hasStarted }) => hasStarted);
    const isKnown = started.length > 0 && started.every(({ report }) => report !== undefined);
    const leftMs = until - timing.now();
    if (isKnown || stop.aborted || leftMs <= 0) return { runs: all, ...(failure && { failure }) };
    await timing.sleep(Math.min(pace.waitMs, leftMs), stop);
  }
}
