import type { Delivery, Failure } from '../lambda/invocation.ts';
import { messageOf } from '../thrown.ts';
import { judge, type Rules } from './judge.ts';
import type { Judgement } from './outcome.ts';

/** What is known of an invocation whose outcome can't be evaluated, as a failure. */
function failureFrom({ result, invocation }: Delivery, why: string): Failure {
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
    proof: PROOFS[invocation.invocationType],
    throughProxy: false,
    statusCode,
    ...(requestId !== undefined && { requestId }),
    ...(durableExecutionArn !== undefined && { durableExecutionArn }),
    ...(streamedBytes !== undefined && { streamedBytes }),
  };
}

// What an answer by itself tells.
const PROOFS = { RequestResponse: 'ran', Event: 'may_have_run', DryRun: 'never_ran' } as const;

/** Judges an invocation whose outcome can't be evaluated: it is not known, the step fails, and the response is kept. */
export function judgeUnevaluated(delivery: Delivery, error: unknown, rules: Rules): Judgement {
  // The message may quote the response, of which a mask has hidden nothing yet.
  const why = rules.expressions.mask.length === 0 ? `: ${messageOf(error)}` : '';
  const known = { ...delivery, result: failureFrom(delivery, why) };
  const judged = judge(known, { ...rules, expressions: { expect: [], mask: [] } });
  if (delivery.result.kind === 'failure') return judged;
  const { payload } = delivery.result;
  return { ...judged, response: payload, responseBytes: delivery.result.streamedBytes ?? payload.length };
}
