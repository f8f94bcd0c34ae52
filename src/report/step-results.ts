import { Buffer } from 'node:buffer';
import { readLogPlace } from '../outcome/log-tail.ts';
import type { Evaluation, Outcome } from '../outcome/outcome.ts';
import { type Annotation, AnnotationList, annotationsFor } from './annotations.ts';
import { LONGEST_OUTPUT_BYTES } from './outputs.ts';
import { countOutcomes } from './summary/statistics.ts';

/** A failure as the end of the log tells it: its line, and what the function wrote. */
export type FailureNote = Readonly<{ headline: string; foreign: readonly string[] }>;

/** An invocation that has ended: as it is, as it may be shown, and the outcome of that as JSON. */
export type Ended = Readonly<{ evaluation: Evaluation; shown: Evaluation; shownJson: string }>;

/** What a step came to, counted. */
export type Totals = Readonly<{
  total: number;
  succeeded: number;
  failed: number;
  coldStarts: number;
  warmStarts: number;
}>;

const KEPT_NOTES = 100;

/** An outcome without what can be large: the response, the log and what was made of them. A log's place is kept. */
function slim(outcome: Outcome): Outcome {
  const { expectations: _, query_result: __, ...rest } = outcome;
  if (!('status_code' in rest)) return rest;
  const { response: ___, log_result: log, ...figures } = rest;
  return log !== undefined && readLogPlace(log) !== undefined ? { ...figures, log_result: log } : figures;
}

/**
 * Keeps of each invocation what the report at the end needs, and no response: with thousands of
 * invocations memory does not grow with what they answer. A single one is kept whole.
 */
export class StepResults {
  readonly #expected: number;
  readonly #outcomes: Outcome[] = [];
  readonly #annotations = new AnnotationList();
  readonly #notes: FailureNote[] = [];
  /** Undefined from where they are too long for an output. */
  #json: { index: number; text: string }[] | undefined = [];
  #jsonBytes = 2;
  #only: Evaluation | undefined;
  #shown: Evaluation | undefined;
  #failsStep = false;

  /** @param expected how many invocations there will be */
  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Takes in an invocation that has ended: all of it, or nothing where something of it can't be told. */
  add(ended: Ended, note: (failed: Evaluation) => FailureNote): void {
    const { evaluation, shown } = ended;
    const annotations = annotationsFor(shown);
    const hasNote = evaluation.failsStep && this.#notes.length < KEPT_NOTES;
    const notes = hasNote ? [note(shown)] : [];
    this.#keepJson(ended);
    this.#outcomes.push(slim(shown.outcome));
    this.#failsStep ||= evaluation.failsStep;
    this.#annotations.add(...annotations);
    this.#notes.push(...notes);
    if (this.#expected === 1) {
      this.#only = evaluation;
      this.#shown = shown;
    }
  }

  #keepJson({ evaluation, shown, shownJson }: Ended): void {
    if (this.#json === undefined) return;
    const { index } = evaluation.outcome;
    // Written once more only where a mask makes the two differ.
    const text = shown.outcome === evaluation.outcome ? shownJson : JSON.stringify(evaluation.outcome);
    this.#jsonBytes += Buffer.byteLength(text) + 1;
    if (this.#jsonBytes <= LONGEST_OUTPUT_BYTES) this.#json.push({ index, text });
    else this.#json = undefined;
  }

  get failsStep(): boolean {
    return this.#failsStep;
  }

  /** The single invocation of a step that has one, as it is. */
  get only(): Evaluation | undefined {
    return this.#only;
  }

  /** The same, as it may be shown. */
  get onlyShown(): Evaluation | undefined {
    return this.#shown;
  }

  /** All outcomes in the order of the plan, without responses and logs. */
  get outcomes(): Outcome[] {
    return this.#outcomes.toSorted((one, other) => one.index - other.index);
  }

  /** What the invocations have to say, behind what the step itself has. */
  annotationsWith(ofStep: readonly Annotation[]): readonly Annotation[] {
    return this.#annotations.allWith(ofStep);
  }

  /** The first failures, at most 100. */
  get notes(): readonly FailureNote[] {
    return this.#notes;
  }

  /** JSON array of the outcomes in the order of the plan; undefined where it is too long for an output. */
  get results(): string | undefined {
    const ordered = this.#json?.toSorted((one, other) => one.index - other.index);
    return ordered && `[${ordered.map(({ text }) => text).join(',')}]`;
  }

  get totals(): Totals {
    const { total, counts, failed, cold, warm } = countOutcomes(this.#outcomes);
    return { total, succeeded: counts.succeeded, failed, coldStarts: cold, warmStarts: warm };
  }
}
