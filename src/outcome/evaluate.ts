import type { InvocationResult, InvokeFailure, InvokeResponse } from '../lambda/invocation.ts';
import { messageOf } from '../shared/errors.ts';
import {
  isFunctionResponse,
  outcomeOf,
  type ParsedResponse,
  parseResponse,
  whetherItRan,
} from './document.ts';
import { type Checked, check, type ExpressionContext, type Expressions, whyNoValue } from './expectations.ts';
import type { JobFacts } from './failure-advice.ts';
import { isCut } from './log-tail.ts';
import { findSecrets, maskValue } from './masks.ts';
import type { Evaluation, Outcome, Secrets } from './outcome.ts';
import { SecretTexts } from './secret-texts.ts';
import { withErrorOfLog } from './stream-error.ts';

/** By what a result is evaluated. */
export type Rules = Readonly<{
  failOnFunctionError: boolean;
  expressions: Expressions;
  job: JobFacts;
  /** Secrets that are known before any mask is evaluated. */
  known?: SecretTexts;
}>;

/** What came in place of Lambda's response, and the error's message without it. */
function foreignTexts(failure: InvokeFailure): Pick<Evaluation, 'foreignText' | 'plainMessage'> {
  const { name, foreignText } = failure;
  if (foreignText === undefined) return {};
  const message = `${name} with a response that is not Lambda's, which is not shown.`;
  return { foreignText, plainMessage: `${message} ${whetherItRan(failure)}` };
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
  if (context === undefined || expression === undefined || !hasExpectations(outcome, rules)) return undefined;
  return `The query found nothing, and query_result is empty: ${whyNoValue(expression, outcome, context)}`;
}

/** Whether expectations apply: there is a response, and the step does not fail for it already. */
function hasExpectations(outcome: Outcome, rules: Rules): boolean {
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
  if (context === undefined || expect.length === 0 || !hasExpectations(outcome, rules))
    return { outcome, unmet: [] };
  const checked = expect.map((expression) => check(expression, outcome, context));
  const unmet = checked.filter(({ expectation }) => !expectation.met);
  const complete = { ...outcome, expectations: checked.map(({ expectation }) => expectation) };
  return { outcome: unmet.length === 0 ? complete : asExpectationFailed(complete), unmet };
}

/** What expressions see, and what they may not show. */
function contextOf({ expressions, known }: Rules, secrets: Secrets): ExpressionContext | undefined {
  const { search, parseTree } = expressions;
  if (search === undefined || parseTree === undefined) return undefined;
  const texts = new SecretTexts(secrets.texts, known);
  return { search, parseTree, hide: (value) => maskValue(value, texts) };
}

function asExpectationFailed(outcome: Outcome): Outcome {
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

/** Whether masks can't look into what was received: it is no JSON, or too long to be held. */
function isOpaque(result: InvokeResponse | InvokeFailure, parsed: ParsedResponse): boolean {
  if (result.kind === 'failure') return result.foreignText !== undefined;
  return !parsed.isJson && (result.payload.length > 0 || (result.streamedBytes ?? 0) > 0);
}

/** A result without what is no response, and with the error that only the log of a stream shows. */
function normalize(ended: InvocationResult): InvocationResult {
  const { result, invocation } = ended;
  if (result.kind === 'failure') return ended;
  const response = withErrorOfLog(result);
  const isResponse = isFunctionResponse(response, invocation);
  return { ...ended, result: isResponse ? response : { ...response, payload: new Uint8Array() } };
}

/** The secrets of a response in which masks can find nothing, because they can't look into it. */
const asOpaque = ({ texts, withheld }: Secrets): Secrets => ({
  texts,
  withheld: withheld === undefined || withheld === 'mask_found_nothing' ? 'not_json' : withheld,
});

/** Evaluates how an invocation ended: its outcome, whether the step fails for it, and what may not be shown. */
export function evaluate(ended: InvocationResult, rules: Rules): Evaluation {
  const normalized = normalize(ended);
  const { result, invocation, tailRefused } = normalized;
  const response = result.kind === 'failure' ? undefined : result;
  const payload = response?.payload ?? new Uint8Array();
  const parsed = parseResponse(payload);
  const queried = query(outcomeOf(normalized, parsed.value, { job: rules.job }), rules);
  const { mask, search, parseTree } = rules.expressions;
  const found = findSecrets(mask, queried.outcome, { search, parseTree });
  const secrets = mask.length > 0 && isOpaque(result, parsed) ? asOpaque(found) : found;
  const context = contextOf(rules, secrets);
  const { outcome, unmet } = expectations(queried.outcome, rules, context);
  const problem = queryProblem(queried, rules, context);
  return {
    label: invocation.functionName,
    outcome,
    response: payload,
    logIsCut: response?.logTail !== undefined && isCut(response.logTail),
    tailRefused: tailRefused && invocation.keepsLog,
    failsStep: failsStep(outcome, rules),
    unmet,
    responseBytes: result.streamedBytes ?? payload.length,
    secrets,
    ...(problem !== undefined && { queryProblem: problem }),
    ...(result.kind === 'failure' && foreignTexts(result)),
  };
}
