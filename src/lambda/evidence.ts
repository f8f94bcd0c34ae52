import { messageOf } from '../shared/errors.ts';
import { isFields } from '../shared/fields.ts';
import { grouped } from '../shared/figures.ts';
import type { AttemptProgress, Flaw, ResponseHead } from './attempt-progress.ts';
import type { StopCause } from './bounds.ts';
import { clockNote } from './clock.ts';
import type { Invocation, InvokeFailure, InvokeResponse } from './invocation.ts';

/** Whether a function ran although no answer came, and whether a retry may help. */
export type FailureClass = Readonly<
  Pick<InvokeFailure, 'evidence' | 'mayClear' | 'isOverload' | 'clearsSoonOrNever'>
>;

const WAIT: FailureClass = { evidence: 'did_not_run', mayClear: true };
const OVERLOAD: FailureClass = { ...WAIT, isOverload: true };
const UNREACHABLE: FailureClass = { ...WAIT, clearsSoonOrNever: true };
const REFUSED: FailureClass = { evidence: 'did_not_run', mayClear: false };
const UNCERTAIN: FailureClass = { evidence: 'may_have_run', mayClear: true };
const RAN: FailureClass = { evidence: 'ran', mayClear: false };

type Named = Readonly<{ status: number; verdict: FailureClass; names: readonly string[] }>;

/** Every error of the Invoke API's model, and the unmodelled ones of Lambda's front door, with the status it comes with. */
const NAMED: readonly Named[] = [
  { status: 400, verdict: OVERLOAD, names: ['Throttling', 'ThrottlingException'] },
  { status: 429, verdict: OVERLOAD, names: ['TooManyRequestsException'] },
  {
    status: 409,
    verdict: WAIT,
    names: ['CodeArtifactUserPendingException', 'ResourceConflictException', 'SnapStartNotReadyException'],
  },
  {
    status: 502,
    verdict: WAIT,
    names: ['EC2ThrottledException', 'ENINotReadyException', 'ResourceNotReadyException'],
  },
  {
    status: 400,
    verdict: REFUSED,
    names: [
      'InvalidParameterValueException',
      'InvalidRequestContentException',
      'ModeNotSupportedException',
      'NoPublishedVersionException',
      'RecursiveInvocationException',
      'ValidationException',
    ],
  },
  { status: 402, verdict: REFUSED, names: ['ServiceQuotaExceededException'] },
  {
    status: 403,
    verdict: REFUSED,
    names: [
      'AccessDeniedException',
      'EFSMountFailureException',
      'ExpiredTokenException',
      'IncompleteSignatureException',
      'InvalidSignatureException',
      'MissingAuthenticationTokenException',
      'RequestTimeTooSkewed',
      'S3FilesMountFailureException',
      'UnrecognizedClientException',
    ],
  },
  { status: 404, verdict: REFUSED, names: ['ResourceNotFoundException'] },
  {
    // A mount comes before the first line of the function's code.
    status: 408,
    verdict: REFUSED,
    names: [
      'EFSMountConnectivityException',
      'EFSMountTimeoutException',
      'S3FilesMountConnectivityException',
      'S3FilesMountTimeoutException',
    ],
  },
  {
    status: 409,
    verdict: REFUSED,
    names: [
      'CodeArtifactUserDeletedException',
      'CodeArtifactUserFailedException',
      'DurableExecutionAlreadyStartedException',
      'SnapStartRegenerationFailureException',
    ],
  },
  {
    status: 413,
    verdict: REFUSED,
    names: [
      'RequestEntityTooLargeException',
      'RequestTooLargeException',
      'SerializedRequestEntityTooLargeException',
    ],
  },
  { status: 415, verdict: REFUSED, names: ['UnsupportedMediaTypeException'] },
  {
    status: 502,
    verdict: REFUSED,
    names: [
      'EC2AccessDeniedException',
      'EC2UnexpectedException',
      'ENILimitReachedException',
      'InvalidRuntimeException',
      'InvalidSecurityGroupIDException',
      'InvalidSubnetIDException',
      'InvalidZipFileException',
      'KMSAccessDeniedException',
      'KMSDisabledException',
      'KMSInvalidStateException',
      'KMSNotFoundException',
      'SubnetIPAddressLimitReachedException',
    ],
  },
  { status: 500, verdict: UNCERTAIN, names: ['ServiceException'] },
  // The restore hook, or the code that used the file system, is the function's own.
  { status: 400, verdict: RAN, names: ['SnapStartException'] },
  { status: 408, verdict: RAN, names: ['SnapStartTimeoutException'] },
  { status: 410, verdict: RAN, names: ['EFSIOException'] },
];

/** What each error says, and the status without which it says nothing. */
export const CLASSES_BY_NAME: Readonly<Record<string, FailureClass & Readonly<{ status: number }>>> =
  Object.fromEntries(
    NAMED.flatMap(({ names, verdict, status }) => names.map((name) => [name, { ...verdict, status }])),
  );

/** What an unnamed status proves: a refusal is a refusal whoever speaks, a 5xx or a broken 200 proves nothing. */
function verdictByStatus(status: number): FailureClass {
  if (status === 429) return OVERLOAD;
  if (status === 408 || status === 499) return UNCERTAIN;
  if (status >= 300 && status < 500) return REFUSED;
  return UNCERTAIN;
}

/** The verdict of an answer. A name with another's status proves nothing, unless both say that nothing ran. */
function verdictOfAnswer(name: string, status: number): FailureClass {
  const byStatus = verdictByStatus(status);
  const named = Object.hasOwn(CLASSES_BY_NAME, name) ? CLASSES_BY_NAME[name] : undefined;
  if (named === undefined) return byStatus;
  const { status: usual, ...byName } = named;
  if (status === usual) return byName;
  return byName.evidence === byStatus.evidence ? byStatus : UNCERTAIN;
}

const isRefusal = (status = 0): boolean => status >= 400 && status < 500;

// A certificate that is not trusted now will not be in a minute.
const CERTIFICATE_ERRORS = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME/;
const TLS_ERRORS = /^ERR_(?:SSL|TLS)_/;

/** What may pass of errors before anything was sent: the operating system's, and those of services that give credentials. */
const VERDICTS_UNSENT: ReadonlyMap<string, FailureClass> = new Map([
  ['EAI_AGAIN', OVERLOAD],
  ['ECONNABORTED', WAIT],
  ['ECONNRESET', WAIT],
  ['EPIPE', WAIT],
  ['ETIMEDOUT', WAIT],
  ['EADDRNOTAVAIL', UNREACHABLE],
  ['ECONNREFUSED', UNREACHABLE],
  ['EHOSTDOWN', UNREACHABLE],
  ['EHOSTUNREACH', UNREACHABLE],
  ['ENETDOWN', UNREACHABLE],
  ['ENETUNREACH', UNREACHABLE],
  ['ENOTFOUND', UNREACHABLE],
  ['EPROTO', UNREACHABLE],
  // This machine has no descriptor or memory left for one more connection.
  ['EMFILE', OVERLOAD],
  ['ENFILE', OVERLOAD],
  ['ENOBUFS', OVERLOAD],
  ['ENOMEM', OVERLOAD],
  ['Throttling', OVERLOAD],
  ['ThrottlingException', OVERLOAD],
  ['TooManyRequestsException', OVERLOAD],
]);

type Evidence = Readonly<{
  name: string;
  code?: string;
  statusCode?: number;
  /** A proxy's answer to the request for a tunnel. */
  tunnelStatus?: number;
  sent: boolean;
}>;

/** The table "Did it run?" (docs/reliability.md): by name and status, else by whether the request had been sent. */
export function classifyFailure(evidence: Evidence): FailureClass {
  const { name, code = name, statusCode, tunnelStatus, sent } = evidence;
  // No tunnel came to stand, so nothing for Lambda was sent into it.
  if (code === 'ERR_PROXY_TUNNEL') return isRefusal(tunnelStatus) ? REFUSED : WAIT;
  if (statusCode !== undefined) return verdictOfAnswer(name, statusCode);
  if (sent) return UNCERTAIN;
  if (CERTIFICATE_ERRORS.test(code)) return REFUSED;
  return VERDICTS_UNSENT.get(code) ?? (TLS_ERRORS.test(code) ? UNREACHABLE : REFUSED);
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Happy Eyeballs gives one AggregateError for all addresses; its first error is the one to show. */
export function firstCause(error: unknown): unknown {
  const [first]: readonly unknown[] =
    isFields(error) && Array.isArray(error['errors']) ? error['errors'] : [];
  return first ?? error;
}

// Names of the model and of Node are words; anything else came from whoever answered.
const WORD = /^[A-Za-z][A-Za-z0-9_.]*$/;
// What the SDK calls an answer that it could not read.
const UNREADABLE = ['SyntaxError', 'UnknownError', 'Unknown', 'Error', 'TypeError'];

const SHOWN_CHARACTERS = 200;

/** The start of a text on one line, for a message. */
function startOf(foreign: string): string {
  const line = foreign.replace(/\s+/g, ' ').trim();
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

type Told = Readonly<{ name: string; message: string; foreignText?: string }>;

/** An answer that is not Lambda's: the start of what came, under its status, which every message follows. */
function describeForeign(statusCode: number | undefined, came: string): Told {
  const name = `HTTP ${statusCode}`;
  const what = 'A proxy or firewall answered instead of Lambda';
  const start = startOf(came);
  return start === ''
    ? { name, message: `${what}, with an empty response` }
    : { name, message: `${what}: ${start}`, foreignText: came };
}

/** A connection that was lost, in other words than the operating system's. */
function tellLost(told: Told, { head, sentAt }: AttemptProgress): Told {
  if (head !== undefined || (told.name !== 'ECONNRESET' && told.name !== 'EPIPE')) return told;
  const how = told.message === 'socket hang up' ? 'closed' : 'reset';
  const when = sentAt === undefined ? 'before' : 'after';
  return { ...told, message: `The connection was ${how} ${when} the request was sent` };
}

// It may be the function's response, or the start of it, which only show_response shows.
const LOOKS_LIKE_JSON = /^\s*(?:[[{"\d-]|true|false|null)/;

const FLAWS: Readonly<Partial<Record<Flaw, string>>> = {
  encoding: 'The response has a Content-Encoding that was not requested',
  framing: 'The response may be incomplete: it has neither Content-Length nor chunked encoding',
  length: "The response is longer than Lambda's limit",
};

/** A response with a success status that is not Lambda's, or not all of it. */
function tellFlaw(flaw: Flaw, { head, text: came = '' }: AttemptProgress): Told {
  const name = `HTTP ${head?.statusCode}`;
  const why = FLAWS[flaw];
  if (why !== undefined) return { name, message: why };
  return LOOKS_LIKE_JSON.test(came)
    ? { name, message: "The response is not Lambda's" }
    : describeForeign(head?.statusCode, came);
}

/** What to call a failure, and what to say of it. */
function tell(fields: Readonly<Record<string, unknown>>, head: ResponseHead | undefined, came: string): Told {
  const statusCode = head?.statusCode;
  const named = text(fields['name']) ?? 'Error';
  const className = WORD.test(named) ? named : 'Error';
  const message = text(fields['message']) ?? '';
  if (statusCode === undefined) {
    const code = text(fields['code']);
    const name = code !== undefined && WORD.test(code) ? code : className;
    return { name, message: message === '' ? name : message };
  }
  if (statusCode < 300) {
    // A page, and no answer of Lambda's that broke off.
    if (head?.requestId === undefined && head?.mediaType?.startsWith('text/')) {
      return describeForeign(statusCode, head.mediaType);
    }
    return {
      name: 'BrokenAnswer',
      message: `the answer (HTTP ${statusCode}) began and broke off (${text(fields['code']) ?? className})`,
    };
  }
  if (UNREADABLE.includes(className)) return describeForeign(statusCode, came);
  // The SDK's own word for a message that is missing or null.
  return {
    name: className,
    message: message === 'UnknownError' ? 'AWS gave no reason' : message || className,
  };
}

const arrived = (streamedBytes: number | undefined): string =>
  streamedBytes === undefined ? '' : `; ${grouped(streamedBytes)} bytes of the stream had arrived`;

/** A failure with what `progress` knows of the attempt. */
function failure(told: Told, verdict: FailureClass, progress: AttemptProgress): InvokeFailure {
  const { head, sentAt, streamedBytes } = progress;
  const lostInProxy = progress.throughProxy && head === undefined;
  return {
    kind: 'failure',
    ...told,
    // What streams, runs.
    ...(streamedBytes === undefined ? verdict : { ...RAN, streamedBytes }),
    message: `${told.message}${lostInProxy ? ' (through a proxy)' : ''}${arrived(streamedBytes)}`,
    throughProxy: progress.throughProxy,
    ...(head !== undefined && { statusCode: head.statusCode }),
    ...(head?.requestId !== undefined && { requestId: head.requestId }),
    ...(head?.retryAfterSeconds !== undefined && { retryAfterSeconds: head.retryAfterSeconds }),
    ...(sentAt !== undefined && { sentAt }),
  };
}

/** What the SDK threw, as a Failure that says whether the function ran. */
export function toFailure(thrown: unknown, progress: AttemptProgress): InvokeFailure {
  // Whoever sent it, nothing says what ran.
  if (progress.flaw !== undefined) return failure(tellFlaw(progress.flaw, progress), UNCERTAIN, progress);
  const error = firstCause(progress.networkError ?? thrown);
  const fields = isFields(error) ? error : { message: String(error) };
  const statusCode = progress.head?.statusCode;
  const told = tellLost(tell(fields, progress.head, progress.text ?? ''), progress);
  const code = text(fields['code']);
  const reason = text(fields['Reason']);
  const verdict = classifyFailure({
    name: told.name,
    sent: progress.sentAt !== undefined,
    ...(code !== undefined && { code }),
    ...(statusCode !== undefined && { statusCode }),
    ...(typeof fields['statusCode'] === 'number' && { tunnelStatus: fields['statusCode'] }),
  });
  const { clockOffsetMs } = progress;
  const failed =
    clockOffsetMs === undefined
      ? failure(told, verdict, progress)
      : // The next signature is made by AWS's clock.
        failure({ ...told, message: `${told.message} (${clockNote(clockOffsetMs)})` }, WAIT, progress);
  return { ...failed, ...(reason !== undefined && WORD.test(reason) && { reason }) };
}

const STOPS: Readonly<Record<StopCause, Told>> = {
  deadline: { name: 'DeadlineExceeded', message: 'timeout_seconds was over before an answer came' },
  cancelled: { name: 'Cancelled', message: 'the workflow was cancelled before an answer came' },
  connect: { name: 'ConnectTimeout', message: 'no connection came to stand within 10 s' },
};

const UNCREDENTIALED = 'CredentialsUnavailable';

/** An attempt that was stopped: surely not run where nothing had been sent. */
export function toStopped(stop: StopCause, progress: AttemptProgress): InvokeFailure {
  const evidence = progress.sentAt === undefined ? 'did_not_run' : 'may_have_run';
  const told =
    stop === 'deadline' && progress.awaitsCredentials
      ? { ...STOPS[stop], message: 'Could not get credentials before timeout_seconds was over' }
      : STOPS[stop];
  return failure(told, { evidence, mayClear: stop === 'connect' }, progress);
}

/** Credentials that could not be fetched, so that nothing was sent. */
export function toUncredentialed(
  {
    message,
    code,
    statusCode = 0,
  }: Readonly<{ message: string; code?: string | undefined; statusCode?: number | undefined }>,
  progress: AttemptProgress,
): InvokeFailure {
  const { mayClear } = classifyFailure({
    name: UNCREDENTIALED,
    sent: false,
    ...(code !== undefined && { code }),
  });
  const isBusy = statusCode === 429 || statusCode >= 500;
  return failure(
    { name: UNCREDENTIALED, message },
    { evidence: 'did_not_run', mayClear: mayClear || isBusy },
    progress,
  );
}

/** Whether a dry run was responded to as if it were an invocation: then something may have run. */
export const wasTakenForInvocation = ({ statusCode = 0 }: InvokeFailure): boolean =>
  statusCode >= 200 && statusCode < 300 && statusCode !== 204;

/** A stream that ended in good order, but without the event that ends it. */
export function toBrokenStream(progress: AttemptProgress): InvokeFailure {
  const message = `the answer (HTTP ${progress.head?.statusCode}) ended before its last event`;
  return failure({ name: 'BrokenAnswer', message }, RAN, progress);
}

/** A question beside an invocation that failed for good: what it says is not about an invocation. */
export function toUnasked(failed: InvokeFailure): InvokeFailure {
  const { requestId: _, sentAt: __, ...rest } = failed;
  return { ...rest, ...REFUSED };
}

/** A durable execution of which is not known how it ended, and why not. */
export function toUnfollowed(
  { name, message }: Pick<Told, 'name' | 'message'>,
  { durableExecutionArn, requestId }: Pick<InvokeResponse, 'durableExecutionArn' | 'requestId'>,
): InvokeFailure {
  return {
    kind: 'failure',
    name,
    message,
    ...RAN,
    throughProxy: false,
    ...(durableExecutionArn !== undefined && { durableExecutionArn }),
    ...(requestId !== undefined && { requestId }),
  };
}

/** What ends an invocation that was not sent when the workflow was cancelled. */
export const CANCELLED = {
  name: 'Cancelled',
  message: 'the workflow was cancelled before it was sent',
} as const;

/** A defect of this action. Whether the request had been sent is not known. */
export const toInternalError = (error: unknown, { invocationType }: Invocation): InvokeFailure => ({
  kind: 'failure',
  name: 'InternalError',
  message: messageOf(error),
  evidence: invocationType === 'DryRun' ? 'did_not_run' : 'may_have_run',
  mayClear: false,
  throughProxy: false,
});

/** A failure before there was anything to send. */
export function toUnsent(told: { name: string; message: string }): InvokeFailure {
  return { kind: 'failure', ...told, ...REFUSED, throughProxy: false };
}
