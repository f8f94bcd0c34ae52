import type { Invocation, InvocationResult, InvokeFailure, InvokeResponse } from '../lambda/invocation.ts';
import { readsField } from '../shared/expression-tree.ts';
import { fieldsOf, messageOf } from '../shared/values.ts';
import {
  failureMessage,
  isFunctionResponse,
  outcomeOf,
  type ParsedResponse,
  parseResponse,
} from './document.ts';
import {
  type Checked,
  check,
  type ExpressionContext,
  type Expressions,
  hiddenPathIn,
  IS_NO_ERROR,
  whyNoValue,
} from './expectations.ts';
import { shownValue } from './explanations.ts';
import type { JobAdvice } from './failure-advice.ts';
import type { explainFunctionError } from './function-error-advice.ts';
import type { HttpReading, readHttpResponse } from './http-response.ts';
import { isCut } from './log-tail.ts';
import { findSecrets, type MaskedEvaluation, maskEvaluation, maskValue, NO_SECRETS } from './masks.ts';
import { type Evaluation, isFunctionError, type Outcome, type Secrets } from './outcome.ts';
import { MASK, SecretTexts } from './secret-texts.ts';
import type { withErrorOfLog } from './stream-error.ts';

/** The rules by which an invocation is evaluated. */
export type Rules = Readonly<{
  failOnFunctionError: boolean;
  expressions: Expressions;
  /** Gives advice on a failure. */
  advise: JobAdvice;
  /** Secrets that are known before any mask is evaluated. */
  known?: SecretTexts;
  /** Reads a response as an API does; absent if nothing is invoked with an HTTP request. */
  readHttp?: typeof readHttpResponse;
  /** Finds the error of a streamed response in the log; absent where none is streamed. */
  readStreamError?: typeof withErrorOfLog;
  /** How reports name an invocation: the function as the user wrote it where nothing else is given. */
  labelOf?: (invocation: Invocation) => string;
}>;

const labelOf = (invocation: Invocation, rules: Rules): string =>
  rules.labelOf?.(invocation) ?? invocation.functionName;

/** Text that was received instead of Lambda's response, and the error's message without that text. */
function foreignTexts(
  failure: InvokeFailure,
  ended: InvocationResult,
): Pick<Evaluation, 'foreignText' | 'plainMessage'> {
  const { foreignText } = failure;
  if (foreignText === undefined) return {};
  const message = "The response is not Lambda's and is not shown.";
  return { foreignText, plainMessage: failureMessage({ ...failure, message }, ended) };
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

/** Why a query has no value; undefined if it has one, or if there is no response. */
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

/** Whether expectations apply: there is a response, and the step does not already fail because of it. */
function hasExpectations(outcome: Outcome, rules: Rules): boolean {
  return (
    outcome.outcome === 'succeeded' || (outcome.outcome === 'function_error' && !rules.failOnFunctionError)
  );
}

/**
 * What an outcome must meet: the step's expectations, then the entry's own. If none of them reads `http`, the response
 * to an HTTP request must not be an error. That does not apply to a function that failed, which has its own rule.
 */
function expectationsOf(
  outcome: Outcome,
  { expressions }: Rules,
  { expect = [], http, invocationType }: Invocation,
): readonly string[] {
  const { parseTree } = expressions;
  const given = [...expressions.expect, ...expect];
  if (outcome.outcome === 'function_error' || parseTree === undefined) return given;
  if (http === undefined || invocationType !== 'RequestResponse') return given;
  return given.some((expression) => readsField(parseTree(expression), 'http'))
    ? given
    : [...given, IS_NO_ERROR];
}

/** Adds the body to the explanation of an HTTP status that does not meet the expectation. */
function withBody(checked: Checked, outcome: Outcome, { hide }: ExpressionContext): Checked {
  const body = 'http' in outcome ? outcome.http?.body : undefined;
  const isStatus = checked.expectation.expression === IS_NO_ERROR && body !== undefined;
  return isStatus ? { ...checked, why: `${checked.why}\nBody:     ${shownValue(hide(body))}` } : checked;
}

/** Adds the reason why an API would not accept a response to the first unmet expectation. */
const withHttpProblem = (unmet: readonly Checked[], problem: string | undefined): readonly Checked[] =>
  unmet.map((one, at) =>
    at === 0 && problem !== undefined ? { ...one, why: `${one.why}\n${problem}` } : one,
  );

function expectations(
  outcome: Outcome,
  rules: Rules,
  {
    context,
    own,
    checkOne = check,
  }: Readonly<{ context: ExpressionContext | undefined; own: Invocation; checkOne?: typeof check }>,
): { outcome: Outcome; unmet: readonly Checked[] } {
  const expect = expectationsOf(outcome, rules, own);
  if (context === undefined || expect.length === 0 || !hasExpectations(outcome, rules))
    return { outcome, unmet: [] };
  const checked = expect.map((expression) => checkOne(expression, outcome, context));
  const unmet = checked
    .filter(({ expectation }) => !expectation.met)
    .map((one) => withBody(one, outcome, context));
  const complete = { ...outcome, expectations: checked.map(({ expectation }) => expectation) };
  return { outcome: unmet.length === 0 ? complete : asExpectationFailed(complete), unmet };
}

/** The context for evaluating expressions, with the secrets that their values must not show. */
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

/** Whether masks can't be applied to the response: it is not JSON, or too long for memory. */
function isOpaque(result: InvokeResponse | InvokeFailure, parsed: ParsedResponse): boolean {
  if (result.kind === 'failure') return result.foreignText !== undefined;
  return !parsed.isJson && (result.payload.length > 0 || (result.streamedBytes ?? 0) > 0);
}

/** An ended invocation without a payload that is not the function's response, and with an error that only the log shows. */
function normalize(ended: InvocationResult, { readStreamError }: Rules): InvocationResult {
  const { result, invocation } = ended;
  if (result.kind === 'failure') return ended;
  const response = readStreamError?.(result) ?? result;
  const isResponse = isFunctionResponse(response, invocation);
  return { ...ended, result: isResponse ? response : { ...response, payload: new Uint8Array() } };
}

/** The response as an API reads it; undefined if there is none, or if the event is not from an HTTP request. */
function readAsHttp(
  { result, invocation }: InvocationResult,
  parsed: ParsedResponse,
  { readHttp }: Rules,
): HttpReading | undefined {
  if (result.kind === 'failure' || invocation.http === undefined || readHttp === undefined) return undefined;
  const { payload, streamStart, functionError } = result;
  const isWhole = isFunctionResponse(result, invocation);
  if (!isWhole && streamStart === undefined) return undefined;
  const bytes = isWhole ? payload : (streamStart ?? payload);
  const { format } = invocation.http;
  return readHttp({ payload: bytes, parsed, format, isWhole, hasFailed: functionError !== undefined });
}

/** The secrets of a response to which masks can't be applied. */
const asOpaque = ({ texts, withheld }: Secrets): Secrets => ({
  texts,
  withheld: withheld === undefined || withheld === 'mask_found_nothing' ? 'not_json' : withheld,
});

/** Evaluates how an invocation ended: its outcome, whether the step fails for it, and what must not be shown. */
export function evaluate(ended: InvocationResult, rules: Rules): Evaluation {
  const normalized = normalize(ended, rules);
  const { result, invocation, tailRefused } = normalized;
  const response = result.kind === 'failure' ? undefined : result;
  const payload = response?.payload ?? new Uint8Array();
  const parsed = parseResponse(payload);
  const reading = readAsHttp(normalized, parsed, rules);
  const contents = { parsed: parsed.value, http: reading?.http };
  const queried = query(outcomeOf(normalized, contents, rules), rules);
  const { mask, search, parseTree } = rules.expressions;
  const found = findSecrets(mask, queried.outcome, { search, parseTree });
  const isHidden = isOpaque(result, parsed) || reading?.isEncoded === true;
  const secrets = mask.length > 0 && isHidden ? asOpaque(found) : found;
  const context = contextOf(rules, secrets);
  const { outcome, unmet } = expectations(queried.outcome, rules, { context, own: invocation });
  const problem = queryProblem(queried, rules, context);
  return {
    label: labelOf(invocation, rules),
    outcome,
    response: payload,
    logIsCut: response?.logTail !== undefined && isCut(response.logTail),
    tailRefused: tailRefused && invocation.keepsLog,
    failsStep: failsStep(outcome, rules),
    unmet: withHttpProblem(unmet, reading?.problem),
    responseBytes: result.streamedBytes ?? payload.length,
    secrets,
    ...(problem !== undefined && { queryProblem: problem }),
    ...(result.kind === 'failure' && foreignTexts(result, ended)),
  };
}

/**
 * An invocation that an earlier run recorded as succeeded. With `isText` or `raw`, the response is not the parsed JSON.
 */
export type RecordedInvocation = Readonly<{
  invocation: Invocation;
  recorded: Outcome;
  isText: boolean;
  raw?: string;
}>;

/** The outcome of an earlier run, without the fields that the expressions of this run determine. */
function withoutEvaluation({ invocation, recorded }: RecordedInvocation): Outcome {
  const { expectations: _, query_result: __, name: ___, ...rest } = recorded;
  const { index, name } = invocation;
  return { ...rest, index, ...(name !== undefined && { name }), resumed: true };
}

function recordedResponse({ recorded, isText, raw }: RecordedInvocation): Uint8Array {
  if (!('response' in recorded) || recorded.response === undefined) return new Uint8Array();
  const { response } = recorded;
  return new TextEncoder().encode(raw ?? (isText ? String(response) : JSON.stringify(response)));
}

const HIDDEN_IN_JOURNAL =
  'An earlier run recorded this outcome with *** instead of its secrets. This run cannot check an expectation that the earlier run did not check. Use the expect and mask of that run.';

/** Checks an expectation on an outcome that was recorded with masked secrets. If it was met before, it still is. */
function recheckOn({ recorded }: RecordedInvocation, { expressions }: Rules): typeof check {
  const known = new Map(recorded.expectations?.map((one) => [one.expression, one]));
  return (expression, outcome, context) => {
    const readsQuery = readsField(context.parseTree(expression), 'query_result');
    const isSameQuery =
      JSON.stringify(recorded.query_result) === JSON.stringify(fieldsOf(outcome)['query_result']);
    const before = known.get(expression);
    if (before?.met && (!readsQuery || isSameQuery)) return { expectation: before, why: '' };
    const read = [expression, ...(readsQuery && expressions.query !== undefined ? [expressions.query] : [])];
    const hidden = read.map((one) => hiddenPathIn(one, outcome, context)).find((one) => one !== undefined);
    if (hidden === undefined) return check(expression, outcome, context);
    return { expectation: { expression, met: false }, why: `Hidden:   ${hidden}\n${HIDDEN_IN_JOURNAL}` };
  };
}

/** Evaluates an outcome that an earlier run recorded, with the expressions of this run. */
function evaluateRecorded(earlier: RecordedInvocation, rules: Rules): Evaluation {
  const { invocation } = earlier;
  const queried = query(withoutEvaluation(earlier), rules);
  const { mask, search, parseTree } = rules.expressions;
  const found = findSecrets(mask, queried.outcome, { search, parseTree });
  // The text that replaced a secret in the earlier run is not a secret.
  const secrets = { ...found, texts: found.texts.filter((text) => text !== MASK) };
  const context = contextOf(rules, secrets);
  const checkOne = recheckOn(earlier, rules);
  const checked = expectations(queried.outcome, rules, { context, own: invocation, checkOne });
  const problem = queryProblem(queried, rules, context);
  const response = recordedResponse(earlier);
  return {
    label: labelOf(invocation, rules),
    ...checked,
    response,
    responseBytes: response.length,
    logIsCut: false,
    tailRefused: false,
    failsStep: failsStep(checked.outcome, rules),
    secrets,
    ...(problem !== undefined && { queryProblem: problem }),
  };
}

const RAN = { evidence: 'ran', ran: 'The function ran, and its response was received.' } as const;
/** What Lambda's response alone shows about whether the function ran. */
const ACCEPTED = {
  RequestResponse: RAN,
  Event: {
    evidence: 'may_have_run',
    ran: 'Lambda accepted the event. It is not known whether the function ran.',
  },
  DryRun: { evidence: 'did_not_run', ran: 'The function did not run.' },
} as const;

/** Turns an invocation that can't be evaluated into a failure that says whether it ran, if that is known. */
function unevaluatedFailure(
  { result, invocation }: InvocationResult,
  why: string,
): Readonly<{ failure: InvokeFailure; ran?: string }> {
  const description = {
    kind: 'failure',
    name: 'EvaluationFailed',
    message: `The outcome could not be evaluated${why}`,
    mayClear: false,
  } as const;
  if (result.kind === 'failure') return { failure: { ...result, ...description } };
  const { evidence, ran } = isFunctionResponse(result, invocation)
    ? RAN
    : ACCEPTED[invocation.invocationType];
  const { statusCode, requestId, durableExecutionArn } = result;
  const failure = {
    ...description,
    evidence,
    throughProxy: false,
    statusCode,
    ...(requestId !== undefined && { requestId }),
    ...(durableExecutionArn !== undefined && { durableExecutionArn }),
  };
  return { failure, ran };
}

/** The evaluation of an invocation that can't be evaluated: unknown, failing the step, and with the response. */
export function evaluateAsUnknown(ended: InvocationResult, error: unknown, rules: Rules): Evaluation {
  // With masks, the message is left out, because it may quote the response before it was masked.
  const why = rules.expressions.mask.length === 0 ? `: ${messageOf(error)}` : '';
  const { failure, ran } = unevaluatedFailure(ended, why);
  const context = { advise: rules.advise, ...(ran !== undefined && { ran }) };
  const response = ended.result.kind === 'failure' ? new Uint8Array() : ended.result.payload;
  return {
    label: labelOf(ended.invocation, rules),
    outcome: outcomeOf({ ...ended, result: failure }, { parsed: undefined }, context),
    response,
    responseBytes: ended.result.streamedBytes ?? response.length,
    logIsCut: false,
    tailRefused: ended.tailRefused && ended.invocation.keepsLog,
    failsStep: true,
    unmet: [],
    secrets: NO_SECRETS,
  };
}

/** An evaluated invocation: unmasked, masked, and the masked outcome as JSON. */
export type EvaluatedInvocation = Readonly<{
  evaluation: Evaluation;
  masked: MaskedEvaluation;
  maskedJson: string;
}>;

/** What an evaluator needs. */
export type EvaluatorOptions = Readonly<{
  rules: Omit<Rules, 'advise'>;
  /** Loads what gives advice, for the first failure. Undefined if it can't be loaded: the outcome counts without it. */
  loadAdvice: () => Promise<JobAdvice | undefined>;
  /** Loads what reads and explains functions' own errors, for the first one. Undefined if it can't be loaded. */
  loadFunctionErrors: () => Promise<typeof explainFunctionError | undefined>;
  /** All that is hidden: credentials, and what the masks of earlier invocations found. */
  secrets: SecretTexts;
  /** Adds to `secrets`, before the invocation is shown. */
  register: (secrets: Secrets) => void;
  /** Closes the file of a streamed response. A whole response gets its final name. */
  endStream?: (options: { isWhole: boolean }) => Promise<Evaluation['responseFile']>;
}>;

const noAdvice: JobAdvice = () => '';

/** Evaluates each invocation the moment it ends. One that can't be evaluated, masked or written is unknown. */
export class Evaluator {
  readonly #options: EvaluatorOptions;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  async evaluate(ended: InvocationResult): Promise<EvaluatedInvocation> {
    const hasFailed = ended.result.kind === 'failure';
    try {
      return await this.#mask(evaluate(ended, await this.#rules({ hasFailed })), ended);
    } catch (error) {
      return this.#mask(evaluateAsUnknown(ended, error, await this.#rules({ hasFailed: true })), ended);
    }
  }

  async #rules({ hasFailed }: { hasFailed: boolean }): Promise<Rules> {
    const advise = hasFailed ? await this.#options.loadAdvice() : undefined;
    return { ...this.#options.rules, advise: advise ?? noAdvice };
  }

  /** Takes over an outcome of an earlier run. */
  takeOver(earlier: RecordedInvocation): Promise<EvaluatedInvocation> {
    return this.#hide(evaluateRecorded(earlier, { ...this.#options.rules, advise: noAdvice }));
  }

  async #mask(evaluated: Evaluation, ended: InvocationResult): Promise<EvaluatedInvocation> {
    const responseFile = await this.#endStream(evaluated, ended);
    return this.#hide({ ...evaluated, ...(responseFile && { responseFile }) });
  }

  async #hide(evaluation: Evaluation): Promise<EvaluatedInvocation> {
    const { secrets, register, loadFunctionErrors } = this.#options;
    register(evaluation.secrets);
    const masked = maskEvaluation(evaluation, secrets);
    const hasFailed = isFunctionError(masked.outcome);
    const functionError = hasFailed ? (await loadFunctionErrors())?.(masked.outcome) : undefined;
    const explained = functionError === undefined ? masked : { ...masked, functionError };
    return { evaluation, masked: explained, maskedJson: JSON.stringify(masked.outcome) };
  }

  /** Closes the stream. A step that streams has only one invocation with a response. */
  async #endStream(
    { outcome }: Evaluation,
    { result, invocation }: InvocationResult,
  ): Promise<Evaluation['responseFile']> {
    if (invocation.invocationType !== 'RequestResponse') return undefined;
    const isWhole =
      result.kind !== 'failure' && result.functionError === undefined && !isFunctionError(outcome);
    return this.#options.endStream?.({ isWhole });
  }
}
