import { readLogPlace } from './log-tail.ts';
import type { MaskedEvaluation, MaskedOutcome } from './masks.ts';
import type { Outcome } from './outcome.ts';

/** How many invocations ended in which way. Only those whose log shows how they started are cold or warm starts. */
export type OutcomeCounts = Readonly<{
  total: number;
  counts: Readonly<Record<Outcome['outcome'], number>>;
  /** All that did not succeed, as in the output `failed`. */
  failed: number;
  cold: number;
  warm: number;
}>;

/** Counts outcomes by how they ended and how they started. */
export function countOutcomes(outcomes: readonly Outcome[]): OutcomeCounts {
  const counts = { succeeded: 0, function_error: 0, expectation_failed: 0, not_invoked: 0, unknown: 0 };
  const starts = { cold: 0, warm: 0 };
  for (const outcome of outcomes) {
    counts[outcome.outcome] += 1;
    const isCold = 'cold_start' in outcome ? outcome.cold_start : undefined;
    if (isCold !== undefined) starts[isCold ? 'cold' : 'warm'] += 1;
  }
  return { total: outcomes.length, counts, failed: outcomes.length - counts.succeeded, ...starts };
}

/** An outcome without what can be large: the response, the log and what was made of them. A log's place is kept. */
function withoutContents(outcome: MaskedOutcome): MaskedOutcome {
  const { expectations: _, query_result: __, ...rest } = outcome;
  if (!('status_code' in rest)) return rest;
  const { response: ___, log_result: log, ...figures } = rest;
  return log !== undefined && readLogPlace(log) !== undefined ? { ...figures, log_result: log } : figures;
}

/**
 * The results of a step: its outcomes, their counts, and whether it fails. No responses are kept, so memory does not
 * grow with what thousands of invocations respond.
 */
export class StepResults {
  readonly #expected: number;
  readonly #outcomes: MaskedOutcome[] = [];
  #hasFailed = false;

  /** @param expected how many invocations there will be */
  constructor(expected: number) {
    this.#expected = expected;
  }

  add({ outcome, failsStep }: MaskedEvaluation): void {
    this.#hasFailed ||= failsStep;
    this.#outcomes.push(withoutContents(outcome));
  }

  /** All outcomes in the order of the plan, without responses and logs. */
  get outcomes(): MaskedOutcome[] {
    return this.#outcomes.toSorted((one, other) => one.index - other.index);
  }

  get counts(): OutcomeCounts {
    return countOutcomes(this.#outcomes);
  }

  /** 0 where every invocation has ended and none fails the step. */
  get exitCode(): 0 | 1 {
    return this.#hasFailed || this.#outcomes.length < this.#expected ? 1 : 0;
  }
}
