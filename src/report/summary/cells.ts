import type { Outcome } from '../../outcome/outcome.ts';
import type { ReportedOutcome } from '../../outcome/step-results.ts';
import { grouped, isUuid, shortened } from '../../shared/text.ts';
import { foreignCell, inlineCode, isConsolePage } from '../markdown.ts';

/** Keeps a figure and its unit on one line, however narrow the page is. */
export const unbroken = (text: string): string => text.replaceAll(' ', '\u00a0');

/** A number of milliseconds; empty if there is none. */
export const milliseconds = (value: number | undefined): string =>
  value === undefined ? '' : unbroken(`${grouped(value)} ms`);

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** A period in the most readable unit. */
export function period(ms: number): string {
  if (ms < SECOND_MS) return milliseconds(ms);
  const [size, unit] = ms < 10 * MINUTE_MS ? [SECOND_MS, 's'] : [MINUTE_MS, 'min'];
  return unbroken(`${grouped(ms / size, 1)} ${unit}`);
}

type Responded = Extract<ReportedOutcome, { status_code: number }>;

/** The outcome if it has a response; otherwise undefined. */
export const respondedOf = (outcome: ReportedOutcome): Responded | undefined =>
  'status_code' in outcome ? outcome : undefined;

/** The function with its qualifier. */
export const functionCell = ({ function_name: name, qualifier }: Outcome): string =>
  foreignCell(qualifier ? `${name}:${qualifier}` : name);

const MARKS: Readonly<Record<Outcome['outcome'], string>> = {
  succeeded: '✅',
  function_error: '❌',
  expectation_failed: '❌',
  not_invoked: '❌',
  unknown: '❓',
};

/** The mark of an outcome. */
export const markOf = ({ outcome }: Outcome): string => MARKS[outcome];

/**
 * A link with this text and with the request ID as its title; empty if there is no log. The address and the ID may be
 * from the journal of an earlier run, which can be from anyone, and a mask may have changed them.
 */
function pageLink(text: string, { log_url: url = '', request_id: requestId = '' }: ReportedOutcome): string {
  if (!isConsolePage(url)) return '';
  return `[${text}](${url}${isUuid(requestId) ? ` "${requestId}"` : ''})`;
}

/** A link to the log of an invocation; empty if there is none. */
export const logLink = (outcome: ReportedOutcome): string => pageLink('Log', outcome);

const SHORT_ID = 8;
const LONGEST_ID = 256;

/** The start of the request ID, which fits on a narrow page, with a link to the log if the function may have run. */
export function requestCell(outcome: ReportedOutcome): string {
  const { request_id: requestId = '' } = outcome;
  const link = isUuid(requestId) ? pageLink(`${requestId.slice(0, SHORT_ID)}…`, outcome) : '';
  return link || inlineCode(shortened(requestId, LONGEST_ID));
}

/** The duration in Lambda's report, or else the round-trip time; empty if the invocation did not run in this run. */
export function durationCell(outcome: ReportedOutcome): string {
  if (outcome.outcome === 'not_invoked') return '';
  if (outcome.resumed) return 'earlier run';
  return milliseconds(respondedOf(outcome)?.duration_ms ?? outcome.elapsed_ms);
}
