import type { Invocation, InvokeFailure } from '../lambda/invocation.ts';
import type { RetryPolicy } from '../lambda/retry-policy.ts';
import { isExecutionArn } from '../shared/arn.ts';
import { FORK_ADVICE } from '../shared/fork-advice.ts';
import { isUuid } from '../shared/text.ts';
import { adviseOnEvent } from './event-advice.ts';
import { type LogLocation, requestUrl, sentUrl } from './links.ts';
import { adviseOnNotFound } from './not-found-advice.ts';
import { INVOKE_ACTION, statementOn } from './permission/fix.ts';
import { readPermission } from './permission/reading.ts';
import { adviseOnBlockedAction, fixInText } from './permission/wording.ts';

/** Facts about the job's credentials and settings. */
export type JobFacts = Readonly<{
  eventName: string;
  hasOidc: boolean;
  /** Whether the run is for a pull request from a fork. Absent if nothing says so. */
  isFork?: boolean;
  /** Which failures the step retries. */
  retry?: RetryPolicy;
  /** The endpoint variables that are set. The first one is used. */
  aws?: Readonly<{ endpoints: readonly Readonly<{ variable: string }>[] }>;
}>;

/** A failed invocation, with everything that the advice depends on. */
type FailedInvocation = Readonly<{
  failure: InvokeFailure;
  invocation: Invocation;
  region: string | undefined;
  logGroup?: string | undefined;
  /** The request ID in the function's log, if the log shows the request. */
  loggedAs?: string | undefined;
  job: JobFacts;
}>;

type Advise = (failed: FailedInvocation) => string;

/** A row applies to failures with one of its names. If it has a pattern, the message must match too. */
type FailureAdvice = Readonly<{
  names: readonly string[];
  message?: RegExp;
  advice: string | Advise;
}>;

const FIX_AND_RERUN = 'Fix the problem above and re-run the job.';
const RERUN_LATER = 'Re-run the job later, or raise retry_seconds.';
const CHECK_PROXY = 'Check the proxy in HTTPS_PROXY or HTTP_PROXY. To bypass it, add the host to NO_PROXY.';
const CHECK_CREDENTIALS_SOURCE = 'Check where the runner gets its AWS credentials from.';
const TRUST_ISSUER =
  "Node.js does not trust the certificate's issuer, as with a proxy that inspects TLS. Set NODE_EXTRA_CA_CERTS to the path of a PEM file with the issuer's CA certificate, in env of the step or the job.";

/** The variable for the endpoint: the one that is set, or the one to set. */
const endpointVariable = ({ job }: FailedInvocation): string =>
  job.aws?.endpoints[0]?.variable ?? 'AWS_ENDPOINT_URL_LAMBDA';
const checkNetwork: Advise = (failed) =>
  `Check the region, ${endpointVariable(failed)} and the runner's network.`;
const checkWhoResponds: Advise = (failed) =>
  `Check ${endpointVariable(failed)}, and the proxy or firewall between the runner and Lambda.`;

// The first row that applies is taken, so a row with a pattern is above the row of the same name without one. Every
// error of the Invoke API's model is here, or its advice follows from whether the function ran. This action writes the
// messages that begin with "Could not get credentials". The other messages are Lambda's.
const ADVICE_BY_NAME: readonly FailureAdvice[] = [
  // Credentials and region
  {
    names: ['RegionMissing'],
    advice:
      'Set the input region or AWS_REGION, or give function_name as an ARN. aws-actions/configure-aws-credentials sets AWS_REGION too (aws-region).',
  },
  {
    names: ['CredentialsProviderError', 'TokenProviderError', 'MissingAuthenticationTokenException'],
    advice: adviseOnMissingCredentials,
  },
  {
    names: ['CredentialsUnavailable'],
    message: /self-signed certificate|issuer certificate|verify the first certificate/,
    advice: TRUST_ISSUER,
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from STS \(AssumeRoleWithWebIdentity\): (?:Access|InvalidIdentity)/,
    advice:
      "Check the role's trust policy: it has to allow sts:AssumeRoleWithWebIdentity for this repository and the branch, tag or environment of the run.",
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from STS [^:]{1,40}: Access/,
    advice:
      "Check the role's trust policy, and that the caller is allowed to perform sts:AssumeRole on the role.",
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from STS /,
    advice:
      'Check that the runner can reach STS: AWS_REGION, AWS_ENDPOINT_URL_STS, the proxy, and in a private network the VPC endpoint for STS.',
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from credential_process/,
    advice:
      'Run the command that credential_process names in the AWS config file on the runner, as the user of the job, to see why it fails.',
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from the container/,
    advice:
      'Check AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, its authorization token, and that the endpoint responds on the runner.',
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from the web identity token file/,
    advice: 'Check AWS_WEB_IDENTITY_TOKEN_FILE: it has to be the path of a file that the job can read.',
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from IAM Identity Center/,
    advice: 'Sign in again on the runner (aws sso login), or use a role that the job can assume.',
  },
  {
    names: ['CredentialsUnavailable'],
    message: /^Could not get credentials from the AWS profile/,
    advice: 'Check AWS_PROFILE, and that profile in the AWS config and credentials files of the runner.',
  },
  { names: ['CredentialsUnavailable'], advice: CHECK_CREDENTIALS_SOURCE },
  {
    names: ['DeadlineExceeded'],
    message: /^Could not get credentials/,
    advice: CHECK_CREDENTIALS_SOURCE,
  },
  { names: ['DeadlineExceeded'], advice: checkNetwork },
  {
    names: ['ExpiredTokenException'],
    advice:
      'The credentials have expired. Run aws-actions/configure-aws-credentials shortly before this step, or raise its role-duration-seconds.',
  },
  {
    names: ['UnrecognizedClientException', 'IncompleteSignatureException'],
    advice:
      'AWS does not know this access key or session token. Check the secrets of the step that sets them: all three values have to be from one session.',
  },
  {
    names: ['InvalidSignatureException'],
    message: /scoped to a valid region/,
    advice: (failed) =>
      `The endpoint is in another region than the one that the request was signed for. Check the region and ${endpointVariable(failed)}.`,
  },
  {
    names: ['InvalidSignatureException'],
    advice:
      'Check that AWS_SECRET_ACCESS_KEY belongs to AWS_ACCESS_KEY_ID and, on a self-hosted runner, that its clock is right.',
  },
  { names: ['RequestTimeTooSkewed'], advice: "Set the runner's clock." },
  { names: ['AccessDeniedException'], advice: adviseOnDenial },

  // The request
  {
    names: ['InvalidParameterValueException'],
    message: /is enabled with tenancy configuration/,
    advice: 'Set tenant_id.',
  },
  {
    names: ['InvalidParameterValueException'],
    message: /is not enabled with tenancy configuration/,
    advice: 'Remove tenant_id.',
  },
  {
    names: ['InvalidParameterValueException'],
    message: /Tail logs are not supported/,
    advice: 'Remove log_type: Tail, or set retry: safe, which retries without the log tail.',
  },
  {
    names: ['InvalidParameterValueException'],
    message: /durable function using an unqualified ARN/,
    advice: 'A durable function needs a qualifier: set qualifier to its version or alias, or to $LATEST.',
  },
  {
    names: ['InvalidParameterValueException'],
    message: /synchronously invoke a durable function/,
    advice:
      'Set invocation_type: Event, which only starts it. To follow it to its end, set wait_for_durable_execution: true.',
  },
  {
    names: ['ResourceNotFoundException'],
    advice: ({ failure, ...asked }) => adviseOnNotFound({ ...asked, message: failure.message }),
  },
  {
    names: [
      'RequestEntityTooLargeException',
      'RequestTooLargeException',
      'SerializedRequestEntityTooLargeException',
    ],
    advice: 'Put the data where the function can fetch it, for example in S3, and send its location.',
  },
  {
    names: ['DurableExecutionAlreadyStartedException'],
    advice:
      'A durable execution with this name was started with another payload. Use another name, or the same payload.',
  },
  { names: ['NoPublishedVersionException'], advice: 'Publish a version of the function first.' },
  {
    names: ['RecursiveInvocationException'],
    advice:
      'Lambda detected a loop between the function and other services and stopped it. Check where the function sends its output.',
  },

  // Limits
  { names: ['TooManyRequestsException'], advice: adviseOnThrottle },
  {
    names: ['Throttling', 'ThrottlingException'],
    advice: `The account sends too many requests in this region. ${RERUN_LATER}`,
  },
  {
    names: ['ServiceQuotaExceededException'],
    advice: 'Request a higher quota from AWS, or delete what is not needed.',
  },
  {
    names: ['EBUSY', 'EMFILE', 'ENFILE'],
    advice: 'The runner has no file descriptors left. Raise the limit (ulimit -n) or lower max_concurrency.',
  },
  {
    names: ['ENOBUFS', 'ENOMEM'],
    advice:
      'The runner has no memory left for another connection. Lower max_concurrency, or use a larger runner.',
  },

  // The function's state and configuration
  {
    names: ['ResourceConflictException'],
    message: /in the following state: '?Failed/,
    advice:
      "The function is in state Failed and can't be invoked until that is fixed: aws lambda get-function-configuration shows the StateReason. Fix it and deploy the function again.",
  },
  {
    names: ['ResourceConflictException'],
    advice: 'The function is being created or updated. Set wait_until_ready: true to wait for it.',
  },
  { names: ['NotReady'], advice: 'Raise timeout_seconds, or check why the deployment takes so long.' },
  {
    names: ['ProvisionedConcurrencyFailed'],
    advice:
      'Fix the cause, then configure the provisioned concurrency again: aws lambda get-provisioned-concurrency-config shows its state.',
  },
  { names: ['FunctionFailed'], advice: 'Fix the problem above and deploy the function again.' },
  {
    names: ['CodeArtifactUserPendingException'],
    advice: `An idle function is waking up, which can take two minutes. ${RERUN_LATER}`,
  },
  {
    names: ['SnapStartNotReadyException'],
    advice: `Lambda is still creating the snapshot of this version. ${RERUN_LATER}`,
  },
  {
    names: ['SnapStartRegenerationFailureException'],
    advice: 'Lambda could not create a new snapshot. Publish the version again.',
  },
  {
    names: ['ResourceNotReadyException'],
    advice: `The function's resources are not ready. ${RERUN_LATER}`,
  },
  {
    names: ['ENINotReadyException'],
    advice: `The function's network interface is not ready. ${RERUN_LATER}`,
  },
  {
    names: ['EC2ThrottledException'],
    advice: `EC2 throttled Lambda while it set up the function. ${RERUN_LATER}`,
  },
  {
    names: [
      'CodeArtifactUserDeletedException',
      'CodeArtifactUserFailedException',
      'InvalidRuntimeException',
      'InvalidZipFileException',
    ],
    advice: "Check the function's configuration and deploy it again.",
  },
  {
    names: ['EC2AccessDeniedException'],
    advice:
      "The function's execution role is not allowed to create network interfaces in its VPC. Attach AWSLambdaVPCAccessExecutionRole to it.",
  },
  {
    names: ['EC2UnexpectedException', 'InvalidSecurityGroupIDException', 'InvalidSubnetIDException'],
    advice: "Check the subnets and security groups in the function's VPC configuration.",
  },
  {
    names: ['ENILimitReachedException'],
    advice: "The account has no network interfaces left for the function's VPC. Raise that quota.",
  },
  {
    names: ['SubnetIPAddressLimitReachedException'],
    advice: "The function's subnets have no free addresses. Add a subnet.",
  },
  {
    names: [
      'KMSAccessDeniedException',
      'KMSDisabledException',
      'KMSInvalidStateException',
      'KMSNotFoundException',
    ],
    advice:
      "Lambda could not decrypt the function's environment variables. Check the state of its KMS key, and that the execution role is allowed to use it.",
  },
  {
    names: [
      'EFSMountConnectivityException',
      'EFSMountFailureException',
      'EFSMountTimeoutException',
      'S3FilesMountConnectivityException',
      'S3FilesMountFailureException',
      'S3FilesMountTimeoutException',
    ],
    advice:
      'The function could not mount its file system. Check the mount target, its security group and the execution role.',
  },

  // The way to Lambda
  {
    names: ['Cancelled'],
    advice: 'No action needed. Re-run the job when you want it to run.',
  },
  {
    names: ['JournalNotWritten'],
    advice:
      'An invocation is sent only after it is recorded. Check the disk space of the runner and re-run the job.',
  },
  {
    names: ['PayloadNotRead'],
    advice:
      'An event is sent only if it has not changed since it was checked. Do not write to the file while the step runs, and re-run the job.',
  },
  {
    names: ['StoppedOnFailure'],
    advice: 'Fix the failure and re-run the job.',
  },
  {
    names: ['ERR_PROXY_TUNNEL'],
    advice:
      'The proxy in HTTPS_PROXY blocked the connection. Check its address and credentials, and that it allows the Lambda endpoint. To bypass it, add the host to NO_PROXY.',
  },
  {
    names: ['HTTP 407'],
    advice:
      'The proxy requires credentials. Add them to HTTP_PROXY (http://user:password@host:port), from a secret.',
  },
  {
    names: ['ENOTFOUND'],
    advice: (failed) =>
      failed.failure.throughProxy
        ? CHECK_PROXY
        : `The host name does not exist. Check the region and ${endpointVariable(failed)}.`,
  },
  {
    names: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    advice:
      "The certificate of the endpoint or the proxy is expired or not valid yet. Renew it, or check the runner's clock.",
  },
  {
    names: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    advice: 'The certificate is for another host name. Check the endpoint, and the proxy if there is one.',
  },
  {
    names: [
      'CERT_UNTRUSTED',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    advice: TRUST_ISSUER,
  },
];

const CREDENTIALS_STEP =
  'Add a step with aws-actions/configure-aws-credentials and role-to-assume before this one';

function adviseOnMissingCredentials({ job }: FailedInvocation): string {
  if (job.isFork) return FORK_ADVICE;
  // A workflow that pull_request_target triggers runs with the secrets of the base repository.
  const mayBeFork =
    job.isFork === undefined &&
    job.eventName.startsWith('pull_request') &&
    job.eventName !== 'pull_request_target';
  return [
    ...(job.hasOidc
      ? [`${CREDENTIALS_STEP}.`]
      : [`${CREDENTIALS_STEP}, and to the job:`, 'permissions:', '  id-token: write', '  contents: read']),
    ...(mayBeFork ? ['A pull request from a fork has no secrets and no OIDC token.'] : []),
  ].join('\n');
}

function adviseOnThrottle({ failure }: FailedInvocation): string {
  return failure.reason?.startsWith('Reserved')
    ? `The function's own reserved concurrency is used up (${failure.reason}). Raise it. ${RERUN_LATER}`
    : `The account's concurrency or rate limit in this region is used up. Request a higher quota from AWS. ${RERUN_LATER}`;
}

const DENIED_ACTION = /not authorized to perform:? ([a-z0-9-]{1,40}:[A-Za-z0-9*]{1,80})/;

const deniedAction = ({ message }: InvokeFailure): string =>
  DENIED_ACTION.exec(message)?.[1] ?? INVOKE_ACTION;

/** The statement for the caller's policy that allows actions other than the invocation. */
function adviseToAllow(actions: readonly string[], message: string): string {
  const isOnFunction = actions.every((action) => action.startsWith('lambda:'));
  if (!isOnFunction) return `Allow ${actions.join(' and ')} in the caller's policy.`;
  const statement = statementOn(message, actions);
  const what = `Allow ${actions.join(' and ')} on the function in the caller's policy`;
  return statement === undefined ? `${what}.` : `${what}. Add this statement:\n${statement}`;
}

function adviseOnDenial({ failure, invocation, region }: FailedInvocation): string {
  const action = deniedAction(failure);
  if (action !== INVOKE_ACTION) {
    return adviseOnBlockedAction(failure.message, action) ?? adviseToAllow([action], failure.message);
  }
  const { name, qualifier: ownQualifier } = invocation.reference;
  const qualifier = invocation.qualifier ?? ownQualifier;
  const target = {
    function_name: name,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
  };
  return fixInText(readPermission({ ...target, error: failure })) || FIX_AND_RERUN;
}

function adviseOnRefusal(failed: FailedInvocation): string {
  const { failure } = failed;
  const row = ADVICE_BY_NAME.find(
    ({ names, message }) => names.includes(failure.name) && (message?.test(failure.message) ?? true),
  );
  if (row !== undefined) return typeof row.advice === 'string' ? row.advice : row.advice(failed);
  if (failure.throughProxy) return CHECK_PROXY;
  if (failure.name.startsWith('HTTP ')) return checkWhoResponds(failed);
  return failure.statusCode === undefined ? checkNetwork(failed) : FIX_AND_RERUN;
}

/** A link to the log of the period in which the function can have run; undefined if nothing was sent. */
function linkToPeriod({ sentAt }: InvokeFailure, place: LogLocation): string | undefined {
  if (sentAt === undefined) return undefined;
  const sent = sentAt.getTime();
  return sentUrl(place, { from: sent, to: sent });
}

/**
 * Links to the log that shows whether the function ran: by request ID, and also by time if no response of Lambda shows
 * that it uses our ID.
 */
function linkToLog({ failure, invocation, region, logGroup, loggedAs }: FailedInvocation): string {
  if (region === undefined) return '.';
  const place = { functionName: invocation.reference.name, region, logGroup };
  const { sentAs = '', foreignText } = failure;
  const requestId = loggedAs ?? failure.requestId ?? sentAs;
  const byTime = linkToPeriod(failure, place);
  if (!isUuid(requestId)) return byTime === undefined ? '.' : `: ${byTime}`;
  const byId = `: ${requestUrl({ ...place, requestId })}`;
  const isTaken = failure.requestId !== undefined && foreignText === undefined;
  const isConfirmed = loggedAs !== undefined || isTaken;
  if (isConfirmed || byTime === undefined) return byId;
  return `${byId}\nIf that page is empty, check the log of that time: ${byTime}`;
}

const FOLLOW_ACTIONS = ['lambda:GetDurableExecution', 'lambda:GetDurableExecutionHistory'];

/** A command for an execution. Its ARN is in single quotes, because a shell would expand $LATEST as a variable. */
export const executionCommand = (verb: 'get' | 'stop', arn: string): string =>
  `aws lambda ${verb}-durable-execution --durable-execution-arn '${arn}'`;

/** Advice on a durable execution that on_cancel stopped. */
function adviseOnStopped({ durableExecutionName: name }: Invocation, arn: string): string {
  const see = isExecutionArn(arn)
    ? `To see how far it came: ${executionCommand('get', arn)}`
    : 'See how far the execution came in the Lambda console.';
  return name === undefined
    ? see
    : `${see}\nTo start another execution, use another durable_execution_name: with this name, Lambda returns the stopped execution.`;
}

/** Advice on a durable execution that was started and not followed to its end. */
function adviseOnUnfollowed({ failure, invocation }: FailedInvocation, arn: string): string {
  if (failure.name === 'AccessDeniedException') {
    // The part before the first slash is the ARN of the version that runs the execution.
    const [version = ''] = arn.split('/', 1);
    return (
      adviseOnBlockedAction(failure.message, deniedAction(failure)) ?? adviseToAllow(FOLLOW_ACTIONS, version)
    );
  }
  if (failure.executionStop === 'stopped') return adviseOnStopped(invocation, arn);
  const join =
    invocation.durableExecutionName === undefined
      ? 'To join an execution from a later run of this step, set durable_execution_name.'
      : 'Run this step again with the same durable_execution_name and payload to join it.';
  if (!isExecutionArn(arn)) return `See how the execution ends in the Lambda console.\n${join}`;
  return [
    `To see how it ends: ${executionCommand('get', arn)}`,
    join,
    ...(failure.executionStop === 'ended before' ? [] : [`To stop it: ${executionCommand('stop', arn)}`]),
  ].join('\n');
}

/** Advice on an invocation that the journal does not run again until the user has decided. */
const adviseOnJournal = (failed: FailedInvocation, key: string): string =>
  [
    `Check the function's log${linkToLog(failed)}`,
    `If the function did not run, or it is safe for it to run twice, delete the lines with ${key} from the journal, or set retry: idempotent for one run.`,
  ].join('\n');

/** How to prevent an unknown outcome, as a line of its own; empty if nothing in the step prevents it. */
function preventionOf({ failure, job }: FailedInvocation): string {
  // No policy retries after the deadline, because it is one for all attempts.
  if (failure.name === 'DeadlineExceeded')
    return "\nIf the function needs more time, set timeout_seconds to more than the function's own timeout.";
  if (failure.name === 'Cancelled') return '';
  return job.retry === 'idempotent'
    ? '\nTo retry for longer, raise retry_seconds.'
    : '\nIf it is safe for the function to run twice, set retry: idempotent.';
}

/** Advice on an invocation that may have run. For a dry run, that means that it got the response of an invocation. */
const adviseOnUncertain = (failed: FailedInvocation): string =>
  failed.invocation.invocationType === 'DryRun'
    ? `This is not a response to a dry run, so the function may have run. Check its log${linkToLog(failed)}\nCheck ${endpointVariable(failed)}: emulators can invoke the function on a dry run.`
    : `Check the function's log before you retry${linkToLog(failed)}${preventionOf(failed)}`;

/** Says what a user can do about a failure, in a job that is known. */
export type JobAdvice = (failed: Omit<FailedInvocation, 'job'>) => string;

/** The advice in a job. */
export const adviceFor =
  (job: JobFacts): JobAdvice =>
  (failed) =>
    adviseOn({ ...failed, job });

/** What a user can do about a failure: a sentence or a few, never empty. */
export function adviseOn(failed: FailedInvocation): string {
  const { failure } = failed;
  if (failure.durableExecutionArn !== undefined) {
    return adviseOnUnfollowed(failed, failure.durableExecutionArn);
  }
  if (failure.journalKey !== undefined) return adviseOnJournal(failed, failure.journalKey);
  if (failure.event !== undefined) {
    const { invocation, region } = failed;
    const functionName = invocation.reference.name;
    return adviseOnEvent(failure.event, { functionName, region, link: linkToLog(failed) });
  }
  switch (failure.evidence) {
    case 'may_have_run':
      return adviseOnUncertain(failed);
    case 'ran':
      return `The function's own code ran. Check its log${linkToLog(failed)}`;
    case 'did_not_run':
      return adviseOnRefusal(failed);
    default:
      return failure.evidence satisfies never;
  }
}
