import type { ReportedOutcomes } from '../../outcome/kept-outcomes.ts';
import { isHalted } from '../../outcome/outcome.ts';
import { type Fold, foldOf } from '../markdown.ts';
import { summarizeMany } from './many.ts';
import { renderParts, type SummaryExtras, type SummaryParts, summarizeOne } from './single.ts';
import { selected } from './statistics.ts';
import { timelineOf } from './timeline.ts';

/** The content of the summary and the comment: the outcome and its cause first, then the folds. */
export function summarize(outcomes: ReportedOutcomes): SummaryParts & Readonly<{ folds: readonly Fold[] }> {
  const [single] = outcomes;
  if (single !== undefined && outcomes.length === 1) return { ...summarizeOne(single), folds: [] };
  return summarizeMany(outcomes);
}

/**
 * The job summary: the outcome, its cause, and figures. For several invocations: the failures grouped by error, the
 * first failures, statistics, and the folded timeline and successes.
 */
export function renderSummary(outcomes: ReportedOutcomes, extras: SummaryExtras = {}): string {
  const { heading, blocks, folds } = summarize(outcomes);
  const sent = selected(outcomes, (outcome) => outcome.resumed !== true && !isHalted(outcome));
  const [, second] = sent;
  const timeline = second === undefined ? undefined : timelineOf(sent);
  const folded = [...(timeline === undefined ? [] : [timeline]), ...folds].map((fold) => foldOf(fold));
  return renderParts({ heading, blocks: [...blocks, ...folded] }, extras);
}
