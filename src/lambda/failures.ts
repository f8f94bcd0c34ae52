import type { Failure, Proof } from './invocation.ts';

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

// A certificate that is not trusted now will not be in a minute.
const CERTIFICATE_ERRORS = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME/;
// Errors of a name, a route or a connection, before a byte of the request could leave.
const NETWORK_CODE = /^E[A-Z_]+$/;

type Evidence = Readonly<{ name: string; code?: string; statusCode?: number; sent: boolean }>;

/** The table "Did it run?" (docs/reliability.md): by name, else by status, else by whether the request had been sent. */
export function judgeFailure(evidence: Evidence): Verdict {
  const named = VERDICTS_BY_NAME[evidence.name];
  if (named) return named;
  if (evidence.statusCode !== undefined) return verdictByStatus(evidence.statusCode);
  if (evidence.sent) return UNCERTAIN;
  const code = evidence.code ?? '';
  if (CERTIFICATE_ERRORS.test(code)) return REFUSED;
  return NETWORK_CODE.test(code) || evidence.name === 'TimeoutError' ? WAIT : REFUSED;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** Happy Eyeballs gives one AggregateError for all addresses; its first error is the one to show. */
function firstCause(error: unknown): unknown {
  return error instanceof AggregateError && error.message === '' ? error.errors[0] : error;
}

/** What the SDK threw, as a Failure: named by the API's model, by Node's error code or by its class. */
export function toFailure(thrown: unknown, sentAt: Date | undefined): Failure {
  const error = firstCause(thrown);
  const fields = isRecord(error) ? error : {};
  const metadata = isRecord(fields['$metadata']) ? fields['$metadata'] : {};
  const statusCode = number(metadata['httpStatusCode']);
  const requestId = text(metadata['requestId']);
  const code = text(fields['code']);
  const className = text(fields['name']) ?? 'Error';
  const name = statusCode === undefined ? (code ?? className) : className;
  const verdict = judgeFailure({
    name: className,
    sent: sentAt !== undefined,
    ...(code !== undefined && { code }),
    ...(statusCode !== undefined && { statusCode }),
  });
  return {
    kind: 'failure',
    name,
    message: text(fields['message']) ?? String(error),
    proof: verdict.proof,
    ...(statusCode !== undefined && { statusCode }),
    ...(requestId !== undefined && { requestId }),
    ...(sentAt !== undefined && { sentAt }),
  };
}
