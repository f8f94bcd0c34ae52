import { info } from '@actions/core';
import { maskEvaluation } from '../../../src/outcome/masks.ts';
import type { Evaluation } from '../../../src/outcome/outcome.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import type { Annotation } from '../../../src/report/annotations.ts';
import { noteOf, progressLine, writeEnd } from '../../../src/report/log.ts';
import { type Files, type Outputs, outputsOf } from '../../../src/report/outputs.ts';
import { StepResults } from '../../../src/report/step-results.ts';
import { renderComment } from '../../../src/report/summary/permissions.ts';
import { renderSummary } from '../../../src/report/summary/summary.ts';

/** A evaluation as it may be shown. */
export const shownOf = (evaluation: Evaluation): Evaluation =>
  maskEvaluation(evaluation, new SecretTexts(evaluation.secrets.texts));

function ledgerOf(judgements: readonly Evaluation[]): StepResults {
  const results = new StepResults(judgements.length);
  for (const evaluation of judgements) {
    const shown = shownOf(evaluation);
    results.add({ evaluation, shown, shownJson: JSON.stringify(shown.outcome) }, noteOf);
  }
  return results;
}

/** The annotations of a step with these invocations. */
export const annotationsOf = (judgements: readonly Evaluation[]): readonly Annotation[] =>
  ledgerOf(judgements).annotationsWith([]);

/** The outputs of a step with these invocations. */
export const outputsFor = (judgements: readonly Evaluation[], files: Files): Outputs =>
  outputsOf(ledgerOf(judgements), files);

/** The job summary of a step with these invocations. */
export const summaryOf = (judgements: readonly Evaluation[]): string =>
  renderSummary(ledgerOf(judgements).outcomes);

/** The comment of a step with these invocations. */
export const commentOf = (judgements: readonly Evaluation[]): string =>
  renderComment(ledgerOf(judgements).outcomes, {
    key: 'key',
    commit: 'commit',
    runUrl: 'https://run.example',
  });

/** Writes the log of a step with many invocations, from the first that ended to the totals. */
export function writeMany(judgements: readonly Evaluation[]): void {
  judgements.forEach((evaluation, index) => {
    info(progressLine(shownOf(evaluation), index + 1, judgements.length));
  });
  writeEnd(ledgerOf(judgements));
}
