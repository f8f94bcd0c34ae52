import { info } from '@actions/core';
import type { ErrorFacts } from '../outcome/function-error.ts';
import { readLogPlace } from '../outcome/log-tail.ts';
import type { Ran } from '../outcome/logged-runs.ts';
import type { MaskedEvaluation } from '../outcome/masks.ts';
import { isFunctionError, type Outcome } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/step-results.ts';
import { cut, grouped, utf8 } from '../shared/text.ts';
import { type LogGroup, writeForeign, writeGroup } from './foreign-text.ts';
import { isTooLong, LONGEST_OUTPUT_BYTES } from './outputs.ts';

const SHOWN_BYTES = 64 * 1024;
const FOREIGN_BYTES = 4 * 1024;
// The types of all runtimes, such as java.lang.IllegalStateException and *errors.errorString. Other types can be any
// text.
const ERROR_TYPE = /^[\w.*$<>-]{1,100}$/;

/** What the user wants to see in the log; a response and a log that were shown as they arrived are not shown again. */
export type LogOptions = Readonly<{ showResponse: boolean; isShownAlready?: boolean; followsLog?: boolean }>;

type Ended<Kind extends Outcome['outcome']> = Readonly<{
  outcome: Extract<Outcome, { outcome: Kind }>;
  responseBytes: number;
}>;

/** Status and size of a response, in parentheses. */
const figures = (status: number, responseBytes: number): string =>
  `(status: ${status}, response: ${counted(responseBytes, 'byte')})`;

/**
 * The line about an event. Only the function's log has its figures, so if there are any, the step waited for its end.
 */
const eventLine = ({
  status_code: status,
  duration_ms: durationMs,
}: Ended<'succeeded'>['outcome']): string =>
  durationMs === undefined
    ? `was invoked asynchronously (status: ${status})`
    : `handled its event successfully (status: ${status}, duration: ${durationMs} ms)`;

function successLine({ outcome, responseBytes }: Ended<'succeeded'>): string {
  const { status_code: status } = outcome;
  if (outcome.resumed) return 'succeeded in an earlier run';
  switch (outcome.invocation_type) {
    case 'RequestResponse':
      return `succeeded ${figures(status, responseBytes)}`;
    case 'Event':
      // There is a response only if a durable execution was followed.
      return 'response' in outcome
        ? `completed its durable execution ${figures(status, responseBytes)}`
        : eventLine(outcome);
    case 'DryRun':
      return `can be invoked (status: ${status})`;
    default:
      return outcome.invocation_type satisfies never;
  }
}

function errorLine(
  { outcome, responseBytes }: Ended<'function_error'>,
  { type }: Partial<ErrorFacts> = {},
): string {
  const named = type !== undefined && ERROR_TYPE.test(type) ? `: ${type}` : '';
  return `failed${named} ${figures(outcome.status_code, responseBytes)}`;
}

/** How an invocation without a response ended. */
const WITHOUT_RESPONSE: Readonly<Record<Ran, string>> = {
  did_not_run: 'did not respond and did not run',
  may_have_run: 'did not respond and may have run',
  started: 'started, but did not respond',
  finished: 'ran, but its response was lost',
};

function unknownLine({ outcome, responseBytes }: Ended<'unknown'>): string {
  const { name } = outcome.error;
  if (name === 'EvaluationFailed') return 'responded, but its outcome could not be evaluated';
  if (outcome.durable_execution_arn !== undefined) {
    return `started a durable execution, but how it ended is not known (${name})`;
  }
  if (outcome.error.name === 'EventUnresolved') return 'accepted the event, but how it ended is not known';
  return responseBytes > 0
    ? `responded in part: the stream ended early, after ${counted(responseBytes, 'byte')}`
    : `${WITHOUT_RESPONSE[outcome.ran]} (${name})`;
}

function outcomeLine({ outcome, responseBytes, unmet, functionError }: MaskedEvaluation): string {
  switch (outcome.outcome) {
    case 'succeeded':
      return successLine({ outcome, responseBytes });
    case 'expectation_failed':
      return `responded, but did not meet ${counted(unmet.length, 'expectation')} ${figures(outcome.status_code, responseBytes)}`;
    case 'function_error':
      return errorLine({ outcome, responseBytes }, functionError);
    case 'not_invoked':
      return `was not invoked (${outcome.error.name})`;
    case 'unknown':
      return unknownLine({ outcome, responseBytes });
    default:
      return outcome satisfies never;
  }
}

/** A number and a noun, in the singular or the plural. */
const counted = (count: number, thing: string): string =>
  `${grouped(count)} ${count === 1 ? thing : `${thing}s`}`;

/** The line that says how an invocation ended. It is short, because the annotation has the whole error. */
export const outcomeHeadline = (evaluation: MaskedEvaluation): string =>
  `${evaluation.label} ${outcomeLine(evaluation)}`;

function logGroup({ log, isCut }: { log: string; isCut: boolean }): LogGroup {
  const place = readLogPlace(log);
  if (place) {
    return {
      title: 'Function log (stored in CloudWatch Logs)',
      foreign: `Log group: ${place.logGroup}\nLog stream: ${place.logStreamName}`,
    };
  }
  return { title: isCut ? 'Function log (last 4 KB)' : 'Function log', foreign: log.trimEnd() };
}

const shownResponse = (title: string, response: Uint8Array): LogGroup => ({
  title,
  foreign: cut(utf8(response), SHOWN_BYTES),
});

/** The groups that the user requested: the response and the log tail. */
export function contentsOf(
  { outcome, response, logIsCut }: MaskedEvaluation,
  { showResponse, followsLog }: Pick<LogOptions, 'showResponse' | 'followsLog'>,
): LogGroup[] {
  if (!('status_code' in outcome)) return [];
  const { log_result: log } = outcome;
  const showsResponse = showResponse && !isFunctionError(outcome) && response.length > 0;
  return [
    ...(showsResponse ? [shownResponse('Response', response)] : []),
    ...(log === undefined || followsLog ? [] : [logGroup({ log, isCut: logIsCut })]),
  ];
}

/** The groups below the headline. A function's error is always shown, and its response only if requested. */
export function groupsOf(evaluation: MaskedEvaluation, options: LogOptions): LogGroup[] {
  const showResponse = options.showResponse && options.isShownAlready !== true;
  const { outcome, response, foreignText } = evaluation;
  if (outcome.outcome === 'not_invoked' || outcome.outcome === 'unknown') {
    return foreignText === undefined
      ? []
      : [{ title: "Response that is not Lambda's", foreign: cut(foreignText, FOREIGN_BYTES) }];
  }
  return [
    ...(isFunctionError(outcome) ? [shownResponse('Function error', response)] : []),
    ...contentsOf(evaluation, { showResponse, followsLog: options.followsLog === true }),
  ];
}

/** Lines on what is not shown: a response that is in the outputs or a file, and a log tail that is not supported. */
export function hints(evaluation: MaskedEvaluation, { showResponse }: LogOptions): string[] {
  const { outcome, response, responseBytes, responseFile, tailRefused } = evaluation;
  const isHidden =
    'status_code' in outcome && !isFunctionError(outcome) && response.length > 0 && !showResponse;
  // A masked response can be shorter than the response in the output.
  const isInFile = responseBytes > LONGEST_OUTPUT_BYTES || isTooLong(response);
  return [
    ...(tailRefused
      ? [
          'This function does not support log_type: Tail. The request was retried without it, and the function ran once.',
        ]
      : []),
    ...(isHidden && !isInFile
      ? ['Response saved to the output `response`. Set show_response: true to print it.']
      : []),
    ...(isHidden && isInFile && responseFile === undefined
      ? ['The response is too long for the output `response`. The output `response_file` names its file.']
      : []),
    ...(responseFile?.isWhole ? [`Response saved to ${responseFile.path}`] : []),
    ...(responseFile?.isWhole === false
      ? [`The part of the response that arrived was saved to ${responseFile.path}`]
      : []),
  ];
}

/** Writes how an invocation ended into the log. */
export function writeLog(evaluation: MaskedEvaluation, options: LogOptions): void {
  writeForeign(outcomeHeadline(evaluation));
  // A line may contain a path, which can have any characters.
  for (const line of hints(evaluation, options)) writeForeign(line);
  for (const group of groupsOf(evaluation, options)) writeGroup(group);
}

/** The line for one of many invocations that has ended, with the number of those that have. */
export const progressLine = (masked: MaskedEvaluation, ended: number, total: number): string =>
  `[${ended}/${total}] ${outcomeHeadline(masked)}`;

const NOTE_BYTES = 4 * 1024;

/** Whether logs are followed. Their tails are then shown with them. */
type NoteOptions = Readonly<{ followsLog?: boolean | undefined }>;

const SHOWN_NOTES = 20;

/** Keeps the errors and log tails of the first failures of many invocations, each cut at 4 KiB. */
export class FailureNotes {
  readonly #groups: LogGroup[] = [];
  readonly #options: NoteOptions;
  #failures = 0;

  constructor(options: NoteOptions = {}) {
    this.#options = options;
  }

  add(masked: MaskedEvaluation): void {
    if (!masked.failsStep) return;
    this.#failures += 1;
    if (this.#failures > SHOWN_NOTES) return;
    const followsLog = this.#options.followsLog === true;
    for (const { title, foreign } of groupsOf(masked, { showResponse: false, followsLog })) {
      this.#groups.push({ title: `${masked.label}: ${title}`, foreign: cut(foreign, NOTE_BYTES) });
    }
  }

  get groups(): readonly LogGroup[] {
    return this.#groups;
  }

  /** Whether there are more failures than are kept. */
  get hasMore(): boolean {
    return this.#failures > SHOWN_NOTES;
  }
}

/** The last line for many invocations: how many ended in which way. */
function totalsLine({ total, counts, failed, cold, warm }: OutcomeCounts): string {
  const starts = cold + warm === 0 ? '' : `; ${counted(cold, 'cold start')}, ${counted(warm, 'warm start')}`;
  return `${counted(total, 'invocation')}: ${grouped(counts.succeeded)} succeeded, ${grouped(failed)} failed${starts}.`;
}

/** How many invocations succeeded in an earlier run. */
const resumedLine = ({ resumed, total }: OutcomeCounts): string =>
  `${grouped(resumed)} of ${counted(total, 'invocation')} ${resumed === 1 ? 'was' : 'were'} not sent: the journal has the outcomes from an earlier run.`;

/** How many invocations were not sent because of `stop_on_failure`. */
export const haltedLine = ({ halted }: Pick<OutcomeCounts, 'halted'>): string =>
  `${counted(halted, 'invocation')} ${halted === 1 ? 'was' : 'were'} not sent: an invocation failed, and stop_on_failure is true.`;

/** Writes the end of the log for many invocations: the errors and logs of the first failures, and the totals. */
export function writeEnd(notes: FailureNotes, counts: OutcomeCounts): void {
  for (const group of notes.groups) writeGroup(group);
  if (notes.hasMore) {
    info(`Only the first ${SHOWN_NOTES} failures are shown here. The outcomes file has all of them.`);
  }
  info(totalsLine(counts));
  if (counts.resumed > 0) info(resumedLine(counts));
  if (counts.halted > 0) info(haltedLine(counts));
}
