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
  /** The status of such a response. Absent for failures before anything was sent. */
  status?: number;
  /** A pattern that the message has to match. */
  message?: RegExp;
}>;

/**
 * Every error of the Invoke API's model, errors of Lambda that the model lacks, and failures before a request is sent.
 */
export const FAILURES: readonly FailureRow[] = [
  { status: 400, class: OVERLOAD, names: ['Throttling', 'ThrottlingException'] },
  { status: 429, class: OVERLOAD, names: ['TooManyRequestsException'] },
  {
    // Only a new deployment fixes this error.
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
    // The file system is mounted before the function's code starts.
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
  // The restore hook and the code that uses the file system belong to the function.
  { status: 400, class: RAN, names: ['SnapStartException'] },
  { status: 408, class: RAN, names: ['SnapStartTimeoutException'] },
  { status: 410, class: RAN, names: ['EFSIOException'] },
  // Errors of the operating system, and of services that issue credentials.
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
  // The runner has no file descriptor or memory left for another connection. EBUSY is what glibc's name resolution
  // reports if it has no file descriptor.
  { class: OVERLOAD, names: ['EBUSY', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'] },
];

/**
 * The class of a status without a known name. A 4xx is a refusal, even from a proxy. A 5xx or incomplete 200 proves
 * nothing.
 */
function classByStatus(status: number): FailureClass {
  if (status === 429) return OVERLOAD;
  if (status === 408 || status === 499) return UNCERTAIN;
  if (status >= 300 && status < 500) return REFUSED;
  return UNCERTAIN;
}

/**
 * The class of a response. A name with the status of another error proves nothing, unless both mean that nothing ran.
 */
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

// A retry does not help, because a certificate that is not trusted now will not be trusted in a minute.
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

/** Classifies a failure by its name and status, or by whether the request had been sent (docs/reliability.md). */
export function classifyFailure(evidence: Evidence): FailureClass {
  const { name, code = name, statusCode, tunnelStatus, sent } = evidence;
  // Without a tunnel, nothing was sent to Lambda.
  if (code === 'ERR_PROXY_TUNNEL') return isRefusal(tunnelStatus) ? REFUSED : WAIT;
  if (statusCode !== undefined) return classOfResponse(evidence, statusCode);
  return sent ? UNCERTAIN : classBeforeSending(code);
}
