import { describe, expect, test } from '@jest/globals';
import { fixOf } from '../../../../src/outcome/permission/fix.ts';
import { callerOf, readPermission } from '../../../../src/outcome/permission/reading.ts';
import { succeeded, unknown } from '../../report/factory.ts';
import { ARN, CALLER, DRY_RUN, denial, denied, NO_IDENTITY, NO_RESOURCE, refused } from './dry-runs.ts';

describe('reading a dry run', () => {
  test('with a response shows that the function can be invoked', () => {
    const { outcome } = succeeded({ ...DRY_RUN, status_code: 204, qualifier: 'PROD' });
    expect(readPermission(outcome)).toEqual({
      functionName: 'my-function',
      qualifier: 'PROD',
      region: 'eu-west-1',
      isAllowed: true,
    });
  });

  test('that was denied has the reason, the caller and the function from the message', () => {
    expect(readPermission(denied(`${ARN}:orders:PROD`, NO_IDENTITY))).toEqual({
      functionName: 'orders',
      qualifier: 'PROD',
      region: 'eu-west-1',
      isAllowed: false,
      refusal: 'no_identity_policy',
      resourceArn: `${ARN}:orders:PROD`,
      callerArn: CALLER,
    });
  });

  test.each([
    [NO_IDENTITY, 'no_identity_policy', undefined],
    [NO_RESOURCE, 'no_resource_policy', undefined],
    [' because no session policy allows the lambda:InvokeFunction action', 'no_limiting_policy', 'session'],
    [
      ' because no permissions boundary allows the lambda:InvokeFunction action',
      'no_limiting_policy',
      'permissions boundary',
    ],
    [
      ' because no service control policy allows the lambda:InvokeFunction action',
      'no_limiting_policy',
      'service control',
    ],
    [
      ' because no resource control policy allows the lambda:InvokeFunction action',
      'no_limiting_policy',
      'resource control',
    ],
    [
      ' because no VPC endpoint policy allows the lambda:InvokeFunction action',
      'no_limiting_policy',
      'VPC endpoint',
    ],
    [' with an explicit deny in an identity-based policy', 'explicit_deny', 'identity'],
    [' with an explicit deny in a resource-based policy', 'explicit_deny', 'resource'],
    [' with an explicit deny in a service control policy', 'explicit_deny', 'service control'],
    [' with an explicit deny in a resource control policy', 'explicit_deny', 'resource control'],
    [' with an explicit deny in a permissions boundary', 'explicit_deny', 'permissions boundary'],
    [' with an explicit deny in a session policy', 'explicit_deny', 'session'],
    [' with an explicit deny in a VPC endpoint policy', 'explicit_deny', 'VPC endpoint'],
    [' with an explicit deny', 'explicit_deny', undefined],
    [' because no kind of policy allows it', 'no_reason', undefined],
    ['', 'no_reason', undefined],
  ])("reads AWS's wording %j", (reason, refusal, kind) => {
    const { refusal: read, denyingPolicy, ...rest } = readPermission(denied(`${ARN}:orders`, reason));
    expect([read, denyingPolicy]).toEqual([refusal, kind]);
    expect(rest.resourceArn).toBe(`${ARN}:orders`);
  });

  test.each([
    [
      'an identity-based policy: arn:aws:iam::123456789012:policy/guard/NoInvoke',
      'arn:aws:iam::123456789012:policy/guard/NoInvoke',
    ],
    ['an identity-based policy: arn:aws:iam::aws:policy/Quarantine', 'arn:aws:iam::aws:policy/Quarantine'],
    [
      'a service control policy: arn:aws-us-gov:organizations::123456789012:policy/o-a1/service_control_policy/p-b2',
      'arn:aws-us-gov:organizations::123456789012:policy/o-a1/service_control_policy/p-b2',
    ],
    ['an identity-based policy: arn:aws:iam::123456789012:policy/`x`', undefined],
    ['an identity-based policy: arn:aws:iam::123456789012:policy/x`y`', undefined],
    ['an identity-based policy: arn:aws:s3:::bucket', undefined],
  ])('finds the policy in %j', (policy, arn) => {
    const permission = readPermission(denied(`${ARN}:orders`, ` with an explicit deny in ${policy}`));
    expect(permission.policyArn).toBe(arn);
  });

  test.each([
    ['ResourceNotFoundException', `Function not found: ${ARN}:my-function`, undefined, 'function_not_found'],
    ['ResourceNotFoundException', `Function not found: ${ARN}:my-function`, 'PROD', 'function_not_found'],
    ['ResourceNotFoundException', `Function not found: ${ARN}:my-function:7`, '7', 'qualifier_not_found'],
    ['ResourceNotFoundException', `Cannot find alias arn: ${ARN}:my-function:X`, 'X', 'qualifier_not_found'],
    ['ResourceNotFoundException', 'Not found', 'PROD', 'qualifier_not_found'],
    ['ResourceNotFoundException', 'Not found', undefined, 'function_not_found'],
    [
      'ResourceNotFoundException',
      "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')",
      undefined,
      'wrong_region',
    ],
    [
      'ExpiredTokenException',
      'The security token included in the request is expired',
      undefined,
      'credentials_expired',
    ],
    [
      'CredentialsProviderError',
      'Could not load credentials from any providers',
      undefined,
      'credentials_missing',
    ],
    ['TokenProviderError', 'Token is missing', undefined, 'credentials_missing'],
    [
      'CredentialsUnavailable',
      'Could not get credentials from credential_process: the command failed',
      undefined,
      'credentials_unavailable',
    ],
    [
      'UnrecognizedClientException',
      'The security token included in the request is invalid',
      undefined,
      'credentials_invalid',
    ],
  ])('reads %s %j', (name, message, qualifier, refusal) => {
    const asked = qualifier === undefined ? {} : { qualifier };
    const permission = readPermission(refused(name, message, asked));
    expect(permission).toMatchObject({ isAllowed: false, refusal });
    expect(permission).not.toHaveProperty('errorName');
  });

  test.each(['TooManyRequestsException', 'ECONNREFUSED', 'RegionMissing', 'constructor', '__proto__'])(
    'does not read %s as a response',
    (name) => {
      expect(readPermission(refused(name, 'x'))).toMatchObject({
        isAllowed: false,
        refusal: 'other',
        errorName: name,
      });
    },
  );

  test('reads a lost response as no response', () => {
    expect(readPermission(unknown(DRY_RUN).outcome)).toMatchObject({
      isAllowed: false,
      refusal: 'other',
      errorName: 'ECONNRESET',
    });
  });

  test.each(['kms:Decrypt', 'sts:AssumeRole', 'lambda:InvokeFunctionUrl'])(
    'does not read a denial of %s as one of the invocation',
    (action) => {
      const message = denial(`${ARN}:my-function`, NO_IDENTITY).replaceAll('lambda:InvokeFunction', action);
      const permission = readPermission(refused('AccessDeniedException', message));
      expect(permission.refusal).toBe('other');
      expect(fixOf([permission])).toEqual({ notes: [], commands: [] });
    },
  );

  test.each([
    ['of another function', `${ARN}:admin`],
    ['of another region', `${ARN.replace('eu-west-1', 'us-east-1')}:my-function`],
    ['of another qualifier', `${ARN}:my-function:ADMIN`],
    ['of every function', `${ARN}:*`],
    ['of another service', 'arn:aws:s3:::my-function'],
    ['with a broken account', 'arn:aws:lambda:eu-west-1:12345678901x:function:my-function'],
    ['with something after it', `${ARN}:my-function"}]`.replace('"', '`')],
  ])('accepts no ARN %s', (_, resource) => {
    const permission = readPermission(
      refused('AccessDeniedException', denial(resource, NO_IDENTITY), { qualifier: 'PROD' }),
    );
    expect(permission.refusal).toBe('no_identity_policy');
    expect(permission).not.toHaveProperty('resourceArn');
  });

  test.each([
    'arn:aws:iam::123456789012:root',
    'arn:aws:sts::123456789012:assumed-role/de`ploy/session',
    'arn:aws:sts::123456789012:assumed-role/$(id)/session',
    'arn:aws:sts::123456789012:assumed-role/deploy',
    'arn:aws:sts::123456789012:assumed-role/deploy/a/b',
    'arn:evil:iam::123456789012:user/deploy',
    'anonymous',
  ])('does not read %s as a caller', (caller) => {
    const permission = readPermission(denied(`${ARN}:orders`, NO_IDENTITY, caller));
    expect(permission).not.toHaveProperty('callerArn');
    expect(permission.resourceArn).toBe(`${ARN}:orders`);
  });
});

test('only the first 4,096 characters of a message are read', () => {
  const of = (length: number) =>
    readPermission(
      refused('AccessDeniedException', `${' '.repeat(length)}${denial(`${ARN}:my-function`, NO_IDENTITY)}`),
    ).refusal;
  expect([of(3_000), of(4_096)]).toEqual(['no_identity_policy', 'no_reason']);
});

describe('the caller', () => {
  test.each([
    [CALLER, { arn: 'arn:aws:iam::123456789012:role/deploy', name: 'deploy', kind: 'role' }],
    [
      'arn:aws:iam::123456789012:role/ci/deploy',
      { arn: 'arn:aws:iam::123456789012:role/ci/deploy', name: 'deploy', kind: 'role' },
    ],
    [
      'arn:aws-cn:iam::123456789012:user/team/ci+bot@x',
      { arn: 'arn:aws-cn:iam::123456789012:user/team/ci+bot@x', name: 'ci+bot@x', kind: 'user' },
    ],
    [
      'arn:aws:sts::123456789012:federated-user/ci',
      { arn: 'arn:aws:sts::123456789012:federated-user/ci', name: 'ci', kind: 'user' },
    ],
  ])('of %s', (arn, caller) => {
    expect(callerOf([readPermission(denied(`${ARN}:orders`, NO_IDENTITY, arn))])).toEqual(caller);
  });

  test('is one role for two sessions, and unknown if two callers or none are named', () => {
    const of = (...callers: readonly string[]) =>
      callerOf(callers.map((caller) => readPermission(denied(`${ARN}:orders`, '', caller))));
    expect(of(CALLER, `${CALLER}-2`)).toMatchObject({ name: 'deploy' });
    expect(of(CALLER, 'arn:aws:iam::123456789012:user/ci')).toBeUndefined();
    expect(of('anonymous')).toBeUndefined();
    expect(callerOf([])).toBeUndefined();
  });
});
