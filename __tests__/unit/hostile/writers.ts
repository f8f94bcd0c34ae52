import { info } from '@actions/core';
import { maskJudgement } from '../../../src/outcome/masks.ts';
import type { Judgement } from '../../../src/outcome/outcome.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import type { Annotation } from '../../../src/report/annotations.ts';
import { Ledger } from '../../../src/report/ledger.ts';
import { noteOf, progressLine, writeEnd } from '../../../src/report/log.ts';
import { type Files, type Outputs, outputsOf } from '../../../src/report/outputs.ts';
import { renderComment } from '../../../src/report/permissions.ts';
import { renderSummary } from '../../../src/report/summary.ts';

/** A judgement as it may be shown. */
export const shownOf = (judgement: Judgement): Judgement =>
  maskJudgement(judgement, new SecretTexts(judgement.secrets.texts));

function ledgerOf(judgements: readonly Judgement[]): Ledger {
  const ledger = new Ledger(judgements.length);
  for (const judgement of judgements) {
    const shown = shownOf(judgement);
    ledger.add({ judgement, shown, shownJson: JSON.stringify(shown.outcome) }, noteOf);
  }
  return ledger;
}

/** The annotations of a step with these invocations. */
export const annotationsOf = (judgements: readonly Judgement[]): readonly Annotation[] =>
  ledgerOf(judgements).annotationsWith([]);

/** The outputs of a step with these invocations. */
export const outputsFor = (judgements: readonly Judgement[], files: Files): Outputs =>
  outputsOf(ledgerOf(judgements), files);

/** The job summary of a step with these invocations. */
export const summaryOf = (judgements: readonly Judgement[]): string =>
  renderSummary(ledgerOf(judgements).outcomes);

/** The comment of a step with these invocations. */
export const commentOf = (judgements: readonly Judgement[]): string =>
  renderComment(ledgerOf(judgements).outcomes, {
    key: 'key',
    commit: 'commit',
    runUrl: 'https://run.example',
  });

/** Writes the log of a step with many invocations, from the first that ended to the totals. */
export function writeMany(judgements: readonly Judgement[]): void {
  judgements.forEach((judgement, index) => {
    info(progressLine(shownOf(judgement), index + 1, judgements.length));
  });
  writeEnd(ledgerOf(judgements));
}
