import { isFields } from '../fields.ts';
import { grouped } from '../figures.ts';
import type { Answer, Failure, Proof } from './invocation.ts';
import type { Flaw, Head, Progress } from './progress.ts';

/** Whether a function ran although no answer came, and whether sending again may help. */
export type Verdict = Readonly<{ proof: Proof; mayClear: boolean }>;

const WAIT: Verdict = { proof: 'never_ran', mayClear: true };
const REFUSED: Verdict = { proof: 'never_ran', mayClear: false };
const UNCERTAIN: Verdict = { proof: 'may_have_run', mayClear: true };
const RAN: Verdict = { proof: 'ran', mayClear: false };

/** Every error of the Invoke API's model by name, and the unmodelled ones that Lambda's front door sends. */
export const VERDICTS_BY_NAME: Readonly<Record<string, Verdict>> = {
  CodeArtifactUserPendingException: WAIT,
  EC2ThrottledException: WAIT,
  ENINotReadyException: WAIT,
  ResourceConflictException: WAIT,
  ResourceNotReadyException: WAIT,
  SnapStartNotReadyException: WAIT,
  TooManyRequestsException: WAIT,

  AccessDeniedException: REFUSED,
  CodeArtifactUserDeletedException: REFUSED,
  CodeArtifactUserFailedException: REFUSED,
  DurableExecutionAlreadyStartedException: REFUSED,
  EC2AccessDeniedException: REFUSED,
  EC2UnexpectedException: REFUSED,
  // A mount comes before the first line of the function's code.
  EFSMountConnectivityException: REFUSED,
  EFSMountFailureException: REFUSED,
  EFSMountTimeoutException: REFUSED,
  ENILimitReachedException: REFUSED,
  ExpiredTokenException: REFUSED,
  IncompleteSignatureException: REFUSED,
  InvalidParameterValueException: REFUSED,
  InvalidRequestContentException: REFUSED,
  InvalidRuntimeException: REFUSED,
  InvalidSecurityGroupIDException: REFUSED,
  InvalidSignatureException: REFUSED,
  InvalidSubnetIDException: REFUSED,
  InvalidZipFileException: REFUSED,
  KMSAccessDeniedException: REFUSED,
  KMSDisabledException: REFUSED,
  KMSInvalidStateException: REFUSED,
  KMSNotFoundException: REFUSED,
  MissingAuthenticationTokenException: REFUSED,
  ModeNotSupportedException: REFUSED,
  NoPublishedVersionException: REFUSED,
  RecursiveInvocationException: REFUSED,
  RequestEntityTooLargeException: REFUSED,
  RequestTooLargeException: REFUSED,
  ResourceNotFoundException: REFUSED,
  S3FilesMountConnectivityException: REFUSED,
  S3FilesMountFailureException: REFUSED,
  S3FilesMountTimeoutException: REFUSED,
  SerializedRequestEntityTooLargeException: REFUSED,
  ServiceQuotaExceededException: REFUSED,
  SnapStartRegenerationFailureException: REFUSED,
  SubnetIPAddressLimitReachedException: REFUSED,
  UnrecognizedClientException: REFUSED,
  UnsupportedMediaTypeException: REFUSED,
  ValidationException: REFUSED,

  ServiceException: UNCERTAIN,

  // The restore hook, or the code that used the file system, is the function's own.
  EFSIOException: RAN,
  SnapStartException: RAN,
  SnapStartTimeoutException: RAN,
};

/** What an unnamed status proves: a refusal is a refusal whoever speaks, a 5xx or a broken 200 proves nothing. */
function verdictByStatus(status: number): Verdict {
  if (status === 429) return WAIT;
  if (status === 408 || status === 499) return UNCERTAIN;
  if (status >= 300 && status < 500) return REFUSED;
  return UNCERTAIN;
}

const isRefusal = (status = 0): boolean => status >= 400 && status < 500;

// A certificate that is not trusted now will not be in a minute.
const CERTIFICATE_ERRORS = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME/;
// Errors of a name, a route or a connection, in Node's and the operating system's words.
const NETWORK_CODES: readonly string[] = [
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
];
const TLS_ERRORS = /^ERR_(?:SSL|TLS)_/;

type Evidence = Readonly<{
  name: string;
  code?: string;
  statusCode?: number;
  /** A proxy's answer to the request for a tunnel. */
  tunnelStatus?: number;
  sent: boolean;
}>;

/** The table "Did it run?" (docs/reliability.md): by name, else by status, else by whether the request had been sent. */
export function judgeFailure(evidence: Evidence): Verdict {
  const named = Object.hasOwn(VERDICTS_BY_NAME, evidence.name) && VERDICTS_BY_NAME[evidence.name];
  if (named) return named;
  const code = evidence.code ?? '';
  // No tunnel came to stand, so nothing for Lambda was sent into it.
  if (code === 'ERR_PROXY_TUNNEL') return isRefusal(evidence.tunnelStatus) ? REFUSED : WAIT;
  if (evidence.statusCode !== undefined) return verdictByStatus(evidence.statusCode);
  if (evidence.sent) return UNCERTAIN;
  if (CERTIFICATE_ERRORS.test(code)) return REFUSED;
  return NETWORK_CODES.includes(code) || TLS_ERRORS.test(code) ? WAIT : REFUSED;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Happy Eyeballs gives one AggregateError for all addresses; its first error is the one to show. */
function firstCause(error: unknown): unknown {
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

type Told = Readonly<{ name: string; message: string; strangeText?: string }>;

/** An answer that is not Lambda's: its status, and the start of what came. */
function tellStrange(statusCode: number | undefined, came: string): Told {
  const name = `HTTP ${statusCode}`;
  const start = startOf(came);
  return start === ''
    ? { name, message: `${name} with an empty answer` }
    : { name, message: `${name} with an answer that is not Lambda's: ${start}`, strangeText: came };
}

// It may be the function's response, or the start of it, which only show_response shows.
const LOOKS_LIKE_JSON = /^\s*(?:[[{"\d-]|true|false|null)/;

const FLAWS: Readonly<Partial<Record<Flaw, string>>> = {
  encoding: 'with a Content-Encoding that was not requested',
  framing: 'with a body that may be incomplete: it has neither Content-Length nor chunked encoding',
  length: "with a body that is longer than Lambda's limit",
};

/** A response with a success status that is not Lambda's, or not all of it. */
function tellFlaw(flaw: Flaw, { head, text: came = '' }: Progress): Told {
  const name = `HTTP ${head?.statusCode}`;
  const why = FLAWS[flaw];
  if (why !== undefined) return { name, message: `${name} ${why}` };
  return LOOKS_LIKE_JSON.test(came)
    ? { name, message: `${name} with an answer that is not Lambda's` }
    : tellStrange(head?.statusCode, came);
}

/** What to call a failure, and what to say of it. */
function tell(fields: Readonly<Record<string, unknown>>, head: Head | undefined, came: string): Told {
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
      return tellStrange(statusCode, head.mediaType);
    }
    return {
      name: 'BrokenAnswer',
      message: `the answer (HTTP ${statusCode}) began and broke off (${text(fields['code']) ?? className})`,
    };
  }
  if (UNREADABLE.includes(className)) return tellStrange(statusCode, came);
  return { name: className, message: message === '' ? className : message };
}

const arrived = (streamedBytes: number | undefined): string =>
  streamedBytes === undefined ? '' : `; ${grouped(streamedBytes)} bytes of the stream had arrived`;

/** A failure with what `progress` knows of the attempt. */
function failure(told: Told, verdict: Verdict, progress: Progress): Failure {
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
export function toFailure(thrown: unknown, progress: Progress): Failure {
  // Whoever sent it, nothing says what ran.
  if (progress.flaw !== undefined) return failure(tellFlaw(progress.flaw, progress), UNCERTAIN, progress);
  const error = firstCause(progress.networkError ?? thrown);
  const fields = isFields(error) ? error : { message: String(error) };
  const statusCode = progress.head?.statusCode;
  const told = tell(fields, progress.head, progress.text ?? '');
  const code = text(fields['code']);
  const reason = text(fields['Reason']);
  const verdict = judgeFailure({
    name: told.name,
    sent: progress.sentAt !== undefined,
    ...(code !== undefined && { code }),
    ...(statusCode !== undefined && { statusCode }),
    ...(typeof fields['statusCode'] === 'number' && { tunnelStatus: fields['statusCode'] }),
  });
  return {
    ...failure(told, verdict, progress),
    ...(reason !== undefined && WORD.test(reason) && { reason }),
  };
}

/** Why an attempt was stopped from here. */
export type Stop = 'deadline' | 'cancelled' | 'connect';

const STOPS: Readonly<Record<Stop, Told>> = {
  deadline: { name: 'DeadlineExceeded', message: 'timeout_seconds was over before an answer came' },
  cancelled: { name: 'Cancelled', message: 'the workflow was cancelled before an answer came' },
  connect: { name: 'ConnectTimeout', message: 'no connection came to stand within 10 s' },
};

/** An attempt that was stopped: surely not run where nothing had been sent. */
export function toStopped(stop: Stop, progress: Progress): Failure {
  const proof = progress.sentAt === undefined ? 'never_ran' : 'may_have_run';
  return failure(STOPS[stop], { proof, mayClear: stop === 'connect' }, progress);
}

/** Whether a dry run was responded to as if it were an invocation: then something may have run. */
export const wasTakenForInvocation = ({ statusCode = 0 }: Failure): boolean =>
  statusCode >= 200 && statusCode < 300 && statusCode !== 204;

/** A stream that ended in good order, but without the event that ends it. */
export function toBrokenStream(progress: Progress): Failure {
  const message = `the answer (HTTP ${progress.head?.statusCode}) ended before its last event`;
  return failure({ name: 'BrokenAnswer', message }, RAN, progress);
}

/** A question beside an invocation that failed for good: what it says is not about an invocation. */
export function toUnasked(failed: Failure): Failure {
  const { requestId: _, sentAt: __, ...rest } = failed;
  return { ...rest, ...REFUSED };
}

/** A durable execution of which is not known how it ended, and why not. */
export function toUnfollowed(
  { name, message }: Pick<Told, 'name' | 'message'>,
  { durableExecutionArn, requestId }: Pick<Answer, 'durableExecutionArn' | 'requestId'>,
): Failure {
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

/** A failure before there was anything to send. */
export function toUnsent(told: { name: string; message: string }): Failure {
  return { kind: 'failure', ...told, ...REFUSED, throughProxy: false };
}
