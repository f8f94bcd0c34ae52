import { Buffer } from 'node:buffer';
import type { Answer, Delivery, Failure, Invocation } from '../lambda/invocation.ts';
import { adviseOn, type JobFacts } from './advice.ts';
import { decodeLogTail, isCut, readFigures } from './log-tail.ts';
import type { Judgement, Outcome } from './outcome.ts';

/** What turns an answer into a verdict on the step. */
export type Rules = Readonly<{ failOnFunctionError: boolean; job: JobFacts }>;

function parseResponse(payload: Uint8Array): unknown {
  const text = Buffer.from(payload).toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

function asked(delivery: Delivery) {
  const { invocation } = delivery;
  const qualifier = invocation.qualifier ?? invocation.reference.qualifier;
  return {
    index: invocation.index,
    function_name: invocation.reference.name,
    ...(qualifier !== undefined && { qualifier }),
    ...(delivery.region !== undefined && { region: delivery.region }),
    invocation_type: invocation.invocationType,
    ...(invocation.tenantId !== undefined && { tenant_id: invocation.tenantId }),
    started_at: delivery.startedAt.toISOString(),
    elapsed_ms: delivery.elapsedMs,
    attempts: delivery.attempts,
  };
}

function answered(answer: Answer, invocation: Invocation) {
  const log = answer.logTail === undefined ? undefined : decodeLogTail(answer.logTail);
  return {
    status_code: answer.statusCode,
    ...(answer.executedVersion !== undefined && { executed_version: answer.executedVersion }),
    ...(answer.requestId !== undefined && { request_id: answer.requestId }),
    ...(answer.durableExecutionArn !== undefined && { durable_execution_arn: answer.durableExecutionArn }),
    ...(invocation.invocationType === 'RequestResponse' && { result: parseResponse(answer.payload) }),
    ...(log !== undefined && { log_result: log, ...readFigures(log, answer.requestId) }),
  };
}

/** Whether the function ran, in a sentence for somebody who has to decide what to do now. */
function whetherItRan(failure: Failure): string {
  switch (failure.proof) {
    case 'never_ran':
      return 'The function did not run.';
    case 'ran':
      return 'The function ran, at least in part, and its answer is lost.';
    case 'may_have_run':
      return `It was sent at ${failure.sentAt?.toISOString() ?? 'an unknown time'}, and nothing tells whether the function ran.`;
    default:
      return failure.proof satisfies never;
  }
}

const asSentence = (message: string): string => (/[.!?…]$/.test(message) ? message : `${message}.`);

function unanswered(failure: Failure, delivery: Delivery, job: JobFacts) {
  const { invocation, region } = delivery;
  return {
    ...(failure.requestId !== undefined && { request_id: failure.requestId }),
    error: {
      name: failure.name,
      message: `${asSentence(failure.message)} ${whetherItRan(failure)}`,
      advice: adviseOn({ failure, invocation, region, job }),
    },
  };
}

function outcomeOf(delivery: Delivery, rules: Rules): Outcome {
  const { result } = delivery;
  switch (result.kind) {
    case 'failure':
      return {
        ...asked(delivery),
        ...unanswered(result, delivery, rules.job),
        outcome: result.proof === 'never_ran' ? 'not_invoked' : 'unknown',
      };
    case 'answer': {
      const common = { ...asked(delivery), ...answered(result, delivery.invocation) };
      return result.functionError === undefined
        ? { ...common, outcome: 'succeeded' }
        : { ...common, outcome: 'function_error', function_error: result.functionError };
    }
    default:
      return result satisfies never;
  }
}

function failsStep(outcome: Outcome, rules: Rules): boolean {
  switch (outcome.outcome) {
    case 'succeeded':
      return false;
    case 'function_error':
      return rules.failOnFunctionError;
    case 'not_invoked':
    case 'unknown':
      return true;
    default:
      return outcome satisfies never;
  }
}

/** Judges how an invocation ended: its outcome, and whether the step fails for it. */
export function judge(delivery: Delivery, rules: Rules): Judgement {
  const outcome = outcomeOf(delivery, rules);
  const { result } = delivery;
  const answer = result.kind === 'answer' ? result : undefined;
  const strangeText = result.kind === 'failure' ? result.strangeText : undefined;
  return {
    label: delivery.invocation.functionName,
    outcome,
    response: answer?.payload ?? new Uint8Array(),
    logIsCut: answer?.logTail !== undefined && isCut(answer.logTail),
    tailRefused: delivery.tailRefused,
    failsStep: failsStep(outcome, rules),
    ...(strangeText !== undefined && { strangeText }),
  };
}
