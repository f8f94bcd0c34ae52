import type { InvocationResult, InvokeFailure } from '../lambda/invocation.ts';
import { messageOf } from '../shared/errors.ts';
import { evaluate, type Rules } from './evaluate.ts';
import type { Evaluation } from './outcome.ts';

/** What is known of an invocation whose outcome can't be evaluated, as a failure. */
function failureFrom({ result, invocation }: InvocationResult, why: string): InvokeFailure {
  const told = {
    name: 'EvaluationFailed',
    message: `The outcome could not be evaluated${why}`,
    mayClear: false,
  } as const;
  if (result.kind === 'failure') return { ...result, ...told };
  const { statusCode, requestId, durableExecutionArn, streamedBytes } = result;
  return {
    ...told,
    kind: 'failure',
    evidence: EVIDENCE[invocation.invocationType],
    throughProxy: false,
    statusCode,
    ...(requestId !== undefined && { requestId }),
    ...(durableExecutionArn !== undefined && { durableExecutionArn }),
    ...(streamedBytes !== undefined && { streamedBytes }),
  };
}

// What an answer by itself tells.
const EVIDENCE = { RequestResponse: 'ran', Event: 'may_have_run', DryRun: 'did_not_run' } as const;

/** Judges an invocation whose outcome can't be evaluated: it is not known, the step fails, and the response is kept. */
export function evaluateAsUnknown(delivery: InvocationResult, error: unknown, rules: Rules): Evaluation {
  // The message may quote the response, of which a mask has hidden nothing yet.
  const why = rules.expressions.mask.length === 0 ? `: ${messageOf(error)}` : '';
  const known = { ...delivery, result: failureFrom(delivery, why) };
  const judged = evaluate(known, { ...rules, expressions: { expect: [], mask: [] } });
  if (delivery.result.kind === 'failure') return judged;
  const { payload } = delivery.result;
  return { ...judged, response: payload, responseBytes: delivery.result.streamedBytes ?? payload.length };
}
