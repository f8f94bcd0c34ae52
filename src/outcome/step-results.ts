import { Buffer } from 'node:buffer';
import { shortened } from '../shared/text.ts';
import { fieldsOf } from '../shared/values.ts';
import { type Expectation, IS_NO_ERROR } from './expectations.ts';
import type { ExplainedError } from './function-error-advice.ts';
import { KeptOutcomes, type ReportedOutcomes } from './kept-outcomes.ts';
import { readLogPlace } from './log-tail.ts';
import type { MaskedEvaluation, MaskedOutcome } from './masks.ts';
import { isHalted, isResumedSuccess, type Outcome } from './outcome.ts';

/** How many invocations ended in which way. Only those whose log shows how they started are cold or warm starts. */
export type OutcomeCounts = Readonly<{
  total: number;
  counts: Readonly<Record<Outcome['outcome'], number>>;
  /** All that did not succeed, as in the output `failed`. */
  failed: number;
  /** Those that were left out because another one failed. */
  halted: number;
  /** Those that succeeded in an earlier run. */
  resumed: number;
  cold: number;
  warm: number;
}>;

/** Counts outcomes by how they ended and how they started. */
export function countOutcomes(outcomes: Iterable<Outcome>): OutcomeCounts {
  const counts = { succeeded: 0, function_error: 0, expectation_failed: 0, not_invoked: 0, unknown: 0 };
  const starts = { cold: 0, warm: 0 };
  let total = 0;
  let halted = 0;
  let resumed = 0;
  for (const outcome of outcomes) {
    total += 1;
    counts[outcome.outcome] += 1;
    if (isHalted(outcome)) halted += 1;
    if (isResumedSuccess(outcome)) resumed += 1;
    const isCold = 'cold_start' in outcome ? outcome.cold_start : undefined;
    if (isCold !== undefined) starts[isCold ? 'cold' : 'warm'] += 1;
  }
  return {
    total,
    counts,
    failed: total - counts.succeeded,
    halted,
    resumed,
    ...starts,
  };
}

/** A function's own error, in texts of bounded length. */
export type Cause = Readonly<{ type?: string; message: string; frame?: string; advice?: string }>;

/** An expectation that is not met, in texts of bounded length. There is no value where it cannot be evaluated. */
export type Unmet = Readonly<{ expression: string; actual?: string }>;

/** An outcome without what can be large, and what the summary says about why it failed. */
export type ReportedOutcome = MaskedOutcome &
  Readonly<{
    cause?: Cause;
    unmet?: readonly Unmet[];
    /** How many expectations are not met, and how many there are. */
    expected?: Readonly<{ unmet: number; total: number }>;
  }>;

/** How much is kept of each failure: a single one is shown whole, and thousands have to fit into memory. */
type ExcerptBounds = Readonly<{ text: number; unmet: number; hasAdvice: boolean }>;
const OF_ONE: ExcerptBounds = { text: 1_000, unmet: 20, hasAdvice: true };
const OF_MANY: ExcerptBounds = { text: 200, unmet: 3, hasAdvice: false };

/** A short copy of a text. A slice would keep the whole response in memory. */
const excerpt = (text: string, longest: number): string => Buffer.from(shortened(text, longest)).toString();

// Where the code of every function is.
const FUNCTION_FOLDER = /(?:file:\/\/)?\/var\/task\//;

function causeOfError(
  { type, message, frames, advice }: ExplainedError,
  { text, hasAdvice }: ExcerptBounds,
): Cause {
  const [frame] = frames;
  return {
    ...(type !== undefined && { type: excerpt(type, text) }),
    message: excerpt(message, text),
    ...(frame !== undefined && { frame: excerpt(frame.replace(FUNCTION_FOLDER, ''), text) }),
    ...(advice !== undefined && hasAdvice && { advice: excerpt(advice, text) }),
  };
}

/** A value as JSON, also one that is nested too deeply for that. */
function valueText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return 'a value that is nested too deeply to be shown';
  }
}

function unmetOf(outcome: MaskedOutcome, bounds: ExcerptBounds): Pick<ReportedOutcome, 'unmet' | 'expected'> {
  if (outcome.outcome !== 'expectation_failed') return {};
  const all = outcome.expectations ?? [];
  const unmet = all.filter(({ met }) => !met);
  const http = fieldsOf('http' in outcome ? outcome.http : undefined);
  const shown = ({ expression, value }: Expectation): string =>
    expression === IS_NO_ERROR ? `${valueText(value)}: ${valueText(http['body'])}` : valueText(value);
  return {
    expected: { unmet: unmet.length, total: all.length },
    unmet: unmet.slice(0, bounds.unmet).map((one) => ({
      expression: excerpt(one.expression, bounds.text),
      ...(one.value !== undefined && { actual: excerpt(shown(one), bounds.text) }),
    })),
  };
}

/**
 * An outcome without the response, the log and what was made of them, but with the start of the error in them.
 * Everything that is kept was masked before. The place of a log is kept.
 */
function withoutContents(
  { outcome, functionError }: MaskedEvaluation,
  bounds: ExcerptBounds,
): ReportedOutcome {
  const { expectations: _, query_result: __, ...rest } = outcome;
  if (!('status_code' in rest)) return rest;
  const { response: ___, http: ____, log_result: log, ...figures } = rest;
  return {
    ...figures,
    ...(log !== undefined && readLogPlace(log) !== undefined && { log_result: log }),
    ...(functionError !== undefined && { cause: causeOfError(functionError, bounds) }),
    ...unmetOf(outcome, bounds),
  };
}

/**
 * What a step keeps: its outcomes, their counts, and whether it fails. No responses are kept, so memory does not
 * grow with what thousands of invocations respond.
 */
export class StepResults {
  /** How many invocations there will be. */
  readonly expected: number;
  readonly #outcomes = new KeptOutcomes();
  #hasFailed = false;

  constructor(expected: number) {
    this.expected = expected;
  }

  add(masked: MaskedEvaluation): void {
    this.#hasFailed ||= masked.failsStep;
    this.#outcomes.add(withoutContents(masked, this.expected > 1 ? OF_MANY : OF_ONE));
  }

  /** All outcomes in the order of the plan, without responses and logs. */
  get outcomes(): ReportedOutcomes {
    return this.#outcomes;
  }

  get counts(): OutcomeCounts {
    return countOutcomes(this.#outcomes);
  }

  /** 0 where every invocation has ended and none fails the step. */
  get exitCode(): 0 | 1 {
    return this.#hasFailed || this.#outcomes.length < this.expected ? 1 : 0;
  }
}
