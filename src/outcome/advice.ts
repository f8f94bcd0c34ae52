import type { Failure, Invocation } from '../lambda/invocation.ts';
import { isRequestId, periodUrl, requestUrl } from './links.ts';
import { statementOn } from './permission.ts';

/** What the job can tell about its credentials. */
export type JobFacts = Readonly<{ eventName: string; hasOidc: boolean }>;

/** Everything that advice is made from. */
type Case = Readonly<{
  failure: Failure;
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
      ? ['A pull request from a fork has neither secrets nor an OIDC token.']
      : [];
  const step = job.hasOidc
    ? [`${CREDENTIALS_STEP}.`]
    : [`${CREDENTIALS_STEP}, and to the job:`, 'permissions:', '  id-token: write', '  contents: read'];
  return [...step, ...fork].join('\n');
}

const MEND = 'Mend what the message says and run the job again.';
const TRY_LATER = 'Run the job again later, or raise retry_seconds.';
const KMS =
  'Lambda could not decrypt the environment variables with the function’s KMS key. Check the key’s state and that the execution role may use it.';
const VPC = 'Check the subnets and security groups in the function’s VPC configuration.';
const FILE_SYSTEM =
  'The function could not mount its file system. Check the mount target, its security group and the execution role.';
const PROXY = 'Check the proxy of HTTPS_PROXY or HTTP_PROXY; NO_PROXY leaves it out.';
const TOO_LARGE = 'Put the data where the function can fetch it, for example in S3, and send its place.';
const CONFIGURATION = 'Check the function’s configuration, and deploy it again.';
const CREDENTIALS_WRONG =
  'AWS does not know this access key or session token. Check the secrets of the step that sets them; all three values must be of one session.';

const THROTTLED = `The account sends too many requests in this region. ${TRY_LATER}`;
const NO_DESCRIPTORS =
  'The runner has no file descriptors left. Raise the limit (ulimit -n) or lower max_concurrency.';
const NO_MEMORY =
  'The runner has no memory left for another connection. Lower max_concurrency, or use a larger runner.';

const INVOKE = 'lambda:InvokeFunction';
const DENIED_ACTION = /not authorized to perform:? (lambda:\w+)/;

/** What to add to the role's policy so that it may do something beside invoking. */
function allow(actions: readonly string[], where: string): string {
  const statement = statementOn(where, actions);
  const what = `Allow ${actions.join(' and ')} on the function for the role`;
  return statement === undefined ? `${what}.` : `${what}: add this statement to its policy:\n${statement}`;
}

function denied({ failure }: Pick<Case, 'failure'>): string {
  const { message } = failure;
  if (message.includes('explicit deny')) {
    return 'A policy denies it explicitly, which no allow can lift. Change the deny, in the kind of policy that the message names.';
  }
  const action = DENIED_ACTION.exec(message)?.[1] ?? INVOKE;
  return action === INVOKE
    ? 'Allow lambda:InvokeFunction on this resource for the role. With a qualifier a policy needs both function:NAME and function:NAME:*.'
    : allow([action], message);
}

const UNQUALIFIED =
  'A durable function has to be invoked with a qualifier: give its version or alias (or $LATEST) as qualifier.';
const TOO_LONG_TO_WAIT =
  'Give invocation_type: Event, which only starts it; wait_for_durable_execution: true then follows it to its end.';

// As Lambda words them.
const INVALID_PARAMETERS: readonly (readonly [message: RegExp, advice: string])[] = [
  [/Tail logs are not supported/, 'Remove log_type: Tail, or allow a second request with retry: safe.'],
  [/durable function using an unqualified ARN/, UNQUALIFIED],
  [/synchronously invoke a durable function/, TOO_LONG_TO_WAIT],
];

type Advise = string | ((the: Case) => string);

/** What to do, by the error's name; every error of the Invoke API's model is here or falls under what was proved. */
const BY_NAME: Readonly<Record<string, Advise>> = {
  RegionMissing:
    'Set the input region, or AWS_REGION, or give function_name as an ARN. aws-actions/configure-aws-credentials sets it too (aws-region).',
  CredentialsProviderError: credentialsAdvice,
  TokenProviderError: credentialsAdvice,
  MissingAuthenticationTokenException: credentialsAdvice,
  ExpiredTokenException:
    'The credentials were good and are too old now. Run aws-actions/configure-aws-credentials shortly before this step, or raise its role-duration-seconds.',
  UnrecognizedClientException: CREDENTIALS_WRONG,
  IncompleteSignatureException: CREDENTIALS_WRONG,
  InvalidSignatureException:
    'Check that AWS_SECRET_ACCESS_KEY belongs to AWS_ACCESS_KEY_ID and, on a self-hosted runner, that its clock is right.',
  RequestTimeTooSkewed: "Set the runner's clock.",
  AccessDeniedException: denied,
  InvalidParameterValueException: ({ failure }) =>
    INVALID_PARAMETERS.find(([message]) => message.test(failure.message))?.[1] ?? MEND,
  ResourceNotFoundException: 'Check the name, the qualifier, the region and the account of the credentials.',
  TooManyRequestsException: ({ failure }) => {
    if (failure.reason?.startsWith('Reserved')) {
      return `The function’s own reserved concurrency is used up (${failure.reason}). Raise it. ${TRY_LATER}`;
    }
    return `The account’s concurrency or rate in this region is used up. Ask AWS for a higher quota. ${TRY_LATER}`;
  },
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  EMFILE: NO_DESCRIPTORS,
  ENFILE: NO_DESCRIPTORS,
  ENOBUFS: NO_MEMORY,
  ENOMEM: NO_MEMORY,
  ResourceConflictException: 'The function is being created or updated: wait_until_ready: true waits for it.',
  NotReady: 'Raise timeout_seconds, or look at why the deployment takes so long.',
  FunctionFailed: 'Mend what the message says, and deploy the function again.',
  CodeArtifactUserPendingException: `An idle function is waking up, which can take two minutes. ${TRY_LATER}`,
  SnapStartNotReadyException: `Lambda is still making the snapshot of this version. ${TRY_LATER}`,
  ResourceNotReadyException: `The function’s resources are not ready. ${TRY_LATER}`,
  ENINotReadyException: `The function’s network interface is not ready. ${TRY_LATER}`,
  EC2ThrottledException: `EC2 throttled Lambda while it set up the function. ${TRY_LATER}`,
  CodeArtifactUserDeletedException: CONFIGURATION,
  CodeArtifactUserFailedException: CONFIGURATION,
  InvalidRuntimeException: CONFIGURATION,
  InvalidZipFileException: CONFIGURATION,
  EC2AccessDeniedException:
    'The function’s execution role may not make network interfaces in its VPC. Attach AWSLambdaVPCAccessExecutionRole to it.',
  EC2UnexpectedException: VPC,
  ENILimitReachedException:
    'The account has no network interfaces left for the function’s VPC. Raise that quota.',
  InvalidSecurityGroupIDException: VPC,
  InvalidSubnetIDException: VPC,
  SubnetIPAddressLimitReachedException: 'The function’s subnets have no free addresses. Add a subnet.',
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
    'A durable execution of this name was started with another payload. Give another name, or the same payload.',
  NoPublishedVersionException: 'Publish a version of the function first.',
  RecursiveInvocationException:
    'Lambda found the function in a loop with other services and stopped it. Look at what it sends where.',
  SnapStartRegenerationFailureException: 'Lambda could not make a new snapshot. Publish the version again.',
  RequestEntityTooLargeException: TOO_LARGE,
  RequestTooLargeException: TOO_LARGE,
  SerializedRequestEntityTooLargeException: TOO_LARGE,
  ServiceQuotaExceededException: 'Ask AWS for a higher quota, or delete what is not needed.',
  Cancelled: 'Nothing has to be mended. Run the job again when you want it to run.',
  ERR_PROXY_TUNNEL:
    'The proxy of HTTPS_PROXY let no connection through. Check its address and credentials, and that it allows the Lambda endpoint; NO_PROXY leaves it out.',
  'HTTP 407':
    'The proxy wants credentials: put them into HTTP_PROXY (http://user:password@host:port), from a secret.',
  ENOTFOUND: ({ failure }) =>
    failure.throughProxy
      ? PROXY
      : 'The host name is not known. Check the region and AWS_ENDPOINT_URL_LAMBDA.',
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

// As the API's model has it. Anything else may be a command for the shell that the advice is pasted into.
const EXECUTION_ARN =
  /^arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:function:[a-zA-Z0-9_-]+:(?:\$LATEST(?:\.PUBLISHED)?|\d+)\/durable-execution\/[a-zA-Z0-9_-]+\/[a-zA-Z0-9_-]+$/;

/** Commands around an execution; without one where its ARN is not of AWS's form. */
function commandsOn(arn: string, again: string): string {
  if (!EXECUTION_ARN.test(arn)) return `See how the execution ends in the Lambda console.\n${again}`;
  // In single quotes, as a shell would take $LATEST for a variable.
  const command = (action: string): string =>
    `aws lambda ${action}-durable-execution --durable-execution-arn '${arn}'`;
  return `See how it ends: ${command('get')}\n${again}\nTo end it: ${command('stop')}`;
}

/** What to do about a durable execution that was started and not followed to its end. */
function adviseOnUnfollowed({ failure, invocation }: Case, arn: string): string {
  if (failure.name === 'AccessDeniedException') {
    // The ARN of the version that runs it, without the execution.
    return failure.message.includes('explicit deny')
      ? denied({ failure })
      : allow(FOLLOW, arn.split('/', 1)[0] ?? '');
  }
  const again =
    invocation.durableExecutionName === undefined
      ? 'With a durable_execution_name, running this step again would join the execution.'
      : 'Run this step again with the same durable_execution_name and payload to join it.';
  return commandsOn(arn, again);
}

/** What a user can do about a failure: a sentence or a few, never empty. */
export function adviseOn(the: Case): string {
  const { failure } = the;
  if (failure.durableExecutionArn !== undefined) return adviseOnUnfollowed(the, failure.durableExecutionArn);
  switch (failure.proof) {
    case 'may_have_run':
      return `Look at the function’s log before you run this again${whereToLook(the)}\nIf the function may safely run twice, retry: idempotent sends such an invocation again.`;
    case 'ran':
      return `The function’s own code ran. Look at its log${whereToLook(the)}`;
    case 'never_ran': {
      const named = Object.hasOwn(BY_NAME, failure.name) && BY_NAME[failure.name];
      if (typeof named === 'string') return named;
      if (named) return named(the);
      if (failure.throughProxy) return PROXY;
      return failure.statusCode === undefined
        ? 'Check the region, AWS_ENDPOINT_URL_LAMBDA and the network of the runner.'
        : MEND;
    }
    default:
      return failure.proof satisfies never;
  }
}
