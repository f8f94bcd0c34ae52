import { isHalted } from '../../outcome/outcome.ts';
import type { ReportedOutcome } from '../../outcome/step-results.ts';
import { type Fold, foldOf } from '../markdown.ts';
import { summarizeMany } from './many.ts';
import { renderParts, type SummaryExtras, type SummaryParts, summarizeOne } from './single.ts';
import { timelineOf } from './timeline.ts';

/** The content of the summary and the comment: the outcome and its cause first, then the folds. */
export function summarize(
  outcomes: readonly ReportedOutcome[],
): SummaryParts & Readonly<{ folds: readonly Fold[] }> {
  const [single] = outcomes;
  if (single !== undefined && outcomes.length === 1) return { ...summarizeOne(single), folds: [] };
  return summarizeMany(outcomes);
}

/**
 * The job summary: the outcome, its cause, and figures. For several invocations: the failures grouped by error, the
 * first failures, statistics, and the folded timeline and successes.
 */
export function renderSummary(outcomes: readonly ReportedOutcome[], extras: SummaryExtras = {}): string {
  const { heading, blocks, folds } = summarize(outcomes);
  const sent = outcomes.filter((outcome) => outcome.resumed !== true && !isHalted(outcome));
  const timeline = sent.length > 1 ? timelineOf(sent) : undefined;
  const folded = [...(timeline === undefined ? [] : [timeline]), ...folds].map((fold) => foldOf(fold));
  return renderParts({ heading, blocks: [...blocks, ...folded] }, extras);
}
