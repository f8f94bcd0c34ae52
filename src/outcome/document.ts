import type {
  ExecutionStop,
  Invocation,
  InvocationResult,
  InvokeFailure,
  InvokeResponse,
  SentAttempt,
} from '../lambda/invocation.ts';
import { parseIntegers } from '../shared/json-integers.ts';
import { isUuid, utf8 } from '../shared/text.ts';
import { eventInWords } from './event-evidence.ts';
import type { JobAdvice } from './failure-advice.ts';
import { requestUrl } from './links.ts';
import { decodeLogTail, readFigures, readLogPlace } from './log-tail.ts';
import { ranOf, runInWords, whyNotKnown } from './logged-runs.ts';
import type { HttpResponse, Outcome } from './outcome.ts';

const DEEPEST = 500;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// In ASCII, brackets and braces differ only in this bit.
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Whether JSON is nested too deep for the recursive code that reads and writes it. */
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

/** A parsed response, or its text if it is not JSON. */
export type ParsedResponse = Readonly<{ value: unknown; isJson: boolean }>;

/** Parses a response. JSON that is nested over 500 levels deep counts as text. Integers keep all their digits. */
export function parseResponse(payload: Uint8Array): ParsedResponse {
  const text = utf8(payload);
  if (isTooDeep(payload)) return { value: text, isJson: false };
  try {
    return { value: parseIntegers(text.replace(BYTE_ORDER_MARK, '')), isJson: true };
  } catch {
    return { value: text, isJson: false };
  }
}

function invocationFields({ invocation, region, startedAt, elapsedMs, attempts, resumed }: InvocationResult) {
  const qualifier = invocation.qualifier ?? invocation.reference.qualifier;
  return {
    index: invocation.index,
    ...(invocation.name !== undefined && { name: invocation.name }),
    function_name: invocation.reference.name,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    invocation_type: invocation.invocationType,
    ...(invocation.tenantId !== undefined && { tenant_id: invocation.tenantId }),
    started_at: startedAt.toISOString(),
    elapsed_ms: elapsedMs,
    attempts,
    ...(resumed && { resumed }),
  };
}

/**
 * Whether the payload is the function's response. An Event has a response only if its durable execution was followed:
 * the body that an emulator sends with a 202 is not one. A stream that is too long for memory is only in its file.
 */
export function isFunctionResponse(
  { payload, functionError, durableExecutionArn, streamedBytes }: InvokeResponse,
  { invocationType }: Invocation,
): boolean {
  if (functionError !== undefined) return true;
  if (streamedBytes !== undefined) return payload.length === streamedBytes;
  if (invocationType === 'RequestResponse') return true;
  return invocationType === 'Event' && durableExecutionArn !== undefined && payload.length > 0;
}

/** The response in the document: parsed, and as an API reads it. */
export type ResponseContents = Readonly<{ parsed: unknown; http?: HttpResponse | undefined }>;

/** The link to the log of an invocation that ran or may have run; none if its log events are not known. */
function logFields(
  { invocation, region, inLog, logGroup = inLog?.logGroup }: InvocationResult,
  requestId: string | undefined,
  log = '',
): Readonly<{ log_url?: string }> {
  if (invocation.invocationType === 'DryRun' || region === undefined) return {};
  if (requestId === undefined || !isUuid(requestId)) return {};
  const place = { functionName: invocation.reference.name, region, requestId };
  return { log_url: requestUrl({ ...place, logGroup: readLogPlace(log)?.logGroup ?? logGroup }) };
}

const withGroup = (ended: InvocationResult, logGroup: string | undefined): InvocationResult =>
  logGroup === undefined ? ended : { ...ended, logGroup };

function responseFields(
  response: InvokeResponse,
  ended: InvocationResult,
  { parsed, http }: ResponseContents,
) {
  const { invocation } = ended;
  const { statusCode, executedVersion, requestId, durableExecutionArn, logTail } = response;
  const log = logTail === undefined ? undefined : decodeLogTail(logTail);
  return {
    status_code: statusCode,
    ...(executedVersion !== undefined && { executed_version: executedVersion }),
    ...(requestId !== undefined && { request_id: requestId }),
    ...logFields(withGroup(ended, response.logGroup), requestId, log),
    ...(durableExecutionArn !== undefined && { durable_execution_arn: durableExecutionArn }),
    ...(isFunctionResponse(response, invocation) && { response: parsed }),
    ...(http !== undefined && { http }),
    ...(log !== undefined && {
      ...(invocation.keepsLog && { log_result: log }),
      ...readFigures(log, requestId),
    }),
  };
}

/** What happened to a durable execution that is no longer followed, worded to precede its ARN. */
const EXECUTIONS: Readonly<Record<ExecutionStop | 'left', string>> = {
  left: 'The durable execution was started and continues on its own',
  stopped: 'The durable execution was stopped, which does not undo what it has done',
  joined:
    'The durable execution was started before this step, so it was not stopped and continues on its own',
  'ended before': 'The durable execution ended before it could be stopped',
  failed: 'The durable execution could not be stopped and continues on its own',
};

const SHOWN_ATTEMPTS = 3;

/** When the request that may have run was sent, with its request ID unless a response has another one. */
function whenSent({ sentAt }: InvokeFailure, sent: readonly SentAttempt[]): string {
  const uncertain = sent.filter(({ mayHaveRun }) => mayHaveRun);
  if (uncertain.length === 0) return `at ${sentAt?.toISOString() ?? 'an unknown time'}`;
  const shown = uncertain.slice(0, SHOWN_ATTEMPTS).map((attempt) => {
    const { sentAs, requestId = sentAs } = attempt;
    return `at ${attempt.sentAt.toISOString()}${requestId === undefined || requestId !== sentAs ? '' : ` with request ID ${sentAs}`}`;
  });
  const more = uncertain.length - shown.length;
  const parts = [...shown, ...(more > 0 ? [`${more} more ${more === 1 ? 'time' : 'times'}`] : [])];
  return parts.length === 1 ? parts.join() : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** A sentence on whether the function ran, so that a reader can decide what to do; empty if the log already says it. */
function whetherItRan(
  failure: InvokeFailure,
  { sent, inLog }: Pick<InvocationResult, 'sent' | 'inLog'>,
): string {
  const isInLog = inLog !== undefined && inLog.runs.length > 0;
  if (failure.durableExecutionArn !== undefined) {
    return `${EXECUTIONS[failure.executionStop ?? 'left']}: ${failure.durableExecutionArn}.`;
  }
  if (failure.event !== undefined) return eventInWords(failure.event);
  switch (failure.evidence) {
    case 'did_not_run':
      return 'The function did not run.';
    case 'ran':
      return isInLog ? '' : 'The function ran, at least in part, but its response was lost.';
    case 'may_have_run': {
      const when = `The request was sent ${whenSent(failure, sent)}.`;
      return isInLog ? when : `${when} It is not known whether the function ran${whyNotKnown(inLog)}.`;
    }
    default:
      return failure.evidence satisfies never;
  }
}

const asSentence = (message: string): string => (/[.!?…]$/.test(message) ? message : `${message}.`);

/** The message of a failure: what the log shows, what went wrong, and whether the function ran. */
export function failureMessage(failure: InvokeFailure, ended: InvocationResult, ran?: string): string {
  const { inLog } = ended;
  return [runInWords(inLog), asSentence(failure.message), ran ?? whetherItRan(failure, ended)]
    .filter(Boolean)
    .join(' ');
}

/** What gives advice on a failure, and a sentence on whether the function ran where the failure does not have it. */
export type FailureContext = Readonly<{ advise: JobAdvice; ran?: string }>;

function failureFields(failure: InvokeFailure, ended: InvocationResult, context: FailureContext) {
  const { invocation, region, inLog, logGroup = inLog?.logGroup ?? failure.event?.logGroup } = ended;
  const { sentAs, durableExecutionArn, evidence, name } = failure;
  const mayHaveRun = evidence !== 'did_not_run';
  const run = inLog?.runs.at(-1);
  const requestId = run?.requestId ?? failure.requestId ?? (mayHaveRun ? sentAs : undefined);
  return {
    ...(requestId !== undefined && { request_id: requestId }),
    ...(mayHaveRun && logFields(withGroup(ended, logGroup), requestId)),
    ...(durableExecutionArn !== undefined && { durable_execution_arn: durableExecutionArn }),
    ran: ranOf(failure, inLog),
    ...(run?.report?.durationMs !== undefined && { duration_ms: run.report.durationMs }),
    error: {
      name,
      message: failureMessage(failure, ended, context.ran),
      advice: context.advise({ failure, invocation, region, logGroup, loggedAs: run?.requestId }),
    },
  };
}

/** The outcome before any expression is evaluated. */
export function outcomeOf(
  ended: InvocationResult,
  contents: ResponseContents,
  context: FailureContext,
): Outcome {
  const { result } = ended;
  const fields = invocationFields(ended);
  if (result.kind === 'failure') {
    return {
      ...fields,
      ...failureFields(result, ended, context),
      outcome: result.evidence === 'did_not_run' ? 'not_invoked' : 'unknown',
    };
  }
  const responded = { ...fields, ...responseFields(result, ended, contents) };
  return result.functionError === undefined
    ? { ...responded, outcome: 'succeeded' }
    : { ...responded, outcome: 'function_error', function_error: result.functionError };
}
