import { grouped, onOneLine, shortened } from '../shared/text.ts';
import { type Fields, isFields, messageOf } from '../shared/values.ts';
import type { AttemptProgress, Flaw, ResponseHead } from './attempt-progress.ts';
import { clockNote } from './clock.ts';
import { CLASS, classifyFailure, type FailureClass } from './evidence.ts';
import type {
  Invocation,
  InvokeFailure,
  InvokeResponse,
  UnresolvedEvent,
  WhyUnresolved,
} from './invocation.ts';
import type { StopCause } from './timing.ts';

/** The name and the message of a failure. */
type Description = Readonly<{ name: string; message: string; foreignText?: string }>;

type Parts = Description &
  FailureClass &
  Partial<Pick<InvokeFailure, 'requestId' | 'durableExecutionArn' | 'sentAt' | 'journalKey'>>;

/** What is known about an attempt that failed. */
const detailsOf = ({ head, sent, throughProxy, streamedBytes }: AttemptProgress) => ({
  throughProxy,
  // A streamed response proves that the function ran.
  ...(streamedBytes !== undefined && { ...CLASS.RAN, streamedBytes }),
  ...(head !== undefined && { statusCode: head.statusCode }),
  ...(head?.requestId !== undefined && { requestId: head.requestId }),
  ...(head?.retryAfterSeconds !== undefined && { retryAfterSeconds: head.retryAfterSeconds }),
  ...sent,
});

/** The end of a message about an attempt. */
function messageSuffix({ head, throughProxy, streamedBytes }: AttemptProgress): string {
  const proxy = throughProxy && head === undefined ? ' (through a proxy)' : '';
  const arrived =
    streamedBytes === undefined ? '' : `; ${grouped(streamedBytes)} bytes of the stream were received`;
  return `${proxy}${arrived}`;
}

/** Makes every failure. Without `progress`, the failure is not about an attempt. */
function newFailure(parts: Parts, progress?: AttemptProgress): InvokeFailure {
  const failure: InvokeFailure = { kind: 'failure', ...parts, throughProxy: false };
  if (progress === undefined) return failure;
  return { ...failure, message: `${parts.message}${messageSuffix(progress)}`, ...detailsOf(progress) };
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Happy Eyeballs gives one AggregateError for all addresses; its first error is the one to show. */
export function firstCause(error: unknown): unknown {
  const [first]: readonly unknown[] =
    isFields(error) && Array.isArray(error['errors']) ? error['errors'] : [];
  return first ?? error;
}

// Names from the API's model and from Node.js are words. Any other text is foreign.
const WORD = /^[A-Za-z][A-Za-z0-9_.]*$/;
// The names that the SDK uses for a response that it could not read.
const UNREADABLE = ['SyntaxError', 'UnknownError', 'Unknown', 'Error', 'TypeError'];

// 200 characters, and the … of a longer text.
const SHOWN_CHARACTERS = 201;

/** Describes a response that is not Lambda's, by its status and the start of its text. */
function describeForeign(statusCode: number | undefined, foreignText: string): Description {
  const name = `HTTP ${statusCode}`;
  const what = 'A proxy or firewall responded instead of Lambda';
  const start = shortened(onOneLine(foreignText), SHOWN_CHARACTERS);
  return start === ''
    ? { name, message: `${what}, with an empty response` }
    : { name, message: `${what}: ${start}`, foreignText };
}

/** Describes a lost connection in plainer words than the operating system. */
function describeLost(description: Description, { head, sentAt }: AttemptProgress): Description {
  if (head !== undefined || (description.name !== 'ECONNRESET' && description.name !== 'EPIPE'))
    return description;
  const how = description.message === 'socket hang up' ? 'closed' : 'reset';
  const when = sentAt === undefined ? 'before' : 'after';
  return { ...description, message: `The connection was ${how} ${when} the request was sent` };
}

// A text that looks like JSON may be the function's response, which only show_response shows.
const LOOKS_LIKE_JSON = /^\s*(?:[[{"\d-]|true|false|null)/;

const FLAWS: Readonly<Partial<Record<Flaw, string>>> = {
  encoding: 'The response has a Content-Encoding that was not requested',
  framing: 'The response may be incomplete: it has neither Content-Length nor chunked encoding',
  length: "The response is longer than Lambda's limit",
};

/** Describes a response with a success status that is not Lambda's or not complete. */
function describeFlaw(flaw: Flaw, { head, text: foreignText = '' }: AttemptProgress): Description {
  const name = `HTTP ${head?.statusCode}`;
  const why = FLAWS[flaw];
  if (why !== undefined) return { name, message: why };
  return LOOKS_LIKE_JSON.test(foreignText)
    ? { name, message: "The response is not Lambda's" }
    : describeForeign(head?.statusCode, foreignText);
}

/** Describes a response whose body is incomplete. */
function describeIncomplete(head: ResponseHead, why: string): Description {
  const { statusCode, requestId, isReflected, mediaType } = head;
  // This is a page of a proxy.
  if ((requestId === undefined || isReflected) && mediaType?.startsWith('text/')) {
    return describeForeign(statusCode, mediaType);
  }
  return { name: 'IncompleteResponse', message: `the response (HTTP ${statusCode}) is incomplete (${why})` };
}

// OpenSSL's line has its thread, numbers, library and function before the reason, and its source file after it.
const TLS_REASON = /:SSL routines:[^:]{0,100}:(?<reason>[^:]{1,100}):/;

/** The message of an error of the network, without the internals of OpenSSL. */
function networkMessage(message: string): string {
  const reason = TLS_REASON.exec(message)?.groups?.['reason'];
  return reason === undefined ? message : `The TLS connection failed: ${reason}`;
}

/** Describes an error of the SDK or Node.js. The description depends on how much of the response had arrived. */
function describeThrown(fields: Fields, { head, text: foreignText = '' }: AttemptProgress): Description {
  const named = text(fields['name']) ?? 'Error';
  const className = WORD.test(named) ? named : 'Error';
  const message = text(fields['message']) ?? '';
  const code = text(fields['code']);
  if (head === undefined) {
    const name = code !== undefined && WORD.test(code) ? code : className;
    return { name, message: message === '' ? name : networkMessage(message) };
  }
  if (head.statusCode < 300) return describeIncomplete(head, code ?? className);
  if (UNREADABLE.includes(className)) return describeForeign(head.statusCode, foreignText);
  // The SDK uses this word if the message is missing or null.
  return {
    name: className,
    message: message === 'UnknownError' ? 'AWS gave no reason' : message || className,
  };
}

/** Turns an error of the SDK or Node.js into a failure that says whether the function ran. */
export function toFailure(thrown: unknown, progress: AttemptProgress): InvokeFailure {
  const { flaw, clockOffsetMs } = progress;
  // The response may be from Lambda or from a proxy, and does not show whether the function ran.
  if (flaw !== undefined)
    return newFailure({ ...describeFlaw(flaw, progress), ...CLASS.UNCERTAIN }, progress);
  const error = firstCause(progress.networkError ?? thrown);
  const fields = isFields(error) ? error : { message: String(error) };
  const description = describeLost(describeThrown(fields, progress), progress);
  const reason = text(fields['Reason']);
  const failureClass =
    // A retry can succeed, because the next signature uses AWS's time.
    clockOffsetMs === undefined ? classOf(description, fields, progress) : CLASS.WAIT;
  const note = clockOffsetMs === undefined ? '' : ` (${clockNote(clockOffsetMs)})`;
  return {
    ...newFailure({ ...description, ...failureClass, message: `${description.message}${note}` }, progress),
    ...(reason !== undefined && WORD.test(reason) && { reason }),
  };
}

function classOf(description: Description, fields: Fields, { head, sentAt }: AttemptProgress): FailureClass {
  const code = text(fields['code']);
  return classifyFailure({
    ...description,
    sent: sentAt !== undefined,
    ...(code !== undefined && { code }),
    ...(head !== undefined && { statusCode: head.statusCode }),
    ...(typeof fields['statusCode'] === 'number' && { tunnelStatus: fields['statusCode'] }),
  });
}

/** The messages about an invocation that this action stopped, by what the invocation was doing. */
const STOPPED = {
  unsent: {
    cancelled: { name: 'Cancelled', message: 'the workflow was cancelled before the request was sent' },
    halted: { name: 'StoppedOnFailure', message: 'another invocation failed before the request was sent' },
  },
  credentials: {
    deadline: {
      name: 'DeadlineExceeded',
      message: 'Could not get credentials within timeout_seconds',
    },
  },
  attempt: {
    cancelled: { name: 'Cancelled', message: 'the workflow was cancelled before Lambda responded' },
    deadline: { name: 'DeadlineExceeded', message: 'No response arrived within timeout_seconds' },
    connect: { name: 'ConnectTimeout', message: 'could not connect within 10 s' },
  },
  execution: {
    cancelled: {
      name: 'Cancelled',
      message: 'the workflow was cancelled while the durable execution was running',
    },
    deadline: { name: 'DeadlineExceeded', message: 'timed out while the durable execution was running' },
  },
} as const;

/** The failure of an attempt that was stopped. If nothing had been sent, it did not run. */
export function toStopped(cause: StopCause, progress: AttemptProgress): InvokeFailure {
  const evidence = progress.sentAt === undefined ? 'did_not_run' : 'may_have_run';
  const description =
    cause === 'deadline' && progress.awaitsCredentials
      ? STOPPED.credentials.deadline
      : STOPPED.attempt[cause];
  return newFailure({ ...description, evidence, mayClear: cause === 'connect' }, progress);
}

/** The failure of an invocation that was not sent because the workflow was cancelled. */
export const toCancelledUnsent = (): InvokeFailure => toUnsent(STOPPED.unsent.cancelled);

/** The failure of an invocation that was not sent because another one failed. */
export const toHaltedUnsent = (): InvokeFailure => toUnsent(STOPPED.unsent.halted);

/** The failure of an invocation that is not sent because it can't be recorded first. */
export const toJournalFailure = (error: unknown): InvokeFailure =>
  toUnsent({ name: 'JournalNotWritten', message: `the journal could not be written: ${messageOf(error)}` });

/**
 * The failure of an invocation that is not sent because its event can't be read from its file, or has changed there.
 */
export const toPayloadFailure = (error: unknown): InvokeFailure =>
  toUnsent({ name: 'PayloadNotRead', message: `the event could not be read: ${messageOf(error)}` });

/** The failure of an invocation that an earlier run sent, and whose outcome is not in the journal. */
export const toUnresolvedEarlier = (
  request: Readonly<{ sentAt: Date | undefined; requestId?: string; journalKey: string }>,
): InvokeFailure => {
  const { sentAt, ...known } = request;
  return newFailure({
    name: 'UnknownInJournal',
    message: 'An earlier run sent this invocation, and the journal does not say how it ended',
    ...CLASS.UNCERTAIN,
    ...known,
    ...(sentAt !== undefined && { sentAt }),
  });
};

/** The failure for a durable execution that is no longer followed, with the last error of reading it. */
export function toStoppedFollowing(
  cause: Exclude<StopCause, 'connect'>,
  started: StartedExecution,
  lastFailure: InvokeFailure | undefined,
): InvokeFailure {
  const { name, message } = STOPPED.execution[cause];
  const why = lastFailure === undefined ? '' : `; then it could not be read: ${lastFailure.message}`;
  return toUnknownExecution({ name, message: `${message}${why}` }, started);
}

/**
 * The failure for credentials that could not be fetched. Nothing was sent. If the service recovers, it does so soon.
 */
export function toCredentialsFailure(
  {
    message,
    code,
    statusCode = 0,
  }: Readonly<{ message: string; code?: string | undefined; statusCode?: number | undefined }>,
  progress: AttemptProgress,
): InvokeFailure {
  const name = 'CredentialsUnavailable';
  const { mayClear } = classifyFailure({ name, sent: false, ...(code !== undefined && { code }) });
  const isBusy = statusCode === 429 || statusCode >= 500;
  const failureClass = mayClear || isBusy ? CLASS.UNREACHABLE : CLASS.REFUSED;
  return newFailure({ name, message, ...failureClass }, progress);
}

/** Whether a dry run got the response of an invocation, so that something may have run. */
export const gotInvocationResponse = ({ statusCode = 0 }: InvokeFailure): boolean =>
  statusCode >= 200 && statusCode < 300 && statusCode !== 204;

/** The failure of a stream that was closed properly, but without its last event. */
export function toIncompleteStream(progress: AttemptProgress): InvokeFailure {
  const message = `the response (HTTP ${progress.head?.statusCode}) ended before its last event`;
  return newFailure({ name: 'IncompleteResponse', message, ...CLASS.RAN }, progress);
}

/** Turns a failed request for a function's configuration into a failure of the invocation, which was not sent. */
export function toReadinessFailure(failed: InvokeFailure): InvokeFailure {
  const { requestId: _, sentAt: __, sentAs: ___, ...rest } = failed;
  return { ...rest, ...CLASS.REFUSED };
}

type StartedExecution = Pick<InvokeResponse, 'durableExecutionArn' | 'requestId'>;

/** The failure for a durable execution that ended in an unknown way, with the reason why it is not known. */
export const toUnknownExecution = (
  { name, message }: Pick<Description, 'name' | 'message'>,
  { durableExecutionArn, requestId }: StartedExecution,
): InvokeFailure =>
  newFailure({
    ...{ name, message, ...CLASS.RAN },
    ...(durableExecutionArn !== undefined && { durableExecutionArn }),
    ...(requestId !== undefined && { requestId }),
  });

const WHY_UNRESOLVED: Readonly<Record<WhyUnresolved, string>> = {
  timeout: 'timed out before the log showed how the event ended',
  cancelled: 'the workflow was cancelled before the log showed how the event ended',
  unreadable: "the function's log cannot be read",
  'no request ID': 'the response has no request ID of Lambda to find the event by',
  'no platform lines': "the function's log has no START and REPORT, so it cannot show how the event ends",
  'text log': 'the handler ended, but a log in text format does not show whether it threw an error',
  expired: 'the event reached its maximum age',
};

/** The failure for an accepted event, if the log does not show how it ended. */
export function toUnresolvedEvent(
  { requestId, sentAt, sentAs }: InvokeResponse,
  event: UnresolvedEvent,
): InvokeFailure {
  const { why, started, failure } = event;
  const reason = failure === undefined ? '' : ` (${failure.name})`;
  return {
    ...newFailure({
      name: 'EventUnresolved',
      message: `${WHY_UNRESOLVED[why]}${reason}`,
      ...(started > 0 ? CLASS.RAN : CLASS.UNCERTAIN),
      mayClear: false,
    }),
    ...(requestId !== undefined && { requestId }),
    ...(sentAt !== undefined && { sentAt }),
    ...(sentAs !== undefined && { sentAs }),
    event,
  };
}

/** The failure for a defect of this action. It is not known whether the request was sent. */
export function toInternalError(error: unknown, { invocationType }: Invocation): InvokeFailure {
  const evidence = invocationType === 'DryRun' ? 'did_not_run' : 'may_have_run';
  return newFailure({ name: 'InternalError', message: messageOf(error), evidence, mayClear: false });
}

/** A failure before anything was sent. */
export const toUnsent = (description: Pick<Description, 'name' | 'message'>): InvokeFailure =>
  newFailure({ ...description, ...CLASS.REFUSED });
