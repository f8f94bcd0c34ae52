import { summary } from '@actions/core';
import type { ReportedOutcome } from '../../outcome/step-results.ts';
import { cut } from '../../shared/text.ts';
import type { LogGroup } from '../log.ts';
import { codeBlock, type Fold, foldOf, foreignCell } from '../markdown.ts';
import { summarizeMany } from './many.ts';
import { type SummaryParts, summarizeOne } from './single.ts';
import { timelineOf } from './timeline.ts';

/** What the summary and the comment say: verdict and cause first, and what is folded below. */
export function summarize(
  outcomes: readonly ReportedOutcome[],
): SummaryParts & Readonly<{ folds: readonly Fold[] }> {
  const [single] = outcomes;
  if (single !== undefined && outcomes.length === 1) return { ...summarizeOne(single), folds: [] };
  return summarizeMany(outcomes);
}

/** Blocks of Markdown, without those that are empty. */
export const joinMarkdown = (blocks: readonly string[]): string =>
  blocks.filter((block) => block !== '').join('\n\n');

/** What a summary has beyond the outcomes. */
export type SummaryExtras = Readonly<{
  /** The response and the log tail of a single invocation, where the log shows them too. */
  contents?: readonly LogGroup[];
  /** The step's id; one that the runner made begins with two underscores. */
  stepId?: string;
}>;

const MADE_ID = /^__.*?(?:_(?<number>\d+))?$/s;

/** A summary's heading, with the step where the job has several of this action, so that the headings differ. */
export function headingOf(heading: string, { stepId = '' }: SummaryExtras): string {
  const number = MADE_ID.exec(stepId)?.groups?.['number'];
  const own = stepId.startsWith('__') ? '' : foreignCell(stepId);
  const step = number ?? own;
  return step === '' ? `### ${heading}` : `### ${heading} (AWS Lambda Invoke, step ${step})`;
}

const CONTENT_BYTES = 4 * 1024;

const contentFold = ({ title, foreign }: LogGroup): Fold => ({
  title,
  body: codeBlock('', cut(foreign, CONTENT_BYTES)),
});

/**
 * The job summary: the verdict and its cause, then figures; for several the failures grouped by error, the first of
 * them, statistics, and folded a timeline and the successes.
 */
export function renderSummary(outcomes: readonly ReportedOutcome[], extras: SummaryExtras = {}): string {
  const { heading, blocks, folds } = summarize(outcomes);
  const timeline = outcomes.length > 1 ? timelineOf(outcomes) : undefined;
  const folded = [
    ...(extras.contents ?? []).map(contentFold),
    ...(timeline === undefined ? [] : [timeline]),
    ...folds,
  ].map((fold) => foldOf(fold));
  return `${joinMarkdown([headingOf(heading, extras), ...blocks, ...folded])}\n`;
}

/** Appends to the job summary. Throws where the runner has none. */
export async function writeSummary(markdown: string): Promise<void> {
  await summary.addRaw(markdown, true).write();
}
