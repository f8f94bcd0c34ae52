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

/** What is known of an attempt that failed. */
const detailsOf = ({ head, sent, throughProxy, streamedBytes }: AttemptProgress) => ({
  throughProxy,
  // A function that streams is running.
  ...(streamedBytes !== undefined && { ...CLASS.RAN, streamedBytes }),
  ...(head !== undefined && { statusCode: head.statusCode }),
  ...(head?.requestId !== undefined && { requestId: head.requestId }),
  ...(head?.retryAfterSeconds !== undefined && { retryAfterSeconds: head.retryAfterSeconds }),
  ...sent,
});

/** What to add to a message about an attempt. */
function messageSuffix({ head, throughProxy, streamedBytes }: AttemptProgress): string {
  const proxy = throughProxy && head === undefined ? ' (through a proxy)' : '';
  const arrived =
    streamedBytes === undefined ? '' : `; ${grouped(streamedBytes)} bytes of the stream were received`;
  return `${proxy}${arrived}`;
}

/** Every failure is made here: without `progress`, one that is not about an attempt. */
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

// Names of the model and of Node are words; anything else is foreign text.
const WORD = /^[A-Za-z][A-Za-z0-9_.]*$/;
// What the SDK calls a response that it could not read.
const UNREADABLE = ['SyntaxError', 'UnknownError', 'Unknown', 'Error', 'TypeError'];

// With the … of a text that is longer.
const SHOWN_CHARACTERS = 201;

/** A response that is not Lambda's: the start of its text, named by its status. */
function describeForeign(statusCode: number | undefined, foreignText: string): Description {
  const name = `HTTP ${statusCode}`;
  const what = 'A proxy or firewall responded instead of Lambda';
  const start = shortened(onOneLine(foreignText), SHOWN_CHARACTERS);
  return start === ''
    ? { name, message: `${what}, with an empty response` }
    : { name, message: `${what}: ${start}`, foreignText };
}

/** A connection that was lost, in plainer words than the operating system's. */
function describeLost(description: Description, { head, sentAt }: AttemptProgress): Description {
  if (head !== undefined || (description.name !== 'ECONNRESET' && description.name !== 'EPIPE'))
    return description;
  const how = description.message === 'socket hang up' ? 'closed' : 'reset';
  const when = sentAt === undefined ? 'before' : 'after';
  return { ...description, message: `The connection was ${how} ${when} the request was sent` };
}

// It may be the function's response, or the start of it, which only show_response shows.
const LOOKS_LIKE_JSON = /^\s*(?:[[{"\d-]|true|false|null)/;

const FLAWS: Readonly<Partial<Record<Flaw, string>>> = {
  encoding: 'The response has a Content-Encoding that was not requested',
  framing: 'The response may be incomplete: it has neither Content-Length nor chunked encoding',
  length: "The response is longer than Lambda's limit",
};

/** A response with a success status that is not Lambda's, or not all of it. */
function describeFlaw(flaw: Flaw, { head, text: foreignText = '' }: AttemptProgress): Description {
  const name = `HTTP ${head?.statusCode}`;
  const why = FLAWS[flaw];
  if (why !== undefined) return { name, message: why };
  return LOOKS_LIKE_JSON.test(foreignText)
    ? { name, message: "The response is not Lambda's" }
    : describeForeign(head?.statusCode, foreignText);
}

/** A response whose body is incomplete. */
function describeIncomplete(head: ResponseHead, why: string): Description {
  const { statusCode, requestId, isReflected, mediaType } = head;
  // A page of a proxy.
  if ((requestId === undefined || isReflected) && mediaType?.startsWith('text/')) {
    return describeForeign(statusCode, mediaType);
  }
  return { name: 'IncompleteResponse', message: `the response (HTTP ${statusCode}) is incomplete (${why})` };
}

/** Describes what the SDK or Node.js threw, by how much of the response had arrived. */
function describeThrown(fields: Fields, { head, text: foreignText = '' }: AttemptProgress): Description {
  const named = text(fields['name']) ?? 'Error';
  const className = WORD.test(named) ? named : 'Error';
  const message = text(fields['message']) ?? '';
  const code = text(fields['code']);
  if (head === undefined) {
    const name = code !== undefined && WORD.test(code) ? code : className;
    return { name, message: message === '' ? name : message };
  }
  if (head.statusCode < 300) return describeIncomplete(head, code ?? className);
  if (UNREADABLE.includes(className)) return describeForeign(head.statusCode, foreignText);
  // The SDK's own word for a message that is missing or null.
  return {
    name: className,
    message: message === 'UnknownError' ? 'AWS gave no reason' : message || className,
  };
}

/** What the SDK or Node.js threw, as a failure that says whether the function ran. */
export function toFailure(thrown: unknown, progress: AttemptProgress): InvokeFailure {
  const { flaw, clockOffsetMs } = progress;
  // Lambda or a proxy sent this response. It does not show whether the function ran.
  if (flaw !== undefined)
    return newFailure({ ...describeFlaw(flaw, progress), ...CLASS.UNCERTAIN }, progress);
  const error = firstCause(progress.networkError ?? thrown);
  const fields = isFields(error) ? error : { message: String(error) };
  const description = describeLost(describeThrown(fields, progress), progress);
  const reason = text(fields['Reason']);
  const failureClass =
    // The next signature is made by AWS's clock.
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

/** What the action says of an invocation that ended from here, by what it was doing. */
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
    deadline: { name: 'DeadlineExceeded', message: 'timed out without a response' },
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

/** An attempt that was stopped. It did not run where nothing had been sent. */
export function toStopped(cause: StopCause, progress: AttemptProgress): InvokeFailure {
  const evidence = progress.sentAt === undefined ? 'did_not_run' : 'may_have_run';
  const description =
    cause === 'deadline' && progress.awaitsCredentials
      ? STOPPED.credentials.deadline
      : STOPPED.attempt[cause];
  return newFailure({ ...description, evidence, mayClear: cause === 'connect' }, progress);
}

/** An invocation that was not sent when the workflow was cancelled. */
export const toCancelledUnsent = (): InvokeFailure => toUnsent(STOPPED.unsent.cancelled);

/** An invocation that was not sent because another one failed. */
export const toHaltedUnsent = (): InvokeFailure => toUnsent(STOPPED.unsent.halted);

/** An invocation that is not sent because the record that has to come first can't be written. */
export const toUnrecorded = (error: unknown): InvokeFailure =>
  toUnsent({ name: 'JournalNotWritten', message: `the journal could not be written: ${messageOf(error)}` });

/** An invocation whose event can't be read from its file any more, or is another one there: it is not sent. */
export const toUnreadPayload = (error: unknown): InvokeFailure =>
  toUnsent({ name: 'PayloadNotRead', message: `the event could not be read: ${messageOf(error)}` });

/** An invocation that an earlier run sent, and whose outcome its journal does not have. */
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

/** A durable execution that is no longer followed, and why it could not be read at the end. */
export function toStoppedFollowing(
  cause: Exclude<StopCause, 'connect'>,
  started: StartedExecution,
  lastFailure: InvokeFailure | undefined,
): InvokeFailure {
  const { name, message } = STOPPED.execution[cause];
  const why = lastFailure === undefined ? '' : `; then it could not be read: ${lastFailure.message}`;
  return toUnfollowed({ name, message: `${message}${why}` }, started);
}

/** Credentials that could not be fetched, so that nothing was sent. A service that recovers does so soon. */
export function toUncredentialed(
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

/** Whether a dry run has the response of an invocation: then something may have run. */
export const wasTakenForInvocation = ({ statusCode = 0 }: InvokeFailure): boolean =>
  statusCode >= 200 && statusCode < 300 && statusCode !== 204;

/** A stream that was closed properly, but without its last event. */
export function toIncompleteStream(progress: AttemptProgress): InvokeFailure {
  const message = `the response (HTTP ${progress.head?.statusCode}) ended before its last event`;
  return newFailure({ name: 'IncompleteResponse', message, ...CLASS.RAN }, progress);
}

/** A failed request for a function's configuration, which says nothing about the invocation that needed it. */
export function toUnasked(failed: InvokeFailure): InvokeFailure {
  const { requestId: _, sentAt: __, sentAs: ___, ...rest } = failed;
  return { ...rest, ...CLASS.REFUSED };
}

type StartedExecution = Pick<InvokeResponse, 'durableExecutionArn' | 'requestId'>;

/** A durable execution that ended in an unknown way, and why that is not known. */
export const toUnfollowed = (
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

/** An accepted event of which the log does not show how it ended. */
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

/** A defect of this action. Whether the request had been sent is not known. */
export function toInternalError(error: unknown, { invocationType }: Invocation): InvokeFailure {
  const evidence = invocationType === 'DryRun' ? 'did_not_run' : 'may_have_run';
  return newFailure({ name: 'InternalError', message: messageOf(error), evidence, mayClear: false });
}

/** A failure before there was anything to send. */
export const toUnsent = (description: Pick<Description, 'name' | 'message'>): InvokeFailure =>
  newFailure({ ...description, ...CLASS.REFUSED });
