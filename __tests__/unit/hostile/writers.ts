import { info } from '@actions/core';
import { type MaskedEvaluation, maskEvaluation } from '../../../src/outcome/masks.ts';
import type { Evaluation } from '../../../src/outcome/outcome.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { type ReportedOutcome, StepResults } from '../../../src/outcome/step-results.ts';
import { type Annotation, AnnotationList, annotationsFor } from '../../../src/report/annotations.ts';
import { FailureNotes, progressLine, writeEnd } from '../../../src/report/log.ts';
import { OutcomesJson, type OutputFiles, type Outputs, outputsOf } from '../../../src/report/outputs.ts';
import { renderComment } from '../../../src/report/summary/permissions.ts';
import { renderSummary } from '../../../src/report/summary/summary.ts';
import { explained } from '../report/factory.ts';

/** An evaluation with its secrets masked. */
export const shownOf = (evaluation: Evaluation): MaskedEvaluation =>
  explained(maskEvaluation(evaluation, new SecretTexts(evaluation.secrets.texts)));

/** The outcomes of a step with these invocations. */
function resultsOf(evaluations: readonly Evaluation[]): StepResults {
  const results = new StepResults(evaluations.length);
  for (const evaluation of evaluations) results.add(shownOf(evaluation));
  return results;
}

/** The annotations of a step with these invocations. */
export function annotationsOf(evaluations: readonly Evaluation[]): readonly Annotation[] {
  const list = new AnnotationList();
  for (const evaluation of evaluations) list.add(...annotationsFor(shownOf(evaluation)));
  return list.allWith([]);
}

/** The outputs of a step with these invocations. */
export function outputsFor(evaluations: readonly Evaluation[], files: OutputFiles): Outputs {
  const outcomes = new OutcomesJson();
  for (const evaluation of evaluations) {
    const masked = shownOf(evaluation);
    outcomes.add({ evaluation, masked, maskedJson: JSON.stringify(masked.outcome) });
  }
  const single = evaluations.length === 1 ? evaluations[0] : undefined;
  return outputsOf({ single, outcomes: outcomes.text, counts: resultsOf(evaluations).counts }, files);
}

/** The data of these invocations that a step keeps for its summary. */
export const reportedBy = (evaluations: readonly Evaluation[]): ReportedOutcome[] => [
  ...resultsOf(evaluations).outcomes,
];

/** The job summary of a step with these invocations. */
export const summaryOf = (evaluations: readonly Evaluation[]): string =>
  renderSummary(resultsOf(evaluations).outcomes);

/** The comment of a step with these invocations. */
export const commentOf = (evaluations: readonly Evaluation[]): string =>
  renderComment(resultsOf(evaluations).outcomes, {
    key: 'key',
    commit: 'commit',
    runUrl: 'https://run.example',
  });

/** Writes the log of a step with many invocations, from the first completed one to the totals. */
export function writeMany(evaluations: readonly Evaluation[]): void {
  const notes = new FailureNotes();
  evaluations.forEach((evaluation, index) => {
    notes.add(shownOf(evaluation));
    info(progressLine(shownOf(evaluation), index + 1, evaluations.length));
  });
  writeEnd(notes, resultsOf(evaluations).counts);
}
