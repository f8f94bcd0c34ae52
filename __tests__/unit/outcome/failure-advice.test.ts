import { describe, expect, test } from '@jest/globals';
import type { InvokeFailure } from '../../../src/lambda/invocation.ts';
import { adviseOn, type JobFacts } from '../../../src/outcome/failure-advice.ts';
import { CLASSES_BY_NAME } from '../../failure-classes.ts';
import { heavyTest } from '../../heavy.ts';
import { failure, invocation, REQUEST_ID } from './factory.ts';

const PUSH: JobFacts = { eventName: 'push', hasOidc: false };
const FORK = 'A pull request from a fork has no secrets and no OIDC token.';
const FIX = 'Fix the problem above and re-run the job.';
const PERMISSION = 'permissions:\n  id-token: write\n';
const SENT_AT = new Date('2026-01-02T03:04:05.678Z');

const advise = (given: Partial<InvokeFailure>, job: JobFacts = PUSH): string =>
  adviseOn({ failure: failure(given), invocation: invocation(), region: 'eu-west-1', job });

/** Advice for a failure without a response, and therefore without a status. */
function adviseWithoutResponse(given: Partial<InvokeFailure>): string {
  const { statusCode: _, ...lost } = failure(given);
  return adviseOn({ failure: lost, invocation: invocation(), region: 'eu-west-1', job: PUSH });
}

describe('advice', () => {
  test.each(Object.entries(CLASSES_BY_NAME))('is at least one sentence for %s', (name, { evidence }) => {
    expect(advise({ name, evidence, requestId: REQUEST_ID })).toMatch(/^[A-Z][\s\S]{20,}$/);
  });

  test.each(['may_have_run', 'ran'] as const)(
    'after a failure that proves %s mentions no link if there is none',
    (evidence) => {
      const nowhere = {
        failure: failure({ evidence }),
        invocation: invocation(),
        region: undefined,
        job: PUSH,
      };
      expect(adviseOn(nowhere)).not.toMatch(/:$/m);
    },
  );

  test.each([
    ['RegionMissing', 'Set the input region or AWS_REGION'],
    ['AccessDeniedException', 'on both ARNs, with and without it'],
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
  ])('for %s has a fix', (name, essential) => {
    expect(advise({ name })).toContain(essential);
  });

  test('for a signature for another region names the region and the endpoint', () => {
    const message = "Credential should be scoped to a valid region, not 'eu-west-1'.";
    expect(advise({ name: 'InvalidSignatureException', message })).toContain(
      'Check the region and AWS_ENDPOINT_URL',
    );
  });

  test.each([
    ['EBUSY', 'ulimit -n'],
    ['EMFILE', 'ulimit -n'],
    ['ENFILE', 'ulimit -n'],
    ['ENOBUFS', 'memory'],
    ['ENOMEM', 'memory'],
  ])('for a runner without free resources for a connection, %s, names the resource', (name, word) => {
    const advice = advise({ name, evidence: 'did_not_run' });
    expect(advice).toContain(word);
    expect(advice).toContain('max_concurrency');
  });

  test.each([
    ['ReservedFunctionConcurrentInvocationLimitExceeded', "The function's own reserved concurrency"],
    ['ReservedFunctionInvocationRateLimitExceeded', "The function's own reserved concurrency"],
    ['ConcurrentInvocationLimitExceeded', "The account's concurrency"],
    ['CallerRateLimitExceeded', "The account's concurrency"],
    [undefined, "The account's concurrency"],
  ])('for throttling by %s names the limit', (reason, essential) => {
    const name = 'TooManyRequestsException';
    expect(advise({ name, ...(reason !== undefined && { reason }) })).toContain(essential);
  });

  test('for an unknown rejection refers to its message', () => {
    expect(advise({ name: 'NewException', statusCode: 400 })).toBe(FIX);
  });

  test('after a failure that may have run warns about a second run and links to the log', () => {
    const advice = advise({ name: 'NewException', evidence: 'may_have_run', requestId: REQUEST_ID });
    expect(advice).toMatch(
      new RegExp(`^Check the function's log before you retry: https://\\S+${REQUEST_ID}\\S+\\n`),
    );
    expect(advice).toContain('retry: idempotent');
  });

  test('after a dry run with the response of an invocation does not suggest a retry', () => {
    const lines = adviseOn({
      failure: failure({ name: 'BrokenResponse', evidence: 'may_have_run', requestId: REQUEST_ID }),
      invocation: invocation({ invocationType: 'DryRun' }),
      region: 'eu-west-1',
      job: PUSH,
    }).split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^This is not a response to a dry run, .* Check its log: https:\S+$/),
      'Check AWS_ENDPOINT_URL_LAMBDA: emulators can invoke the function on a dry run.',
    ]);
  });

  test('after a dry run with the response of an invocation names the configured endpoint', () => {
    const advice = adviseOn({
      failure: failure({ name: 'BrokenResponse', evidence: 'may_have_run', requestId: REQUEST_ID }),
      invocation: invocation({ invocationType: 'DryRun' }),
      region: 'eu-west-1',
      job: { ...PUSH, aws: { endpoints: [{ variable: 'AWS_ENDPOINT_URL' }] } },
    });
    expect(advice).toContain('Check AWS_ENDPOINT_URL: emulators');
  });

  test('after a failure that may have run links to the possible time of the run if it has no ID', () => {
    expect(advise({ name: 'ECONNRESET', evidence: 'may_have_run', sentAt: SENT_AT })).toContain(
      '/log-events$3Fstart$3D1767322985678$26end$3D1767323945678\n',
    );
  });

  test.each<[string, Partial<InvokeFailure>]>([
    ['no response has it', {}],
    ["a page in Lambda's place reflects it", { requestId: REQUEST_ID, foreignText: '<html>' }],
  ])(
    'after a failure that may have run links to the ID that was sent, and to the time, where %s',
    (_, given) => {
      const lines = advise({
        ...{ name: 'ECONNRESET', evidence: 'may_have_run', sentAt: SENT_AT, sentAs: REQUEST_ID },
        ...given,
      }).split('\n');
      expect(lines).toEqual([
        expect.stringMatching(
          new RegExp(`^Check the function's log before you retry: https://\\S+${REQUEST_ID}\\S+$`),
        ),
        expect.stringMatching(
          /^If that page is empty, check the log of that time: https:\S+start\$3D1767322985678\$26end\$3D1767323945678$/,
        ),
        'If it is safe for the function to run twice, set retry: idempotent.',
      ]);
    },
  );

  test('after a failure that may have run links to the ID alone, where Lambda took it', () => {
    const ids = { sentAs: REQUEST_ID, requestId: REQUEST_ID };
    const advice = advise({ name: 'ServiceException', evidence: 'may_have_run', sentAt: SENT_AT, ...ids });
    expect(advice).not.toContain('If that page is empty');
  });

  test('after the deadline does not suggest a retry, because no time is left for one', () => {
    const advice = advise({ name: 'DeadlineExceeded', evidence: 'may_have_run', sentAt: SENT_AT });
    expect(advice).toContain('set timeout_seconds to more than');
    expect(advice).not.toContain('idempotent');
  });

  test('after a lost response suggests what the step does not do yet', () => {
    const lost = { name: 'ECONNRESET', evidence: 'may_have_run', sentAt: SENT_AT } as const;
    expect(advise(lost, { ...PUSH, retry: 'safe' })).toMatch(/, set retry: idempotent\.$/);
    expect(advise(lost, { ...PUSH, retry: 'idempotent' })).toMatch(
      /\nTo retry for longer, raise retry_seconds\.$/,
    );
  });

  test('after a cancellation suggests no retry', () => {
    const advice = advise({ name: 'Cancelled', evidence: 'may_have_run', sentAt: SENT_AT });
    expect(advice).toMatch(/^Check the function's log before you retry/);
    expect(advice).not.toMatch(/idempotent|retry_seconds/);
  });

  test('does not link an ID that is not from Lambda', () => {
    expect(advise({ evidence: 'may_have_run', requestId: 'https://evil.example' })).not.toContain('evil');
  });

  test("after a failure in the function's code says that it ran", () => {
    const advice = advise({ name: 'EFSIOException', evidence: 'ran', requestId: REQUEST_ID });
    expect(advice).toMatch(/^The function's own code ran\. Check its log: https:\S+$/);
    expect(advice).not.toContain('idempotent');
  });

  test('for a failed connection names the settings that decide its target', () => {
    expect(adviseWithoutResponse({ name: 'ECONNREFUSED' })).toBe(
      "Check the region, AWS_ENDPOINT_URL_LAMBDA and the runner's network.",
    );
    expect(adviseWithoutResponse({ name: 'ECONNREFUSED', throughProxy: true })).toBe(
      'Check the proxy in HTTPS_PROXY or HTTP_PROXY. To bypass it, add the host to NO_PROXY.',
    );
  });

  test.each(['constructor', 'toString'])('on an error that is called %s is a text', (name) => {
    expect(advise({ name })).toBe(FIX);
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

    test('shows the missing permission only if it is missing', () => {
      expect(advise({ name }, { eventName: 'push', hasOidc: false })).toContain(PERMISSION);
      expect(advise({ name }, { eventName: 'push', hasOidc: true })).not.toContain('id-token');
    });

    test.each([true, false])('explains forks on a pull request (OIDC token: %s)', (hasOidc) => {
      expect(advise({ name }, { eventName: 'pull_request', hasOidc })).toContain(FORK);
    });

    test('starts with the fork if it is known that the pull request is from one', () => {
      const fork = { eventName: 'pull_request', hasOidc: false };
      const advice = advise({ name }, { ...fork, isFork: true });
      expect(advice).toMatch(/^This pull request is from a fork\. .* no secrets and no OIDC token/);
      expect(advice.split('\n')).toContain('if: github.event.pull_request.head.repo.fork == false');
      expect(advice).not.toContain('id-token');
      expect(advise({ name }, { ...fork, isFork: false })).not.toContain('fork');
    });

    test.each(['push', 'workflow_dispatch', 'schedule', 'pull_request_target'])(
      'does not mention forks on %s, which has the secrets of the repository',
      (eventName) => {
        for (const hasOidc of [true, false]) {
          expect(advise({ name }, { eventName, hasOidc })).not.toContain('fork');
        }
      },
    );
  },
);

describe('advice for a denied action other than invoking', () => {
  const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:my-function';
  const denied = (action: string, resource = ARN): string =>
    `User: arn:aws:sts::123456789012:assumed-role/deploy/x is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  const statement = (...Action: string[]): string =>
    JSON.stringify({ Effect: 'Allow', Action, Resource: [ARN, `${ARN}:*`] });

  test('has the statement to add', () => {
    const message = denied('lambda:GetFunctionConfiguration', `${ARN}:live`);
    expect(advise({ name: 'AccessDeniedException', message }).split('\n')).toEqual([
      "Allow lambda:GetFunctionConfiguration on the function in the caller's policy. Add this statement:",
      statement('lambda:GetFunctionConfiguration'),
    ]);
  });

  test('names the action if the message names no function', () => {
    const message = denied('lambda:GetFunctionConfiguration', 'x');
    expect(advise({ name: 'AccessDeniedException', message })).toBe(
      "Allow lambda:GetFunctionConfiguration on the function in the caller's policy.",
    );
  });

  test('for following has both actions, on the function of the execution', () => {
    const durableExecutionArn = `${ARN}:1/durable-execution/order-7/id`;
    const message = denied('lambda:GetDurableExecution', durableExecutionArn);
    const advice = advise({ name: 'AccessDeniedException', message, evidence: 'ran', durableExecutionArn });
    expect(advice.split('\n')[1]).toBe(
      statement('lambda:GetDurableExecution', 'lambda:GetDurableExecutionHistory'),
    );
  });
});

describe('advice on a durable function', () => {
  test.each([
    [
      'You cannot invoke a durable function using an unqualified ARN.',
      'set qualifier to its version or alias',
    ],
    [
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
      'invocation_type: Event',
    ],
  ])('that was rejected with %j', (message, essential) => {
    expect(advise({ name: 'InvalidParameterValueException', message })).toContain(essential);
  });

  const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST/durable-execution/order-7/id';
  const lost = (durableExecutionArn: string, durableExecutionName?: string): string =>
    adviseOn({
      failure: failure({ evidence: 'ran', name: 'DeadlineExceeded', durableExecutionArn }),
      invocation: invocation(durableExecutionName === undefined ? {} : { durableExecutionName }),
      region: 'eu-west-1',
      job: PUSH,
    });

  test('that continues on its own says how to see its end, join it and stop it', () => {
    expect(lost(ARN, 'order-7').split('\n')).toEqual([
      `To see how it ends: aws lambda get-durable-execution --durable-execution-arn '${ARN}'`,
      'Run this step again with the same durable_execution_name and payload to join it.',
      `To stop it: aws lambda stop-durable-execution --durable-execution-arn '${ARN}'`,
    ]);
    expect(lost(ARN)).toContain('set durable_execution_name');
  });

  test.each(['arn:durable', `${ARN}'; rm -rf /'`, `${ARN} $(id)`, `${ARN}\n::error::x`, ''])(
    'puts no invalid ARN into a command: %j',
    (arn) => {
      expect(lost(arn, 'order-7').split('\n')).toEqual([
        'See how the execution ends in the Lambda console.',
        'Run this step again with the same durable_execution_name and payload to join it.',
      ]);
    },
  );
});

describe('advice on a denied invocation', () => {
  const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:my-function';
  const denied = (reason: string, arn = ARN): string =>
    advise({
      name: 'AccessDeniedException',
      message: `User: arn:aws:sts::123456789012:assumed-role/deploy/x is not authorized to perform: lambda:InvokeFunction on resource: ${arn}${reason}`,
    });
  const none = (policy: string): string => ` because no ${policy} allows the lambda:InvokeFunction action`;

  test('without an allowing identity-based policy has the statement to add', () => {
    expect(denied(none('identity-based policy')).split('\n')).toEqual([
      "Add this statement to the caller's policy:",
      `{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":["${ARN}"]}`,
    ]);
  });

  test.each([
    ['VPC endpoint policy', 'A VPC endpoint policy', "the VPC endpoint for Lambda in the runner's network"],
    ['permissions boundary', 'A permissions boundary', 'the permissions boundary of the role or user'],
    ['session policy', 'A session policy', 'inline-session-policy and managed-session-policies'],
    [
      'service control policy',
      'A service control policy',
      "service control policies of the caller's account",
    ],
    [
      'resource control policy',
      'A resource control policy',
      "resource control policies of the function's account",
    ],
  ])('without an allowing %s names that policy and suggests no other change', (policy, named, where) => {
    const advice = denied(none(policy));
    expect(advice).toContain(`${named} does not allow it.`);
    expect(advice).toContain('Allow lambda:InvokeFunction in it too.');
    expect(advice).toContain(where);
    expect(advice).not.toContain('statement');
  });

  test.each([
    ['in an identity-based policy', 'An identity-based policy explicitly denies it.'],
    ['in a VPC endpoint policy', 'A VPC endpoint policy explicitly denies it.'],
    ['', 'A policy explicitly denies it.'],
  ])('with an explicit deny %s says that no Allow can override it', (where, named) => {
    const advice = denied(` with an explicit deny ${where}`.trimEnd());
    expect(advice).toContain(`${named} An Allow cannot override a Deny: change the Deny.`);
    expect(advice).not.toContain('statement');
  });

  test('without an allowing resource-based policy in another account has the command for its owner', () => {
    const theirs = ARN.replace('123456789012', '210987654321');
    const advice = denied(none('resource-based policy'), theirs);
    expect(advice).toContain('The owner of the function runs:\naws lambda add-permission ');
    expect(advice).toContain(`"Resource":["${theirs}"]`);
  });

  test('without an allowing resource-based policy in the same account says that the statement is enough', () => {
    expect(denied(none('resource-based policy'))).toContain(
      'no resource-based policy allows it. Within one account the statement for the caller is enough.',
    );
  });

  test('without a reason names every policy that can cause it', () => {
    const advice = advise({ name: 'AccessDeniedException', message: 'AWS gave no reason' });
    expect(advice).toMatch(/Allow lambda:InvokeFunction on it.*VPC endpoint policy.*permissions boundary/);
  });

  test.each([
    ['kms:Decrypt', "Allow kms:Decrypt in the caller's policy."],
    [
      'lambda:GetFunctionConfiguration',
      'A VPC endpoint policy does not allow it. This kind of policy limits what other policies can allow. Allow lambda:GetFunctionConfiguration in it too.',
    ],
  ])('of %s is not reported as a denied invocation', (action, essential) => {
    const reason = action.startsWith('kms') ? '' : none('VPC endpoint policy');
    const message = `User: x is not authorized to perform: ${action} on resource: ${ARN}${reason}`;
    expect(advise({ name: 'AccessDeniedException', message })).toContain(essential);
  });

  test('is never empty', () => {
    const message = 'x is Not Authorized to perform: ???';
    expect(advise({ name: 'AccessDeniedException', message })).toBe(FIX);
  });
});

describe("advice on a function's state", () => {
  const conflict = (state: string): string =>
    advise({
      name: 'ResourceConflictException',
      message: `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
    });

  test.each(['Failed', "'Failed'"])('%s does not advise to wait', (state) => {
    expect(conflict(state)).toContain('is in state Failed');
    expect(conflict(state)).toContain('StateReason');
    expect(conflict(state)).not.toMatch(/wait/i);
  });

  test.each(['Pending', "'Pending'"])('%s advises to wait', (state) => {
    expect(conflict(state)).toContain('wait_until_ready: true');
  });
});

describe('advice on a certificate', () => {
  const UNTRUSTED = [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ];

  test.each(UNTRUSTED)('that is not trusted (%s) names NODE_EXTRA_CA_CERTS, also behind a proxy', (name) => {
    for (const throughProxy of [false, true]) {
      expect(adviseWithoutResponse({ name, throughProxy })).toContain('Set NODE_EXTRA_CA_CERTS to the path');
    }
  });

  test.each([
    ['CERT_HAS_EXPIRED', 'expired'],
    ['CERT_NOT_YET_VALID', 'not valid yet'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another host name'],
  ])('with another problem (%s) does not', (name, essential) => {
    expect(adviseWithoutResponse({ name })).toContain(essential);
    expect(adviseWithoutResponse({ name })).not.toContain('NODE_EXTRA_CA_CERTS');
  });
});

describe('advice on credentials that could not be loaded', () => {
  test.each([
    ['STS (AssumeRoleWithWebIdentity): connect ECONNREFUSED 10.0.0.1:443', 'VPC endpoint for STS'],
    ['STS (AssumeRole): self-signed certificate in certificate chain', 'NODE_EXTRA_CA_CERTS'],
    ['STS (AssumeRoleWithWebIdentity): AccessDenied: Not authorized', "the role's trust policy"],
    ['STS (AssumeRole): AccessDenied: Not authorized', 'sts:AssumeRole on the role'],
    ['credential_process: the command failed', 'Run the command'],
    ['the container credentials endpoint: Server responded with status: 403', 'AWS_CONTAINER_CREDENTIALS_'],
    ['the web identity token file: ENOENT', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
    ['IAM Identity Center: The SSO session has expired', 'aws sso login'],
    ['the AWS profile: Could not resolve', 'AWS_PROFILE'],
    ['nowhere: x', 'Check where the runner gets'],
  ])('from %s', (source, essential) => {
    const message = `Could not get credentials from ${source}`;
    expect(adviseWithoutResponse({ name: 'CredentialsUnavailable', message })).toContain(essential);
  });
});

describe('for a rejected or foreign endpoint', () => {
  test.each([
    ['AWS_ENDPOINT_URL_LAMBDA', ['AWS_ENDPOINT_URL_LAMBDA', 'AWS_ENDPOINT_URL']],
    ['AWS_ENDPOINT_URL', ['AWS_ENDPOINT_URL']],
    ['AWS_ENDPOINT_URL_LAMBDA', []],
  ])('names %s if %j are set', (named, set) => {
    const job = { ...PUSH, aws: { endpoints: set.map((variable) => ({ variable })) } };
    const { statusCode: _, ...refused } = failure({ name: 'ECONNREFUSED' });
    const { statusCode: __, ...nowhere } = failure({ name: 'ENOTFOUND' });
    const { statusCode: ___, ...late } = failure({ name: 'DeadlineExceeded' });
    const foreign = failure({ name: 'HTTP 403', statusCode: 403 });
    for (const one of [refused, nowhere, late, foreign]) {
      const advice = adviseOn({ failure: one, invocation: invocation(), region: 'eu-west-1', job });
      expect(advice.match(/AWS_ENDPOINT_URL\w*/g)).toEqual([named]);
    }
  });
});

describe('on a function with tenants', () => {
  test.each([
    [
      'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
      'Set tenant_id.',
    ],
    [
      'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
      'Remove tenant_id.',
    ],
  ])('%s', (message, advice) => {
    expect(advise({ name: 'InvalidParameterValueException', statusCode: 400, message })).toBe(advice);
  });
});

test('for a response that is not from Lambda names the possible sources', () => {
  expect(advise({ name: 'HTTP 403', statusCode: 403 })).toBe(
    'Check AWS_ENDPOINT_URL_LAMBDA, and the proxy or firewall between the runner and Lambda.',
  );
});

heavyTest.each([
  'arn:aws:lambda:eu-west-1:123456789012:function:a',
  'not authorized to perform: a',
  'not authorized to perform: lambda:A',
  'User: arn:aws:iam::123456789012:user/a/',
  'because no a ',
  'explicit deny in a ',
  'arn:aws:iam::123456789012:policy/a',
  'following state: ',
])('for a denial or a conflict of 6 MB of "%s" is found in linear time', (part) => {
  const message = part.repeat(6_000_000 / part.length);
  const before = performance.now();
  for (const name of ['AccessDeniedException', 'ResourceConflictException', 'CredentialsUnavailable']) {
    expect(advise({ name, message })).not.toBe('');
    expect(advise({ name, message: `is not authorized to perform: kms:A on ${message}` })).not.toBe('');
  }
  expect(performance.now() - before).toBeLessThan(5_000);
});
