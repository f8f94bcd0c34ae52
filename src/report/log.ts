import { randomUUID } from 'node:crypto';
import { endGroup, info, startGroup } from '@actions/core';
import { readLogPlace } from '../outcome/log-tail.ts';
import type { Evaluation, Outcome } from '../outcome/outcome.ts';
import { cut, fence, mayHoldCommand } from './fence.ts';
import type { FailureNote, Totals } from './step-results.ts';

const SHOWN_BYTES = 64 * 1024;
const STRANGE_BYTES = 4 * 1024;

/** A foldable part of the log, with text that is not ours. */
export type LogGroup = Readonly<{ title: string; foreign: string }>;

/** What the user wants to see in the log; a response that was shown as it arrived is not shown again. */
export type LogOptions = Readonly<{ showResponse: boolean; isShownAlready?: boolean }>;

/** What is about to be invoked. */
export type Undertaking = Readonly<{ labels: readonly string[]; maxConcurrency: number }>;

/** The line before an invocation, in the words of the Terraform action, or the one before many. */
export function announcement({ labels, maxConcurrency }: Undertaking): string {
  const [only] = labels;
  if (only === undefined) return 'Nothing to invoke: this shard has no entry.';
  if (labels.length === 1) return `Invoking Lambda function ${only}...`;
  const functions = new Set(labels).size;
  const targets = functions === 1 ? `Lambda function ${only}` : `${functions} Lambda functions`;
  return `Invoking ${targets}: ${labels.length} invocations, at most ${maxConcurrency} at a time...`;
}

/** The one line that says what an invocation came to. */
export function headline({ label, outcome, responseBytes }: Evaluation): string {
  switch (outcome.outcome) {
    case 'succeeded':
      switch (outcome.invocation_type) {
        case 'RequestResponse':
          return `Lambda function ${label} invoked successfully (status: ${outcome.status_code}, payload: ${responseBytes} bytes)`;
        case 'Event':
          // An emulator's 202 may have a body too, and an execution that was not followed has no response.
          return outcome.durable_execution_arn !== undefined && 'response' in outcome
            ? `Lambda function ${label} ran to its end as a durable execution (status: ${outcome.status_code}, payload: ${responseBytes} bytes)`
            : `Lambda function ${label} invoked asynchronously (status: ${outcome.status_code})`;
        case 'DryRun':
          return `Lambda function ${label} dry run completed successfully (status: ${outcome.status_code})`;
        default:
          return outcome.invocation_type satisfies never;
      }
    case 'expectation_failed':
      return `Lambda function ${label} answered, and not as expected (status: ${outcome.status_code}, payload: ${responseBytes} bytes)`;
    case 'function_error':
      return `Lambda function ${label} failed (status: ${outcome.status_code}, payload: ${responseBytes} bytes)`;
    case 'not_invoked':
      return `Lambda function ${label} was not invoked`;
    case 'unknown':
      if (outcome.error.name === 'EvaluationFailed') {
        return `Lambda function ${label} responded, but its outcome could not be evaluated`;
      }
      if (outcome.durable_execution_arn !== undefined) {
        return `Lambda function ${label} was started, and how its durable execution ends is not known`;
      }
      return responseBytes > 0
        ? `Lambda function ${label} answered in part: its stream broke off after ${responseBytes} bytes`
        : `Lambda function ${label} was sent its event, and no answer came`;
    default:
      return outcome satisfies never;
  }
}

/** Whether the function itself failed, whatever the step makes of it. */
export const isFunctionError = (outcome: Outcome): boolean =>
  'function_error' in outcome && outcome.function_error !== undefined;

function logGroup({ log, isCut }: { log: string; isCut: boolean }): LogGroup {
  const place = readLogPlace(log);
  if (place) {
    return {
      title: 'Function log (kept elsewhere)',
      foreign: `Log group: ${place.logGroup}\nLog stream: ${place.logStreamName}`,
    };
  }
  return { title: isCut ? 'Function log (last 4 KB)' : 'Function log', foreign: log.trimEnd() };
}

/** The groups under the headline. A function's error is always shown, its response only when asked for. */
export function groupsOf(evaluation: Evaluation, options: LogOptions): LogGroup[] {
  const showResponse = options.showResponse && options.isShownAlready !== true;
  const { outcome, response, logIsCut, foreignText } = evaluation;
  if (outcome.outcome === 'not_invoked' || outcome.outcome === 'unknown') {
    return foreignText === undefined
      ? []
      : [{ title: "What came in place of Lambda's answer", foreign: cut(foreignText, STRANGE_BYTES) }];
  }
  const shown = (title: string): LogGroup => ({
    title,
    foreign: cut(new TextDecoder().decode(response), SHOWN_BYTES),
  });
  const log = outcome.log_result;
  return [
    ...(isFunctionError(outcome) ? [shown('Function error')] : []),
    ...(!isFunctionError(outcome) && showResponse && response.length > 0 ? [shown('Response')] : []),
    ...(log === undefined ? [] : [logGroup({ log, isCut: logIsCut })]),
  ];
}

/** Lines that say what the user may miss: the response that is not shown, the log that there is not. */
export function hints(evaluation: Evaluation, { showResponse }: LogOptions): string[] {
  const { outcome, response, responseFile, tailRefused } = evaluation;
  const hidden =
    'status_code' in outcome && !isFunctionError(outcome) && response.length > 0 && !showResponse;
  return [
    ...(tailRefused
      ? ['This function supports no log tail; it was asked again without one and ran once.']
      : []),
    ...(hidden ? ['The response is in the outputs; show_response: true prints it here.'] : []),
    ...(responseFile?.isWhole ? [`The response is in ${responseFile.path}`] : []),
    ...(responseFile?.isWhole === false
      ? [`What had arrived of the response is in ${responseFile.path}`]
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

/** Writes what an invocation came to into the log. */
export function writeLog(evaluation: Evaluation, options: LogOptions): void {
  info(headline(evaluation));
  // A path may hold anything.
  for (const line of hints(evaluation, options)) writeForeign(line);
  for (const { title, foreign } of groupsOf(evaluation, options)) {
    startGroup(title);
    writeForeign(foreign);
    endGroup();
  }
}

/** One line for an invocation of many that has ended, with how many have. */
export const progressLine = (shown: Evaluation, ended: number, total: number): string =>
  `${ended}/${total} ${headline(shown)}`;

const NOTE_BYTES = 4 * 1024;

/** A failure of many, for the end of the log: its line, its error and its log tail, each cut at 4 KiB. */
export function noteOf(shown: Evaluation): FailureNote {
  const { outcome } = shown;
  const why = 'error' in outcome ? `: ${outcome.error.name}` : '';
  return {
    headline: `Index ${outcome.index}: ${headline(shown)}${why}`,
    foreign: [
      ...('error' in outcome ? [`${outcome.error.message}\n${outcome.error.advice}`] : []),
      ...shown.unmet.map(
        ({ expectation, why: told }) =>
          `Expected ${expectation.expression}\n    ${told.replaceAll('\n', '\n    ')}`,
      ),
      ...groupsOf(shown, { showResponse: false }).map(({ foreign }) => foreign),
    ].map((text) => cut(text, NOTE_BYTES)),
  };
}

const SHOWN_NOTES = 20;

/** The last line of many: how many came to what. */
export function totalsLine({ total, succeeded, failed, coldStarts, warmStarts }: Totals): string {
  const starts =
    coldStarts + warmStarts === 0
      ? ''
      : `; ${coldStarts} started cold, ${warmStarts} found a warm execution environment`;
  return `${total} invocations: ${succeeded} succeeded, ${failed} failed${starts}.`;
}

/** Writes the end of the log of many: the failures again, with what they said, and the totals. */
export function writeEnd(results: { notes: readonly FailureNote[]; totals: Totals }): void {
  const { notes, totals } = results;
  for (const { headline: line, foreign } of notes.slice(0, SHOWN_NOTES)) {
    info(line);
    for (const text of foreign) writeForeign(text);
  }
  const rest = totals.failed - SHOWN_NOTES;
  if (rest > 0 && notes.length > SHOWN_NOTES)
    info(`… and ${rest} more failed. All are in the outcomes file.`);
  info(totalsLine(totals));
}
