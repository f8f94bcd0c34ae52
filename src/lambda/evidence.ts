import type { InvokeFailure } from './invocation.ts';

/** Whether a function ran although there is no response, and whether a retry may help. */
export type FailureClass = Readonly<
  Pick<InvokeFailure, 'evidence' | 'mayClear' | 'isOverload' | 'clearsSoonOrNever'>
>;

const WAIT: FailureClass = { evidence: 'did_not_run', mayClear: true };
const OVERLOAD: FailureClass = { ...WAIT, isOverload: true };
const UNREACHABLE: FailureClass = { ...WAIT, clearsSoonOrNever: true };
const REFUSED: FailureClass = { evidence: 'did_not_run', mayClear: false };
const UNCERTAIN: FailureClass = { evidence: 'may_have_run', mayClear: true };
const RAN: FailureClass = { evidence: 'ran', mayClear: false };

/** The classes of failures. */
export const CLASS = { WAIT, OVERLOAD, UNREACHABLE, REFUSED, UNCERTAIN, RAN } as const;

type FailureRow = Readonly<{
  names: readonly string[];
  class: FailureClass;
  /** The status that such a response has. Without one, the failure comes before anything was sent. */
  status?: number;
  /** What the message has to say. */
  message?: RegExp;
}>;

/** Every error of the Invoke API's model, the unmodelled ones of Lambda's front door, and what may clear before a request is sent. */
export const FAILURES: readonly FailureRow[] = [
  { status: 400, class: OVERLOAD, names: ['Throttling', 'ThrottlingException'] },
  { status: 429, class: OVERLOAD, names: ['TooManyRequestsException'] },
  {
    // Only a deployment fixes it.
    status: 409,
    class: REFUSED,
    names: ['ResourceConflictException'],
    message: /in the following state: '?Failed/,
  },
  {
    status: 409,
    class: WAIT,
    names: ['CodeArtifactUserPendingException', 'ResourceConflictException', 'SnapStartNotReadyException'],
  },
  {
    status: 502,
    class: WAIT,
    names: ['EC2ThrottledException', 'ENINotReadyException', 'ResourceNotReadyException'],
  },
  {
    status: 400,
    class: REFUSED,
    names: [
      'InvalidParameterValueException',
      'InvalidRequestContentException',
      'ModeNotSupportedException',
      'NoPublishedVersionException',
      'RecursiveInvocationException',
      'ValidationException',
    ],
  },
  { status: 402, class: REFUSED, names: ['ServiceQuotaExceededException'] },
  {
    status: 403,
    class: REFUSED,
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
  { status: 404, class: REFUSED, names: ['ResourceNotFoundException'] },
  {
    // A file system is mounted before the function's code starts.
    status: 408,
    class: REFUSED,
    names: [
      'EFSMountConnectivityException',
      'EFSMountTimeoutException',
      'S3FilesMountConnectivityException',
      'S3FilesMountTimeoutException',
    ],
  },
  {
    status: 409,
    class: REFUSED,
    names: [
      'CodeArtifactUserDeletedException',
      'CodeArtifactUserFailedException',
      'DurableExecutionAlreadyStartedException',
      'SnapStartRegenerationFailureException',
    ],
  },
  {
    status: 413,
    class: REFUSED,
    names: [
      'RequestEntityTooLargeException',
      'RequestTooLargeException',
      'SerializedRequestEntityTooLargeException',
    ],
  },
  { status: 415, class: REFUSED, names: ['UnsupportedMediaTypeException'] },
  {
    status: 502,
    class: REFUSED,
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
  { status: 500, class: UNCERTAIN, names: ['ServiceException'] },
  // The restore hook, or the code that used the file system, is the function's own.
  { status: 400, class: RAN, names: ['SnapStartException'] },
  { status: 408, class: RAN, names: ['SnapStartTimeoutException'] },
  { status: 410, class: RAN, names: ['EFSIOException'] },
  // The operating system's errors, and those of services that issue credentials.
  { class: WAIT, names: ['ECONNABORTED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'] },
  {
    class: UNREACHABLE,
    names: [
      'EADDRNOTAVAIL',
      'ECONNREFUSED',
      'EHOSTDOWN',
      'EHOSTUNREACH',
      'ENETDOWN',
      'ENETUNREACH',
      'ENOTFOUND',
      'EPROTO',
    ],
  },
  { class: OVERLOAD, names: ['EAI_AGAIN', 'Throttling', 'ThrottlingException', 'TooManyRequestsException'] },
  // This machine has no descriptor or memory left for one more connection.
  { class: OVERLOAD, names: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'] },
];

/** The class of a status without a known name: a 4xx is a refusal, even from a proxy; a 5xx or an incomplete 200 proves nothing. */
function classByStatus(status: number): FailureClass {
  if (status === 429) return OVERLOAD;
  if (status === 408 || status === 499) return UNCERTAIN;
  if (status >= 300 && status < 500) return REFUSED;
  return UNCERTAIN;
}

/** The class of a response. A name with another's status proves nothing, unless both say that nothing ran. */
function classOfResponse({ name, message }: Described, status: number): FailureClass {
  const byStatus = classByStatus(status);
  const row = FAILURES.find(
    (one) =>
      one.status !== undefined && one.names.includes(name) && (one.message?.test(message ?? '') ?? true),
  );
  if (row === undefined) return byStatus;
  if (status === row.status) return row.class;
  return row.class.evidence === byStatus.evidence ? byStatus : UNCERTAIN;
}

const isRefusal = (status = 0): boolean => status >= 400 && status < 500;

// A certificate that is not trusted now will not be trusted in a minute either.
const CERTIFICATE_ERRORS = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME/;
const TLS_ERRORS = /^ERR_(?:SSL|TLS)_/;

function classBeforeSending(code: string): FailureClass {
  if (CERTIFICATE_ERRORS.test(code)) return REFUSED;
  const row = FAILURES.find(({ names, status }) => status === undefined && names.includes(code));
  return row?.class ?? (TLS_ERRORS.test(code) ? UNREACHABLE : REFUSED);
}

type Described = Readonly<{ name: string; message?: string }>;

type Evidence = Described &
  Readonly<{
    code?: string;
    statusCode?: number;
    /** A proxy's response to the request for a tunnel. */
    tunnelStatus?: number;
    sent: boolean;
  }>;

/** The table "Did it run?" (docs/reliability.md): by name and status, else by whether the request had been sent. */
export function classifyFailure(evidence: Evidence): FailureClass {
  const { name, code = name, statusCode, tunnelStatus, sent } = evidence;
  // Without a tunnel nothing could be sent to Lambda.
  if (code === 'ERR_PROXY_TUNNEL') return isRefusal(tunnelStatus) ? REFUSED : WAIT;
  if (statusCode !== undefined) return classOfResponse(evidence, statusCode);
  return sent ? UNCERTAIN : classBeforeSending(code);
}
