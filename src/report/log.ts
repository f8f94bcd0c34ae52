import { randomUUID } from 'node:crypto';
import { endGroup, info, startGroup } from '@actions/core';
import { readLogPlace } from '../outcome/log-tail.ts';
import { RAN_IN_WORDS } from '../outcome/logged-runs.ts';
import type { MaskedEvaluation } from '../outcome/masks.ts';
import { isFunctionError, type Outcome } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/step-results.ts';
import { cut } from '../shared/text.ts';

// A runner trims white space and compares by culture, which does not see controls, formats and the like.
// A lone surrogate arrives as U+FFFD.
const UNSEEN = /[[^\p{L}\p{N}\p{P}\p{S}\r\n][\p{DI}\uFFFD]]/gv;

/**
 * Whether a runner might take a line of a text for a command: one that starts with `::`, CR ending a line too, or
 * has `##[` anywhere (ActionCommand.cs of actions/runner). When in doubt it might.
 */
export function mayHoldCommand(text: string): boolean {
  // The pattern takes a third of a millisecond to compile, and most steps log nothing that it is needed for.
  if (text.indexOf(':') === text.lastIndexOf(':') && !text.includes('#')) return false;
  const seen = text.replace(UNSEEN, '');
  return /(?:^|[\r\n])::/.test(seen) || seen.includes('##[');
}

/**
 * Foreign text for the log: between `::stop-commands::` and its token a runner takes no line for a command.
 * The text must not know the token.
 */
export function fence(foreign: string, token: string): string {
  return `::stop-commands::${token}\n${foreign}\n::${token}::`;
}

const SHOWN_BYTES = 64 * 1024;
const FOREIGN_BYTES = 4 * 1024;

/** A foldable part of the log, with text that is not ours. */
export type LogGroup = Readonly<{ title: string; foreign: string }>;

/** What the user wants to see in the log; a response and a log that were shown as they arrived are not shown again. */
export type LogOptions = Readonly<{ showResponse: boolean; isShownAlready?: boolean; followsLog?: boolean }>;

/** What is about to be invoked. */
export type Announcement = Readonly<{ labels: readonly string[]; maxConcurrency: number }>;

/** The line before an invocation, in the words of the Terraform action, or the line before many. */
export function announcement({ labels, maxConcurrency }: Announcement): string {
  const [only] = labels;
  if (only === undefined) return 'Nothing to invoke: this shard has no entry.';
  if (labels.length === 1) return `Invoking Lambda function ${only}...`;
  const functions = new Set(labels).size;
  const targets = functions === 1 ? `Lambda function ${only}` : `${functions} Lambda functions`;
  return `Invoking ${targets}: ${labels.length} invocations, at most ${maxConcurrency} at a time...`;
}

type Ended<Kind extends Outcome['outcome']> = Readonly<{
  outcome: Extract<Outcome, { outcome: Kind }>;
  responseBytes: number;
}>;

function successLine({ outcome, responseBytes }: Ended<'succeeded'>): string {
  const { status_code: status } = outcome;
  if (outcome.resumed) return 'succeeded in an earlier run';
  switch (outcome.invocation_type) {
    case 'RequestResponse':
      return `invoked successfully (status: ${status}, payload: ${responseBytes} bytes)`;
    case 'Event':
      // Only a durable execution that was followed has a response.
      return 'response' in outcome
        ? `completed its durable execution (status: ${status}, payload: ${responseBytes} bytes)`
        : `invoked asynchronously (status: ${status})`;
    case 'DryRun':
      return `dry run completed successfully (status: ${status})`;
    default:
      return outcome.invocation_type satisfies never;
  }
}

function unknownLine({ outcome, responseBytes }: Ended<'unknown'>): string {
  if (outcome.error.name === 'EvaluationFailed') return 'responded, but its outcome could not be evaluated';
  if (outcome.durable_execution_arn !== undefined) {
    return 'started a durable execution, but how it ends is not known';
  }
  return responseBytes > 0
    ? `responded in part: its stream ended early, after ${responseBytes} bytes`
    : `did not respond, and ${RAN_IN_WORDS[outcome.ran]}`;
}

function outcomeLine({ outcome, responseBytes, unmet }: MaskedEvaluation): string {
  switch (outcome.outcome) {
    case 'succeeded':
      return successLine({ outcome, responseBytes });
    case 'expectation_failed':
      return `responded, but did not meet ${counted(unmet.length, 'expectation')} (status: ${outcome.status_code}, payload: ${responseBytes} bytes)`;
    case 'function_error':
      return `failed (status: ${outcome.status_code}, payload: ${responseBytes} bytes)`;
    case 'not_invoked':
      return 'was not invoked';
    case 'unknown':
      return unknownLine({ outcome, responseBytes });
    default:
      return outcome satisfies never;
  }
}

/** A number of things, in the singular or the plural. */
const counted = (count: number, thing: string): string => `${count} ${count === 1 ? thing : `${thing}s`}`;

/** The line that says how an invocation ended. */
export const outcomeHeadline = (evaluation: MaskedEvaluation): string =>
  `Lambda function ${evaluation.label} ${outcomeLine(evaluation)}`;

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

/** The groups under the headline. A function's error is always shown, its response only when asked for. */
export function groupsOf(evaluation: MaskedEvaluation, options: LogOptions): LogGroup[] {
  const showResponse = options.showResponse && options.isShownAlready !== true;
  const { outcome, response, logIsCut, foreignText } = evaluation;
  if (outcome.outcome === 'not_invoked' || outcome.outcome === 'unknown') {
    return foreignText === undefined
      ? []
      : [{ title: "Response that is not Lambda's", foreign: cut(foreignText, FOREIGN_BYTES) }];
  }
  const shown = (title: string): LogGroup => ({
    title,
    foreign: cut(new TextDecoder().decode(response), SHOWN_BYTES),
  });
  const log = outcome.log_result;
  return [
    ...(isFunctionError(outcome) ? [shown('Function error')] : []),
    ...(!isFunctionError(outcome) && showResponse && response.length > 0 ? [shown('Response')] : []),
    ...(log === undefined || options.followsLog ? [] : [logGroup({ log, isCut: logIsCut })]),
  ];
}

/** Lines on what is not shown: a response that is in the outputs or in a file, and a log that the function has not. */
export function hints(evaluation: MaskedEvaluation, { showResponse }: LogOptions): string[] {
  const { outcome, response, responseFile, tailRefused } = evaluation;
  const hidden =
    'status_code' in outcome && !isFunctionError(outcome) && response.length > 0 && !showResponse;
  return [
    ...(tailRefused
      ? [
          'This function does not support log_type: Tail. The request was sent again without it, and the function ran once.',
        ]
      : []),
    ...(hidden ? ['Response saved to the output `response`. Set show_response: true to print it.'] : []),
    ...(responseFile?.isWhole ? [`The response is in ${responseFile.path}`] : []),
    ...(responseFile?.isWhole === false
      ? [`The part of the response that arrived is in ${responseFile.path}`]
      : []),
  ];
}

// One for the whole process: a runner keeps every token as a secret until the job ends.
const TOKEN = randomUUID();

/** Writes foreign text into the log so that a runner takes none of it for a command. */
export function writeForeign(text: string): void {
  if (!mayHoldCommand(text)) {
    info(text);
    return;
  }
  // A runner compares tokens without regard to case.
  const isKnown = text.toLowerCase().includes(TOKEN);
  info(fence(text, isKnown ? randomUUID() : TOKEN));
}

/** Writes a foldable part of the log. */
export function writeGroup({ title, foreign }: LogGroup): void {
  startGroup(title);
  writeForeign(foreign);
  endGroup();
}

/** Writes how an invocation ended into the log. */
export function writeLog(evaluation: MaskedEvaluation, options: LogOptions): void {
  info(outcomeHeadline(evaluation));
  // A path may hold anything.
  for (const line of hints(evaluation, options)) writeForeign(line);
  for (const group of groupsOf(evaluation, options)) writeGroup(group);
}

/** One line for an invocation of many that has ended, with how many have. */
export const progressLine = (masked: MaskedEvaluation, ended: number, total: number): string =>
  `${ended}/${total} ${outcomeHeadline(masked)}`;

const NOTE_BYTES = 4 * 1024;

/** A failure at the end of the log of many: its line, and what the function wrote. */
export type FailureNote = Readonly<{ headline: string; foreign: readonly string[] }>;

/** Whether logs are followed: their tails are then shown with them. */
type NoteOptions = Readonly<{ followsLog?: boolean | undefined }>;

/** The note of a failure, with its error and its log tail, each cut at 4 KiB. */
export function noteOf(masked: MaskedEvaluation, { followsLog }: NoteOptions = {}): FailureNote {
  const { outcome, unmet } = masked;
  const errorName = 'error' in outcome ? `: ${outcome.error.name}` : '';
  return {
    headline: `Index ${outcome.index}: ${outcomeHeadline(masked)}${errorName}`,
    foreign: [
      ...('error' in outcome ? [`${outcome.error.message}\n${outcome.error.advice}`] : []),
      ...unmet.map(
        ({ expectation, why }) => `Expected ${expectation.expression}\n    ${why.replaceAll('\n', '\n    ')}`,
      ),
      ...groupsOf(masked, { showResponse: false, followsLog: followsLog === true }).map(
        ({ foreign }) => foreign,
      ),
    ].map((text) => cut(text, NOTE_BYTES)),
  };
}

const SHOWN_NOTES = 20;

/** Keeps the notes of the first failures, and counts the rest. */
export class FailureNotes {
  readonly #notes: FailureNote[] = [];
  readonly #options: NoteOptions;
  #hasMore = false;

  constructor(options: NoteOptions = {}) {
    this.#options = options;
  }

  add(masked: MaskedEvaluation): void {
    if (!masked.failsStep) return;
    if (this.#notes.length < SHOWN_NOTES) this.#notes.push(noteOf(masked, this.#options));
    else this.#hasMore = true;
  }

  get shown(): readonly FailureNote[] {
    return this.#notes;
  }

  /** Whether there are more failures than notes. */
  get hasMore(): boolean {
    return this.#hasMore;
  }
}

/** The last line of many: how many ended in which way. */
export function totalsLine({ total, counts, failed, cold, warm }: OutcomeCounts): string {
  const starts = cold + warm === 0 ? '' : `; ${counted(cold, 'cold start')}, ${counted(warm, 'warm start')}`;
  return `${total} invocations: ${counts.succeeded} succeeded, ${failed} failed${starts}.`;
}

/** How many invocations an earlier run did. */
const resumedLine = ({ resumed, total }: OutcomeCounts): string =>
  `${resumed} of ${counted(total, 'invocation')} ${resumed === 1 ? 'was' : 'were'} not sent: the journal has the outcomes from an earlier run.`;

/** How many invocations were left out with `stop_on_failure`. */
export const haltedLine = ({ halted }: Pick<OutcomeCounts, 'halted'>): string =>
  `${counted(halted, 'invocation')} ${halted === 1 ? 'was' : 'were'} not sent: an invocation failed, and stop_on_failure is true.`;

/** Writes the end of the log of many: the first failures again, with what they said, and the totals. */
export function writeEnd(notes: FailureNotes, counts: OutcomeCounts): void {
  for (const { headline: line, foreign } of notes.shown) {
    info(line);
    for (const text of foreign) writeForeign(text);
  }
  if (notes.hasMore) info(`… and ${counts.failed - SHOWN_NOTES} more failed. All are in the outcomes file.`);
  info(totalsLine(counts));
  if (counts.resumed > 0) info(resumedLine(counts));
  if (counts.halted > 0) info(haltedLine(counts));
}
