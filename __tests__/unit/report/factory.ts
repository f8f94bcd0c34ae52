import { Buffer } from 'node:buffer';
import { explainFunctionError } from '../../../src/outcome/function-error-advice.ts';
import { type MaskedEvaluation, maskEvaluation, NO_SECRETS } from '../../../src/outcome/masks.ts';
import { type Evaluation, isFunctionError, type Outcome } from '../../../src/outcome/outcome.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { type ReportedOutcome, StepResults } from '../../../src/outcome/step-results.ts';
import { LOG_URL, OUTCOME_FIELDS, REQUEST_ID } from '../../base.ts';

export { LOG_URL, REQUEST_ID } from '../../base.ts';

/** The data of these invocations that a step keeps for its summary and comment. */
export function reportedOf(evaluations: readonly MaskedEvaluation[]): ReportedOutcome[] {
  const results = new StepResults(evaluations.length);
  for (const evaluation of evaluations) results.add(evaluation);
  return [...results.outcomes];
}

type Of<Kind extends Outcome['outcome']> = Partial<Extract<Outcome, { outcome: Kind }>>;

/** A masked evaluation with the function's own error, as an evaluator makes it. */
export const explained = (masked: MaskedEvaluation): MaskedEvaluation =>
  isFunctionError(masked.outcome)
    ? { ...masked, functionError: explainFunctionError(masked.outcome) }
    : masked;

/** An evaluation as shown by a step without secrets. */
export const unmasked = (evaluation: Evaluation): MaskedEvaluation =>
  explained(maskEvaluation({ ...evaluation, secrets: NO_SECRETS }, new SecretTexts()));

/** An evaluation that can be shown unchanged. */
type Shown = Evaluation & MaskedEvaluation;

function evaluationOf(outcome: Outcome, rest: Partial<Evaluation>): Shown {
  const evaluation = {
    label: 'my-function',
    outcome,
    response: new Uint8Array(),
    responseBytes: rest.response?.length ?? 0,
    logIsCut: false,
    tailRefused: false,
    failsStep: outcome.outcome !== 'succeeded',
    unmet: [],
    secrets: NO_SECRETS,
    ...rest,
  };
  return { ...evaluation, ...unmasked(evaluation) };
}

/** A function that succeeded, with overrides of the outcome and the evaluation. */
export function succeeded(fields: Of<'succeeded'> = {}, rest: Partial<Evaluation> = {}): Shown {
  return evaluationOf(
    {
      ...OUTCOME_FIELDS,
      status_code: 200,
      request_id: REQUEST_ID,
      log_url: LOG_URL,
      ...fields,
      outcome: 'succeeded',
    },
    rest,
  );
}

/** A function that failed with this response. */
export function failed(
  response: unknown,
  fields: Of<'function_error'> = {},
  rest: Partial<Evaluation> = {},
): Shown {
  return evaluationOf(
    {
      ...OUTCOME_FIELDS,
      status_code: 200,
      request_id: REQUEST_ID,
      log_url: LOG_URL,
      function_error: 'Unhandled',
      response,
      ...fields,
      outcome: 'function_error',
    },
    { response: Buffer.from(JSON.stringify(response)), ...rest },
  );
}

/** A response that does not meet expectations. */
export function expectationFailed(
  fields: Of<'expectation_failed'> = {},
  rest: Partial<Evaluation> = {},
): Shown {
  return evaluationOf(
    { ...OUTCOME_FIELDS, status_code: 200, ...fields, outcome: 'expectation_failed' },
    rest,
  );
}

const REFUSED = { name: 'AccessDeniedException', message: 'not authorized', advice: 'Allow it.' };
const LOST = { name: 'ECONNRESET', message: 'socket hang up', advice: 'Look at the log.' };

/** An invocation that did not run. */
export function notInvoked(fields: Of<'not_invoked'> = {}, rest: Partial<Evaluation> = {}): Shown {
  return evaluationOf(
    { ...OUTCOME_FIELDS, ran: 'did_not_run', error: REFUSED, ...fields, outcome: 'not_invoked' },
    rest,
  );
}

/** An invocation that was sent but got no response. */
export function unknown(fields: Of<'unknown'> = {}, rest: Partial<Evaluation> = {}): Shown {
  return evaluationOf(
    { ...OUTCOME_FIELDS, ran: 'may_have_run', log_url: LOG_URL, error: LOST, ...fields, outcome: 'unknown' },
    rest,
  );
}
