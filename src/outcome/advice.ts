import type { Invocation, InvokeFailure } from '../lambda/invocation.ts';
import { isRequestId, periodUrl, requestUrl } from './links.ts';
import { adviseOnNotFound } from './not-found-advice.ts';
import { fixInText, policyInTheWay, readPermission, statementOn } from './permission.ts';

/** What the job can tell about its credentials. */
export type JobFacts = Readonly<{
  eventName: string;
  hasOidc: boolean;
  /** The variables of an endpoint that are set; the first counts. */
  aws?: Readonly<{ endpoints: readonly Readonly<{ variable: string }>[] }>;
}>;

/** Everything that advice is made from. */
type Case = Readonly<{
  failure: InvokeFailure;
  invocation: Invocation;
  region: string | undefined;
  job: JobFacts;
}>;

const CREDENTIALS_STEP =
  'Add a step with aws-actions/configure-aws-credentials and role-to-assume before this one';

function credentialsAdvice({ job }: Case): string {
  // A workflow of pull_request_target runs with the secrets of the base repository.
  const fork =
    job.eventName.startsWith('pull_request') && job.eventName !== 'pull_request_target'
      ? ['A pull request from a fork has no secrets and no OIDC token.']
      : [];
  const step = job.hasOidc
    ? [`${CREDENTIALS_STEP}.`]
    : [`${CREDENTIALS_STEP}, and to the job:`, 'permissions:', '  id-token: write', '  contents: read'];
  return [...step, ...fork].join('\n');
}

const FIX = 'Fix the problem above and re-run the job.';
const TRY_LATER = 'Re-run the job later, or raise retry_seconds.';
const KMS =
  "Lambda could not decrypt the function's environment variables. Check the state of its KMS key, and that the execution role is allowed to use it.";
const VPC = "Check the subnets and security groups in the function's VPC configuration.";
const FILE_SYSTEM =
  'The function could not mount its file system. Check the mount target, its security group and the execution role.';
const PROXY = 'Check the proxy in HTTPS_PROXY or HTTP_PROXY. To bypass it, add the host to NO_PROXY.';
/** The variable that decides where a request goes: the one that is set, or the one to set. */
const endpointVariable = ({ job }: Case): string =>
  job.aws?.endpoints[0]?.variable ?? 'AWS_ENDPOINT_URL_LAMBDA';
const network = (the: Case): string => `Check the region, ${endpointVariable(the)} and the runner's network.`;
const CREDENTIALS_SOURCE = 'Check where the runner gets its AWS credentials from.';
const stranger = (the: Case): string =>
  `Check ${endpointVariable(the)}, and the proxy or firewall between the runner and Lambda.`;
const TOO_LARGE = 'Put the data where the function can fetch it, for example in S3, and send its location.';
const CONFIGURATION = "Check the function's configuration and deploy it again.";
const CREDENTIALS_WRONG =
  'AWS does not know this access key or session token. Check the secrets of the step that sets them: all three values have to be from one session.';
const UNTRUSTED =
  "Node.js does not trust the certificate's issuer, as with a proxy that inspects TLS. Set NODE_EXTRA_CA_CERTS to the path of a PEM file with the issuer's CA certificate, in env of the step or the job.";
const OUTDATED_CERTIFICATE =
  "The certificate of the endpoint or the proxy is expired or not valid yet. Renew it, or check the runner's clock.";
const OTHER_HOST =
  'The certificate is for another host name. Check the endpoint, and the proxy if there is one.';

type SourceAdvice = Readonly<{ message: RegExp; advice: string }>;

/** How to fix credentials that could not be fetched; the first row that fits. The start of the message is ours. */
const BY_CREDENTIAL_SOURCE: readonly SourceAdvice[] = [
  {
    message: /self-signed certificate|issuer certificate|verify the first certificate/,
    advice: UNTRUSTED,
  },
  {
    message: /^Could not get credentials from STS \(AssumeRoleWithWebIdentity\): (?:Access|InvalidIdentity)/,
    advice:
      "Check the role's trust policy: it has to allow sts:AssumeRoleWithWebIdentity for this repository and the branch, tag or environment of the run.",
  },
  {
    message: /^Could not get credentials from STS [^:]{1,40}: Access/,
    advice:
      "Check the role's trust policy, and that the caller is allowed to perform sts:AssumeRole on the role.",
  },
  {
    message: /^Could not get credentials from STS /,
    advice:
      'Check that the runner can reach STS: AWS_REGION, AWS_ENDPOINT_URL_STS, the proxy, and in a private network the VPC endpoint for STS.',
  },
  {
    message: /^Could not get credentials from credential_process/,
    advice:
      'Run the command that credential_process names in the AWS config file on the runner, as the user of the job, to see why it fails.',
  },
  {
    message: /^Could not get credentials from the container/,
    advice:
      'Check AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, its authorization token, and that the endpoint responds on the runner.',
  },
  {
    message: /^Could not get credentials from the web identity token file/,
    advice: 'Check AWS_WEB_IDENTITY_TOKEN_FILE: it has to be the path of a file that the job can read.',
  },
  {
    message: /^Could not get credentials from IAM Identity Center/,
    advice: 'Sign in again on the runner (aws sso login), or use a role that the job can assume.',
  },
  {
    message: /^Could not get credentials from the AWS profile/,
    advice: 'Check AWS_PROFILE, and that profile in the AWS config and credentials files of the runner.',
  },
];

const uncredentialed = ({ failure }: Case): string =>
  BY_CREDENTIAL_SOURCE.find(({ message }) => message.test(failure.message))?.advice ?? CREDENTIALS_SOURCE;

const THROTTLED = `The account sends too many requests in this region. ${TRY_LATER}`;
const NO_DESCRIPTORS =
  'The runner has no file descriptors left. Raise the limit (ulimit -n) or lower max_concurrency.';
const NO_MEMORY =
  'The runner has no memory left for another connection. Lower max_concurrency, or use a larger runner.';

const INVOKE = 'lambda:InvokeFunction';
const DENIED_ACTION = /not authorized to perform:? ([a-z0-9-]{1,40}:[A-Za-z0-9*]{1,80})/;

const deniedAction = ({ message }: InvokeFailure): string => DENIED_ACTION.exec(message)?.[1] ?? INVOKE;

/** What to add to the caller's policy so that it may do something other than invoke. */
function allow(actions: readonly string[], where: string): string {
  const isOnFunction = actions.every((action) => action.startsWith('lambda:'));
  if (!isOnFunction) return `Allow ${actions.join(' and ')} in the caller's policy.`;
  const statement = statementOn(where, actions);
  const what = `Allow ${actions.join(' and ')} on the function in the caller's policy`;
  return statement === undefined ? `${what}.` : `${what}. Add this statement:\n${statement}`;
}

function denied({ failure, invocation, region }: Case): string {
  const action = deniedAction(failure);
  if (action !== INVOKE) return policyInTheWay(failure.message, action) ?? allow([action], failure.message);
  const { name, qualifier: ownQualifier } = invocation.reference;
  const qualifier = invocation.qualifier ?? ownQualifier;
  const asked = {
    function_name: name,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
  };
  return fixInText(readPermission({ ...asked, error: failure })) || FIX;
}

type Advise = string | ((the: Case) => string);
type MessageAdvice = readonly (readonly [message: RegExp, advice: string])[];

const byMessage =
  (rows: MessageAdvice, otherwise: Advise) =>
  (the: Case): string => {
    const row = rows.find(([message]) => message.test(the.failure.message));
    if (row !== undefined) return row[1];
    return typeof otherwise === 'string' ? otherwise : otherwise(the);
  };

// As Lambda words them.
const INVALID_PARAMETERS: MessageAdvice = [
  [/is enabled with tenancy configuration/, 'Set tenant_id.'],
  [/is not enabled with tenancy configuration/, 'Remove tenant_id.'],
  [
    /Tail logs are not supported/,
    'Remove log_type: Tail, or set retry: safe, which retries without the log tail.',
  ],
  [
    /durable function using an unqualified ARN/,
    'A durable function needs a qualifier: set qualifier to its version or alias, or to $LATEST.',
  ],
  [
    /synchronously invoke a durable function/,
    'Set invocation_type: Event, which only starts it. To follow it to its end, set wait_for_durable_execution: true.',
  ],
];
const CONFLICTS: MessageAdvice = [
  [
    /in the following state: '?Failed/,
    'The function is in state Failed and can not be invoked until that is fixed: aws lambda get-function-configuration shows the StateReason. Fix it and deploy the function again.',
  ],
];

/** What to do, by the error's name; every error of the Invoke API's model is here or falls under what was proved. */
const BY_NAME: Readonly<Record<string, Advise>> = {
  RegionMissing:
    'Set the input region or AWS_REGION, or give function_name as an ARN. aws-actions/configure-aws-credentials sets AWS_REGION too (aws-region).',
  CredentialsProviderError: credentialsAdvice,
  TokenProviderError: credentialsAdvice,
  MissingAuthenticationTokenException: credentialsAdvice,
  CredentialsUnavailable: uncredentialed,
  DeadlineExceeded: byMessage([[/^Could not get credentials/, CREDENTIALS_SOURCE]], network),
  ExpiredTokenException:
    'The credentials have expired. Run aws-actions/configure-aws-credentials shortly before this step, or raise its role-duration-seconds.',
  UnrecognizedClientException: CREDENTIALS_WRONG,
  IncompleteSignatureException: CREDENTIALS_WRONG,
  InvalidSignatureException:
    'Check that AWS_SECRET_ACCESS_KEY belongs to AWS_ACCESS_KEY_ID and, on a self-hosted runner, that its clock is right.',
  RequestTimeTooSkewed: "Set the runner's clock.",
  AccessDeniedException: denied,
  InvalidParameterValueException: byMessage(INVALID_PARAMETERS, FIX),
  ResourceNotFoundException: ({ failure, ...asked }) =>
    adviseOnNotFound({ ...asked, message: failure.message }),
  TooManyRequestsException: ({ failure }) => {
    if (failure.reason?.startsWith('Reserved')) {
      return `The function's own reserved concurrency is used up (${failure.reason}). Raise it. ${TRY_LATER}`;
    }
    return `The account's concurrency or rate limit in this region is used up. Request a higher quota from AWS. ${TRY_LATER}`;
  },
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  EMFILE: NO_DESCRIPTORS,
  ENFILE: NO_DESCRIPTORS,
  ENOBUFS: NO_MEMORY,
  ENOMEM: NO_MEMORY,
  ResourceConflictException: byMessage(
    CONFLICTS,
    'The function is being created or updated. Set wait_until_ready: true to wait for it.',
  ),
  NotReady: 'Raise timeout_seconds, or check why the deployment takes so long.',
  FunctionFailed: 'Fix the problem above and deploy the function again.',
  CodeArtifactUserPendingException: `An idle function is waking up, which can take two minutes. ${TRY_LATER}`,
  SnapStartNotReadyException: `Lambda is still creating the snapshot of this version. ${TRY_LATER}`,
  ResourceNotReadyException: `The function's resources are not ready. ${TRY_LATER}`,
  ENINotReadyException: `The function's network interface is not ready. ${TRY_LATER}`,
  EC2ThrottledException: `EC2 throttled Lambda while it set up the function. ${TRY_LATER}`,
  CodeArtifactUserDeletedException: CONFIGURATION,
  CodeArtifactUserFailedException: CONFIGURATION,
  InvalidRuntimeException: CONFIGURATION,
  InvalidZipFileException: CONFIGURATION,
  EC2AccessDeniedException:
    "The function's execution role is not allowed to create network interfaces in its VPC. Attach AWSLambdaVPCAccessExecutionRole to it.",
  EC2UnexpectedException: VPC,
  ENILimitReachedException:
    "The account has no network interfaces left for the function's VPC. Raise that quota.",
  InvalidSecurityGroupIDException: VPC,
  InvalidSubnetIDException: VPC,
  SubnetIPAddressLimitReachedException: "The function's subnets have no free addresses. Add a subnet.",
  KMSAccessDeniedException: KMS,
  KMSDisabledException: KMS,
  KMSInvalidStateException: KMS,
  KMSNotFoundException: KMS,
  EFSMountConnectivityException: FILE_SYSTEM,
  EFSMountFailureException: FILE_SYSTEM,
  EFSMountTimeoutException: FILE_SYSTEM,
  S3FilesMountConnectivityException: FILE_SYSTEM,
  S3FilesMountFailureException: FILE_SYSTEM,
  S3FilesMountTimeoutException: FILE_SYSTEM,
  DurableExecutionAlreadyStartedException:
    'A durable execution with this name was started with another payload. Use another name, or the same payload.',
  NoPublishedVersionException: 'Publish a version of the function first.',
  RecursiveInvocationException:
    'Lambda detected a loop between the function and other services and stopped it. Check where the function sends its output.',
  SnapStartRegenerationFailureException: 'Lambda could not create a new snapshot. Publish the version again.',
  RequestEntityTooLargeException: TOO_LARGE,
  RequestTooLargeException: TOO_LARGE,
  SerializedRequestEntityTooLargeException: TOO_LARGE,
  ServiceQuotaExceededException: 'Request a higher quota from AWS, or delete what is not needed.',
  Cancelled: 'No action needed. Re-run the job when you want it to run.',
  ERR_PROXY_TUNNEL:
    'The proxy in HTTPS_PROXY blocked the connection. Check its address and credentials, and that it allows the Lambda endpoint. To bypass it, add the host to NO_PROXY.',
  'HTTP 407':
    'The proxy requires credentials. Add them to HTTP_PROXY (http://user:password@host:port), from a secret.',
  ENOTFOUND: (the) =>
    the.failure.throughProxy
      ? PROXY
      : `The host name does not exist. Check the region and ${endpointVariable(the)}.`,
  CERT_HAS_EXPIRED: OUTDATED_CERTIFICATE,
  CERT_NOT_YET_VALID: OUTDATED_CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_HOST,
  CERT_UNTRUSTED: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

const LOOK_BACK_MS = 60_000;
const LONGEST_RUN_MS = 900_000;

/** Where to see whether it ran: by request id, or by the time when it can have run. */
function whereToLook({ failure, invocation, region }: Case): string {
  const place = { functionName: invocation.reference.name };
  if (region === undefined) return '.';
  if (failure.requestId !== undefined && isRequestId(failure.requestId)) {
    return `: ${requestUrl({ ...place, region, requestId: failure.requestId })}`;
  }
  if (failure.sentAt === undefined) return '.';
  const sent = failure.sentAt.getTime();
  const [from, to] = [new Date(sent - LOOK_BACK_MS), new Date(sent + LONGEST_RUN_MS)];
  return `: ${periodUrl({ ...place, region, from, to })}`;
}

const FOLLOW = ['lambda:GetDurableExecution', 'lambda:GetDurableExecutionHistory'];

// As the API's model has it, and in quotes where it is used: anything else may be a command for the shell, and $LATEST a variable.
const EXECUTION_ARN =
  /^arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:function:[a-zA-Z0-9_-]+:(?:\$LATEST(?:\.PUBLISHED)?|\d+)\/durable-execution\/[a-zA-Z0-9_-]+\/[a-zA-Z0-9_-]+$/;

/** What to do about a durable execution that was started and not followed to its end. */
function adviseOnUnfollowed({ failure, invocation }: Case, arn: string): string {
  if (failure.name === 'AccessDeniedException') {
    // The ARN of the version that runs it, without the execution.
    return (
      policyInTheWay(failure.message, deniedAction(failure)) ?? allow(FOLLOW, arn.split('/', 1)[0] ?? '')
    );
  }
  const join =
    invocation.durableExecutionName === undefined
      ? 'With a durable_execution_name, running this step again would join the execution.'
      : 'Run this step again with the same durable_execution_name and payload to join it.';
  if (!EXECUTION_ARN.test(arn)) return `See how the execution ends in the Lambda console.\n${join}`;
  return [
    `To see how it ends: aws lambda get-durable-execution --durable-execution-arn '${arn}'`,
    join,
    `To stop it: aws lambda stop-durable-execution --durable-execution-arn '${arn}'`,
  ].join('\n');
}

function adviseOnRefusal(the: Case): string {
  const { failure } = the;
  const named = Object.hasOwn(BY_NAME, failure.name) && BY_NAME[failure.name];
  if (typeof named === 'string') return named;
  if (named) return named(the);
  if (failure.throughProxy) return PROXY;
  if (failure.name.startsWith('HTTP ')) return stranger(the);
  return failure.statusCode === undefined ? network(the) : FIX;
}

/** What a user can do about a failure: a sentence or a few, never empty. */
export function adviseOn(the: Case): string {
  const { failure } = the;
  if (failure.durableExecutionArn !== undefined) return adviseOnUnfollowed(the, failure.durableExecutionArn);
  switch (failure.evidence) {
    case 'may_have_run':
      return `Check the function's log before you retry${whereToLook(the)}\nIf it is safe for the function to run twice, set retry: idempotent.`;
    case 'ran':
      return `The function's own code ran. Check its log${whereToLook(the)}`;
    case 'did_not_run':
      return adviseOnRefusal(the);
    default:
      return failure.evidence satisfies never;
  }
}
