import type { Ran } from '../../outcome/logged-runs.ts';
import type { Figures } from '../../outcome/outcome.ts';
import type { ReportedOutcome, Unmet } from '../../outcome/step-results.ts';
import { cut, grouped, shortened } from '../../shared/text.ts';
import type { LogGroup } from '../foreign-text.ts';
import {
  codeBlock,
  foldOf,
  foreignCell,
  inlineCode,
  joinMarkdown,
  proseLines,
  table,
  wordOrCode,
} from '../markdown.ts';
import {
  functionCell,
  logLink,
  markOf,
  milliseconds,
  period,
  requestCell,
  respondedOf,
  unbroken,
} from './cells.ts';

/** The parts of a summary: the text of the heading, and the Markdown below it. */
export type SummaryParts = Readonly<{ heading: string; blocks: readonly string[] }>;

/** What a summary shows in addition to the outcomes. */
export type SummaryExtras = Readonly<{
  /** The response and the log tail of a single invocation, if the log shows them too. */
  contents?: readonly LogGroup[];
  /** The ID of the step. An ID that the runner made begins with two underscores. */
  stepId?: string;
}>;

const MADE_ID = /^__.*?(?:_(?<number>\d+))?$/s;

/**
 * The ID or the number of the step, so that the headings of several steps differ; empty for a first step without an ID.
 */
function stepOf({ stepId = '' }: SummaryExtras): string {
  const own = stepId.startsWith('__') ? '' : foreignCell(stepId);
  const step = MADE_ID.exec(stepId)?.groups?.['number'] ?? own;
  return step === '' ? '' : ` (AWS Lambda Invoke, step ${step})`;
}

const CONTENT_BYTES = 4 * 1024;

const contentFold = ({ title, foreign }: LogGroup): string =>
  foldOf({ title, body: codeBlock('', cut(foreign, CONTENT_BYTES)) });

/** A summary as Markdown. */
export const renderParts = ({ heading, blocks }: SummaryParts, extras: SummaryExtras = {}): string =>
  `${joinMarkdown([`### ${heading}${stepOf(extras)}`, ...blocks, ...(extras.contents ?? []).map(contentFold)])}\n`;

const present = (parts: readonly string[]): string[] => parts.filter((part) => part !== '');
const dotted = (parts: readonly string[]): string => present(parts).join(' · ');

const colonAnd = (name: string | undefined): string => {
  const shown = wordOrCode(name ?? '');
  return shown === '' ? '' : `: ${shown}`;
};

const UNKNOWN: Readonly<Record<Ran, string>> = {
  did_not_run: 'did not run',
  may_have_run: 'may have run',
  started: 'started, but its outcome is not known',
  finished: 'ran, but its response was lost',
};

function successText(outcome: Extract<ReportedOutcome, { outcome: 'succeeded' }>): string {
  if (outcome.resumed) return 'succeeded in an earlier run';
  if (outcome.invocation_type !== 'Event' || outcome.durable_execution_arn !== undefined) return 'succeeded';
  // Only the function's log has figures, so if there are any, the step waited for the end of the event.
  return outcome.duration_ms === undefined ? 'was queued' : 'handled its event';
}

function outcomeText(outcome: ReportedOutcome): string {
  switch (outcome.outcome) {
    case 'succeeded':
      return successText(outcome);
    case 'function_error':
      return `failed${colonAnd(outcome.cause?.type)}`;
    case 'expectation_failed': {
      const { unmet, total } = outcome.expected ?? { unmet: 0, total: 0 };
      return total === 0
        ? 'did not meet its expectations'
        : `did not meet ${grouped(unmet)} of ${grouped(total)} ${total === 1 ? 'expectation' : 'expectations'}`;
    }
    case 'not_invoked':
      return `was not invoked${colonAnd(outcome.error.name)}`;
    case 'unknown':
      return outcome.error.name === 'EventUnresolved'
        ? 'accepted the event, but how it ended is not known'
        : UNKNOWN[outcome.ran];
    default:
      return outcome satisfies never;
  }
}

const LONGEST_MESSAGE = 1_000;

/** Foreign text in a sentence: a code span of bounded length. */
const excerptSpan = (foreign: string): string => inlineCode(shortened(foreign, LONGEST_MESSAGE));

/** The error in a few words: its name and its message. */
export function errorText(outcome: ReportedOutcome): string {
  if ('error' in outcome) return `${outcome.error.name}: ${outcome.error.message}`;
  const { type, message = '' } = outcome.cause ?? {};
  return [type, message].filter(Boolean).join(': ');
}

function adviceBlock(outcome: ReportedOutcome): string {
  const advice = 'error' in outcome ? outcome.error.advice : outcome.cause?.advice;
  return advice ? `**What to do:** ${proseLines(shortened(advice, LONGEST_MESSAGE))}` : '';
}

function originOf(outcome: ReportedOutcome): string[] {
  const { region, request_id: requestId, attempts } = outcome;
  const version = wordOrCode(respondedOf(outcome)?.executed_version ?? '');
  return [
    version && `version ${version}`,
    wordOrCode(region ?? ''),
    requestId === undefined ? '' : `request ${requestCell(outcome)}`,
    attempts > 1 ? `${grouped(attempts)} attempts` : '',
  ];
}

/** The error, with the first frame of the function's own code, in a block quote; empty if there is no error. */
function quoteOf(outcome: ReportedOutcome): string {
  const error = excerptSpan(errorText(outcome));
  if (error === '') return '';
  const frame = 'cause' in outcome ? excerptSpan(outcome.cause?.frame ?? '') : '';
  return [`**${error}**`, dotted([frame, ...originOf(outcome)])]
    .filter((line) => line !== '')
    .map((line) => `> ${line}`)
    .join('\\\n');
}

const actualCell = ({ actual }: Unmet): string =>
  actual === undefined ? 'cannot be evaluated' : foreignCell(actual);

/** Actual and expected value side by side, with the shorter column first for narrow pages; empty if all are met. */
function unmetTable({ unmet = [], expected }: ReportedOutcome): string[] {
  if (unmet.length === 0) return [];
  const more = (expected?.unmet ?? 0) - unmet.length;
  const rows = unmet.map((one) => [actualCell(one), foreignCell(one.expression)]);
  return [table(['Actual', 'Expectation'], rows), more > 0 ? `… and ${grouped(more)} more.` : ''];
}

const durationFigure = ({ duration_ms: duration, billed_duration_ms: billed }: Figures): string =>
  `${milliseconds(duration)}${billed === undefined ? '' : ` (billed ${milliseconds(billed)})`}`;

function memoryFigure({ memory_size_mb: size, max_memory_used_mb: used }: Figures): string {
  return used === undefined || size === undefined ? '' : unbroken(`${used} of ${size} MB`);
}

function coldStartFigure(figures: Figures): string {
  if (figures.cold_start !== true) return '';
  const ms = figures.init_duration_ms ?? figures.restore_duration_ms;
  return unbroken(`cold start${ms === undefined ? '' : ` ${grouped(ms)} ms`}`);
}

const roundTrip = (outcome: ReportedOutcome): string =>
  outcome.outcome === 'not_invoked' ? '' : `round-trip time ${period(outcome.elapsed_ms)}`;

/** One line of figures, and the link to the log. */
function figuresLine(outcome: ReportedOutcome, place: readonly string[]): string {
  const figures: Figures = respondedOf(outcome) ?? {};
  return dotted([
    ...place,
    durationFigure(figures) || roundTrip(outcome),
    memoryFigure(figures),
    coldStartFigure(figures),
    logLink(outcome),
  ]);
}

/** The summary of one invocation: the outcome, its cause, what to do, and one line of figures. */
export function summarizeOne(outcome: ReportedOutcome): SummaryParts {
  const quote = quoteOf(outcome);
  return {
    heading: `${markOf(outcome)} ${functionCell(outcome)} ${outcomeText(outcome)}`,
    blocks: [
      quote,
      ...unmetTable(outcome),
      adviceBlock(outcome),
      figuresLine(outcome, quote === '' ? originOf(outcome) : []),
    ],
  };
}
