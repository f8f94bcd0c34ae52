import { randomUUID } from 'node:crypto';
import { endGroup, info, startGroup } from '@actions/core';
import type { Judgement } from '../outcome/outcome.ts';
import { cut, fence } from './fence.ts';

const SHOWN_BYTES = 64 * 1024;

/** A foldable part of the log, with text that is not ours. */
export type LogGroup = Readonly<{ title: string; foreign: string }>;

/** The line before an invocation, in the words of the Terraform action. */
export const announcement = (label: string): string => `Invoking Lambda function ${label}...`;

/** The one line that says what an invocation came to. */
export function headline({ label, outcome, response }: Judgement): string {
  switch (outcome.outcome) {
    case 'succeeded':
      switch (outcome.invocation_type) {
        case 'RequestResponse':
          return `Lambda function ${label} invoked successfully (status: ${outcome.status_code}, payload: ${response.length} bytes)`;
        case 'Event':
          return `Lambda function ${label} invoked asynchronously (status: ${outcome.status_code})`;
        case 'DryRun':
          return `Lambda function ${label} dry run completed successfully (status: ${outcome.status_code})`;
        default:
          return outcome.invocation_type satisfies never;
      }
    case 'function_error':
      return `Lambda function ${label} failed (status: ${outcome.status_code}, payload: ${response.length} bytes)`;
    case 'not_invoked':
      return `Lambda function ${label} was not invoked`;
    case 'unknown':
      return `Lambda function ${label} was sent its event, and no answer came`;
    default:
      return outcome satisfies never;
  }
}

/** The groups under the headline. A function's error is always shown, its response only when asked for. */
export function groupsOf(judgement: Judgement, showResponse: boolean): LogGroup[] {
  const { outcome, response, logIsCut } = judgement;
  if (outcome.outcome === 'not_invoked' || outcome.outcome === 'unknown') return [];
  const text = new TextDecoder().decode(response);
  return [
    ...(outcome.outcome === 'function_error'
      ? [{ title: 'Function error', foreign: cut(text, SHOWN_BYTES) }]
      : []),
    ...(outcome.outcome === 'succeeded' && showResponse && response.length > 0
      ? [{ title: 'Response', foreign: cut(text, SHOWN_BYTES) }]
      : []),
    ...(outcome.log_result === undefined
      ? []
      : [
          {
            title: logIsCut ? 'Function log (last 4 KB)' : 'Function log',
            foreign: outcome.log_result.trimEnd(),
          },
        ]),
  ];
}

/** One line that says how to see a response that was kept out of the log; undefined where there is none. */
export function hint({ outcome, response }: Judgement, showResponse: boolean): string | undefined {
  return outcome.outcome === 'succeeded' && response.length > 0 && !showResponse
    ? 'The response is in the outputs; show_response: true prints it here.'
    : undefined;
}

/** Writes what an invocation came to into the log. */
export function writeLog(judgement: Judgement, showResponse: boolean): void {
  info(headline(judgement));
  const line = hint(judgement, showResponse);
  if (line !== undefined) info(line);
  for (const { title, foreign } of groupsOf(judgement, showResponse)) {
    startGroup(title);
    info(fence(foreign, randomUUID()));
    endGroup();
  }
}
