import { Buffer } from 'node:buffer';
import { NO_SECRETS } from '../../../src/outcome/masks.ts';
import type { Evaluation, Outcome } from '../../../src/outcome/outcome.ts';
import { OUTCOME_FIELDS, REQUEST_ID } from '../../base.ts';

export { REQUEST_ID } from '../../base.ts';

type Of<Kind extends Outcome['outcome']> = Partial<Extract<Outcome, { outcome: Kind }>>;

function evaluationOf(outcome: Outcome, rest: Partial<Evaluation>): Evaluation {
  return {
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
}

/** A function that succeeded, with overrides of the outcome and of what surrounds it. */
export function succeeded(fields: Of<'succeeded'> = {}, rest: Partial<Evaluation> = {}): Evaluation {
  return evaluationOf(
    { ...OUTCOME_FIELDS, status_code: 200, request_id: REQUEST_ID, ...fields, outcome: 'succeeded' },
    rest,
  );
}

/** A function that failed with this response. */
export function failed(
  response: unknown,
  fields: Of<'function_error'> = {},
  rest: Partial<Evaluation> = {},
): Evaluation {
  return evaluationOf(
    {
      ...OUTCOME_FIELDS,
      status_code: 200,
      request_id: REQUEST_ID,
      function_error: 'Unhandled',
      response,
      ...fields,
      outcome: 'function_error',
    },
    { response: Buffer.from(JSON.stringify(response)), ...rest },
  );
}

const REFUSED = { name: 'AccessDeniedException', message: 'not authorized', advice: 'Allow it.' };
const LOST = { name: 'ECONNRESET', message: 'socket hang up', advice: 'Look at the log.' };

/** An invocation that surely did not run. */
export function notInvoked(fields: Of<'not_invoked'> = {}, rest: Partial<Evaluation> = {}): Evaluation {
  return evaluationOf({ ...OUTCOME_FIELDS, error: REFUSED, ...fields, outcome: 'not_invoked' }, rest);
}

/** An invocation that was sent and never answered. */
export function unknown(fields: Of<'unknown'> = {}, rest: Partial<Evaluation> = {}): Evaluation {
  return evaluationOf({ ...OUTCOME_FIELDS, error: LOST, ...fields, outcome: 'unknown' }, rest);
}
