import type { Invocation, InvocationResult, InvokeFailure, InvokeResponse } from '../lambda/invocation.ts';
import { messageOf } from '../shared/errors.ts';
import { utf8 } from '../shared/text.ts';
import { adviseOn, type JobFacts } from './advice.ts';
import { type Checked, check, type ExpressionContext, type Expressions, whyNoValue } from './expectations.ts';
import { decodeLogTail, isCut, readFigures } from './log-tail.ts';
import { findSecrets, maskValue } from './masks.ts';
import type { Evaluation, Outcome, Secrets } from './outcome.ts';
import { SecretTexts } from './secret-texts.ts';
import { withErrorOfLog } from './stream-error.ts';

/** What turns an answer into a verdict on the step. */
export type Rules = Readonly<{
  failOnFunctionError: boolean;
  expressions: Expressions;
  job: JobFacts;
  /** Secrets that are known before any mask is evaluated. */
  known?: SecretTexts;
}>;

const DEEPEST = 500;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// A bracket and a brace differ in one bit.
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Whether JSON is nested deeper than what looks into it and writes it again can go. */
function isTooDeep(json: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (inText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if ((byte | BRACE_BIT) === CLOSING) depth -= 1;
    else if ((byte | BRACE_BIT) === OPENING) depth += 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}

const BYTE_ORDER_MARK = /^\ufeff/;

/** A response parsed; the text as it is where that is not JSON. */
type Parsed = Readonly<{ result: unknown; isJson: boolean }>;

function parseResponse(payload: Uint8Array): Parsed {
  const text = utf8(payload);
  if (isTooDeep(payload)) return { result: text, isJson: false };
  try {
    return { result: JSON.parse(text.replace(BYTE_ORDER_MARK, '')), isJson: true };
  } catch {
    return { result: text, isJson: false };
  }
}

function asked(delivery: InvocationResult) {
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

/** A followed Event has a response too; of a stream that was too long to be held there is only the file. */
function hasResult(
  { payload, functionError, streamedBytes }: InvokeResponse,
  { invocationType }: Invocation,
): boolean {
  if (streamedBytes !== undefined && functionError === undefined) return payload.length === streamedBytes;
  return invocationType === 'RequestResponse' || payload.length > 0;
}

function answered(answer: InvokeResponse, invocation: Invocation, result: unknown) {
  const log = answer.logTail === undefined ? undefined : decodeLogTail(answer.logTail);
  return {
    status_code: answer.statusCode,
    ...(answer.executedVersion !== undefined && { executed_version: answer.executedVersion }),
    ...(answer.requestId !== undefined && { request_id: answer.requestId }),
    ...(answer.durableExecutionArn !== undefined && { durable_execution_arn: answer.durableExecutionArn }),
    ...(hasResult(answer, invocation) && { response: result }),
    ...(log !== undefined && {
      ...(invocation.keepsLog && { log_result: log }),
      ...readFigures(log, answer.requestId),
    }),
  };
}

/** Whether the function ran, in a sentence for somebody who has to decide what to do now. */
function whetherItRan(failure: InvokeFailure): string {
  if (failure.durableExecutionArn !== undefined) {
    return `The execution was started and goes on by itself: ${failure.durableExecutionArn}.`;
  }
  switch (failure.evidence) {
    case 'did_not_run':
      return 'The function did not run.';
    case 'ran':
      return 'The function ran, at least in part, and its answer is lost.';
    case 'may_have_run':
      return `It was sent at ${failure.sentAt?.toISOString() ?? 'an unknown time'}, and nothing tells whether the function ran.`;
    default:
      return failure.evidence satisfies never;
  }
}

const asSentence = (message: string): string => (/[.!?…]$/.test(message) ? message : `${message}.`);

function unanswered(failure: InvokeFailure, delivery: InvocationResult, job: JobFacts) {
  const { invocation, region } = delivery;
  return {
    ...(failure.requestId !== undefined && { request_id: failure.requestId }),
    ...(failure.durableExecutionArn !== undefined && {
      durable_execution_arn: failure.durableExecutionArn,
    }),
    error: {
      name: failure.name,
      message: `${asSentence(failure.message)} ${whetherItRan(failure)}`,
      advice: adviseOn({ failure, invocation, region, job }),
    },
  };
}

/** What came in place of Lambda's answer, and the error's message without it. */
function strangeTexts(failure: InvokeFailure): Pick<Evaluation, 'foreignText' | 'plainMessage'> {
  const { name, foreignText } = failure;
  if (foreignText === undefined) return {};
  const message = `${name} with a response that is not Lambda's, which is not shown.`;
  return { foreignText, plainMessage: `${message} ${whetherItRan(failure)}` };
}

function outcomeOf(delivery: InvocationResult, rules: Rules, parsed: unknown): Outcome {
  const { result } = delivery;
  switch (result.kind) {
    case 'failure':
      return {
        ...asked(delivery),
        ...unanswered(result, delivery, rules.job),
        outcome: result.evidence === 'did_not_run' ? 'not_invoked' : 'unknown',
      };
    case 'answer': {
      const common = { ...asked(delivery), ...answered(result, delivery.invocation, parsed) };
      return result.functionError === undefined
        ? { ...common, outcome: 'succeeded' }
        : { ...common, outcome: 'function_error', function_error: result.functionError };
    }
    default:
      return result satisfies never;
  }
}

type Queried = Readonly<{ outcome: Outcome; found: boolean; problem?: string }>;

function query(outcome: Outcome, { expressions }: Rules): Queried {
  const { query: expression, search } = expressions;
  if (expression === undefined || search === undefined) return { outcome, found: true };
  try {
    const value = search(expression, outcome) ?? null;
    return value === null
      ? { outcome, found: false }
      : { outcome: { ...outcome, query_result: value }, found: true };
  } catch (error) {
    return { outcome, found: false, problem: messageOf(error) };
  }
}

/** Why a query has no value; undefined where it has one, and where there is no response to find one in. */
function queryProblem(
  { outcome, found, problem }: Queried,
  rules: Rules,
  context: ExpressionContext | undefined,
): string | undefined {
  const { query: expression } = rules.expressions;
  if (found || problem !== undefined) return problem;
  if (context === undefined || expression === undefined || !isExpectedOf(outcome, rules)) return undefined;
  return `The query found nothing, and query_result is empty: ${whyNoValue(expression, outcome, context)}`;
}

/** Whether the expectations have anything to say: there is an answer, and it is not failed for itself. */
function isExpectedOf(outcome: Outcome, rules: Rules): boolean {
  return (
    outcome.outcome === 'succeeded' || (outcome.outcome === 'function_error' && !rules.failOnFunctionError)
  );
}

function expectations(
  outcome: Outcome,
  rules: Rules,
  context: ExpressionContext | undefined,
): { outcome: Outcome; unmet: readonly Checked[] } {
  const { expect } = rules.expressions;
  if (context === undefined || expect.length === 0 || !isExpectedOf(outcome, rules))
    return { outcome, unmet: [] };
  const checked = expect.map((expression) => check(expression, outcome, context));
  const unmet = checked.filter(({ expectation }) => !expectation.met);
  const told = { ...outcome, expectations: checked.map(({ expectation }) => expectation) };
  return { outcome: unmet.length === 0 ? told : asFailed(told), unmet };
}

/** What expressions see, and what they may not show. */
function contextOf({ expressions, known }: Rules, secrets: Secrets): ExpressionContext | undefined {
  const { search, parseTree } = expressions;
  if (search === undefined || parseTree === undefined) return undefined;
  const texts = new SecretTexts(secrets.texts, known);
  return { search, parseTree, hide: (value) => maskValue(value, texts) };
}

function asFailed(outcome: Outcome): Outcome {
  switch (outcome.outcome) {
    case 'succeeded':
    case 'function_error':
      return { ...outcome, outcome: 'expectation_failed' };
    case 'expectation_failed':
    case 'not_invoked':
    case 'unknown':
      return outcome;
    default:
      return outcome satisfies never;
  }
}

function failsStep(outcome: Outcome, rules: Rules): boolean {
  switch (outcome.outcome) {
    case 'succeeded':
      return false;
    case 'function_error':
      return rules.failOnFunctionError;
    case 'expectation_failed':
    case 'not_invoked':
    case 'unknown':
      return true;
    default:
      return outcome satisfies never;
  }
}

/** Whether something came that masks can't look into: no JSON, or too long to be held. */
function isOpaque(result: InvokeResponse | InvokeFailure, parsed: Parsed): boolean {
  if (result.kind === 'failure') return result.foreignText !== undefined;
  return !parsed.isJson && (result.payload.length > 0 || (result.streamedBytes ?? 0) > 0);
}

/** The secrets of a response in which masks can find nothing, because they can't look into it. */
const asOpaque = ({ texts, withheld }: Secrets): Secrets => ({
  texts,
  withheld: withheld === undefined || withheld === 'mask_found_nothing' ? 'not_json' : withheld,
});

/** Judges how an invocation ended: its outcome, whether the step fails for it, and what may not be shown. */
export function evaluate(delivered: InvocationResult, rules: Rules): Evaluation {
  const delivery =
    delivered.result.kind === 'answer'
      ? { ...delivered, result: withErrorOfLog(delivered.result) }
      : delivered;
  const { result } = delivery;
  const answer = result.kind === 'answer' ? result : undefined;
  const parsed = parseResponse(answer?.payload ?? new Uint8Array());
  const queried = query(outcomeOf(delivery, rules, parsed.result), rules);
  const { mask, search, parseTree } = rules.expressions;
  const found = findSecrets(mask, queried.outcome, { search, parseTree });
  const secrets = mask.length > 0 && isOpaque(result, parsed) ? asOpaque(found) : found;
  const context = contextOf(rules, secrets);
  const { outcome, unmet } = expectations(queried.outcome, rules, context);
  const problem = queryProblem(queried, rules, context);
  return {
    label: delivery.invocation.functionName,
    outcome,
    response: answer?.payload ?? new Uint8Array(),
    logIsCut: answer?.logTail !== undefined && isCut(answer.logTail),
    tailRefused: delivery.tailRefused && delivery.invocation.keepsLog,
    failsStep: failsStep(outcome, rules),
    unmet,
    responseBytes: result.streamedBytes ?? answer?.payload.length ?? 0,
    secrets,
    ...(problem !== undefined && { queryProblem: problem }),
    ...(result.kind === 'failure' && strangeTexts(result)),
  };
}
