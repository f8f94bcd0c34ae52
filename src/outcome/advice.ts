import type { Failure } from '../lambda/invocation.ts';

/** What the job can tell about its credentials. */
export type JobFacts = Readonly<{ eventName: string; hasOidc: boolean }>;

const CREDENTIALS_STEP =
  'Add a step with aws-actions/configure-aws-credentials and role-to-assume before this one';

function credentialsAdvice(job: JobFacts): string {
  const fork = job.eventName.startsWith('pull_request')
    ? ' A pull request from a fork has neither secrets nor an OIDC token.'
    : '';
  return job.hasOidc
    ? `${CREDENTIALS_STEP}.${fork}`
    : `${CREDENTIALS_STEP}, and to the job:\npermissions:\n  id-token: write\n  contents: read\n${fork.trim()}`.trim();
}

type Advise = (failure: Failure, job: JobFacts) => string;

const BY_NAME: Readonly<Record<string, Advise>> = {
  RegionMissing: () =>
    'Set the input region, or AWS_REGION, or give function_name as an ARN. aws-actions/configure-aws-credentials sets it too (aws-region).',
  CredentialsProviderError: (_, job) => credentialsAdvice(job),
  TokenProviderError: (_, job) => credentialsAdvice(job),
  ExpiredTokenException: () =>
    'The credentials were good and are too old now. Run aws-actions/configure-aws-credentials shortly before this step, or raise its role-duration-seconds.',
  UnrecognizedClientException: () =>
    'AWS does not know this access key or session token. Check the secrets of the step that sets them; all three values must be of one session.',
  InvalidSignatureException: () =>
    'Check that AWS_SECRET_ACCESS_KEY belongs to AWS_ACCESS_KEY_ID and, on a self-hosted runner, that its clock is right.',
  AccessDeniedException: () =>
    'Allow lambda:InvokeFunction on this resource for the role. With a qualifier a policy needs both function:NAME and function:NAME:*. An explicit deny has to be removed instead.',
  ResourceNotFoundException: () =>
    'Check the name, the qualifier, the region and the account of the credentials.',
  TooManyRequestsException: () =>
    'The concurrency or the rate limit was reached. Raise the function’s reserved concurrency or the account’s limit, or try later.',
  ResourceConflictException: () =>
    'The function is being created or updated. Wait for it: aws lambda wait function-active-v2.',
};

const CONNECTION_ADVICE = 'Check the region, AWS_ENDPOINT_URL_LAMBDA and the proxy settings of the job.';

/** What a user can do about a failure: one or a few sentences, never empty. */
export function adviseOn(failure: Failure, job: JobFacts): string {
  const named = BY_NAME[failure.name];
  if (named) return named(failure, job);
  switch (failure.proof) {
    case 'may_have_run':
      return 'Look at the function’s log before you run this again.';
    case 'ran':
      return 'Look at the function’s log; it ran.';
    case 'never_ran':
      return failure.statusCode === undefined
        ? CONNECTION_ADVICE
        : 'Nothing was run. Mend what the message says and run the job again.';
    default:
      return failure.proof satisfies never;
  }
}
