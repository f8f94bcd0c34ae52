import type { InvokeFailure, LogEvidence, LoggedRun } from '../lambda/invocation.ts';
import { grouped } from '../shared/text.ts';
import { ranOfEvent } from './event-evidence.ts';

/** What is known about whether an invocation without a response ran. */
export type Ran = 'did_not_run' | 'may_have_run' | 'started' | 'finished';

/** The same in words, to follow the name of the function. */
export const RAN_IN_WORDS: Readonly<Record<Ran, string>> = {
  did_not_run: 'did not run',
  may_have_run: 'may have run',
  started: 'started',
  finished: 'ran',
};

const BY_EVIDENCE = { did_not_run: 'did_not_run', may_have_run: 'may_have_run', ran: 'started' } as const;

/** Whether an invocation ran, by its failure and by the function's log, which can only add to what is known. */
export function ranOf({ evidence, event }: InvokeFailure, inLog: LogEvidence | undefined): Ran {
  if (event !== undefined) return ranOfEvent(event);
  const [first, ...others] = inLog?.runs ?? [];
  if (first === undefined) return BY_EVIDENCE[evidence];
  return [first, ...others].every(({ report }) => report !== undefined) ? 'finished' : 'started';
}

function inUnits(ms: number): string {
  if (ms < 1_000) return `${grouped(ms, ms < 10 ? 1 : 0)} ms`;
  return `${grouped(ms / 1000, ms < 10_000 ? 1 : 0)} s`;
}

/** How a run ended, by the status in its report. An unknown status counts as a failure. */
const RUN_ENDS: Readonly<Record<string, (time: string) => string>> = {
  success: (time) => `ran to its end${time === '' ? '' : ` in ${time}`}`,
  timeout: (time) => `timed out${time === '' ? '' : ` after ${time}`}`,
};

function endOf({ report }: LoggedRun): string {
  if (report === undefined) return 'started, and its log does not show how it ended';
  // In text format, a report without a status means that the handler ran to its end.
  const { status = 'success', durationMs, errorType } = report;
  const time = durationMs === undefined ? '' : inUnits(durationMs);
  const known = Object.hasOwn(RUN_ENDS, status) ? RUN_ENDS[status]?.(time) : undefined;
  const why = errorType === undefined ? '' : ` (${errorType})`;
  return known ?? `failed${time === '' ? '' : ` after ${time}`}${why}`;
}

const TIMES = ['', 'once', 'twice'];

/** The first sentence of the message, if the log shows that the invocation ran; undefined if it shows nothing. */
export function runInWords(inLog: LogEvidence | undefined): string | undefined {
  const [first, ...others] = inLog?.runs ?? [];
  if (first === undefined) return undefined;
  if (others.length === 0) return `The function ${endOf(first)}. Its response was lost.`;
  const runs = [first, ...others];
  const ends = runs.map((run) => `${run.requestId} ${endOf(run)}`);
  return `The function ran ${TIMES[runs.length] ?? `${runs.length} times`}: ${ends.join('; ')}. Its response was lost.`;
}

/** Why it is not known whether an invocation ran, if its log was read. */
export function whyNotKnown(inLog: LogEvidence | undefined): string {
  if (inLog === undefined) return '';
  return inLog.unreadable === undefined
    ? ': its log does not show it yet'
    : `: its log could not be read (${inLog.unreadable})`;
}
