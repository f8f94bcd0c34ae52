import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/outcome/outcome.ts';
import {
  callerOf,
  type Fix,
  fixInText,
  fixOf,
  isCrossAccount,
  type Permission,
  readPermission,
} from '../../../src/outcome/permission.ts';
import { notInvoked, succeeded, unknown } from '../report/factory.ts';

const DRY_RUN = { invocation_type: 'DryRun' } as const;
const CALLER = 'arn:aws:sts::123456789012:assumed-role/deploy/GitHubActions';
const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function';

type Asked = Partial<Pick<Outcome, 'function_name' | 'qualifier' | 'region'>>;

/** A dry run that ended with this error, its message as the action writes it. */
const refused = (name: string, message: string, asked: Asked = {}): Outcome =>
  notInvoked({
    ...DRY_RUN,
    ...asked,
    error: { name, message: `${message}. The function did not run.`, advice: 'Do something.' },
  }).outcome;

const denial = (resource: string, reason: string, caller = CALLER): string =>
  `User: ${caller} is not authorized to perform: lambda:InvokeFunction on resource: ${resource}${reason}`;

const NO_IDENTITY = ' because no identity-based policy allows the lambda:InvokeFunction action';
const NO_RESOURCE = ' because no resource-based policy allows the lambda:InvokeFunction action';

/** A dry run of the function in this ARN, denied for this reason. */
function denied(resource: string, reason: string, caller = CALLER): Outcome {
  const [, , , region = '', , , name = '', qualifier] = resource.split(':');
  const asked = { function_name: name, region, ...(qualifier !== undefined && { qualifier }) };
  return refused('AccessDeniedException', denial(resource, reason, caller), asked);
}

const fix = (...outcomes: readonly Outcome[]): Fix => fixOf(outcomes.map(readPermission));
const resourcesOf = ({ statement = '{}' }: Fix): unknown => JSON.parse(statement).Resource;

describe('reading a dry run', () => {
  test('that was answered says that the function can be invoked', () => {
    const { outcome } = succeeded({ ...DRY_RUN, status_code: 204, qualifier: 'PROD' });
    expect(readPermission(outcome)).toEqual({
      functionName: 'my-function',
      qualifier: 'PROD',
      region: 'eu-west-1',
      may: true,
    });
  });

  test('that was denied has the reason, the caller and the function of the message', () => {
    expect(readPermission(denied(`${ARN}:orders:PROD`, NO_IDENTITY))).toEqual({
      functionName: 'orders',
      qualifier: 'PROD',
      region: 'eu-west-1',
      may: false,
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
  ])('reads AWS’s wording %j', (reason, refusal, kind) => {
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
    expect(permission).toMatchObject({ may: false, refusal });
    expect(permission).not.toHaveProperty('errorName');
  });

  test.each(['TooManyRequestsException', 'ECONNREFUSED', 'RegionMissing', 'constructor', '__proto__'])(
    'takes %s for no answer',
    (name) => {
      expect(readPermission(refused(name, 'x'))).toMatchObject({
        may: false,
        refusal: 'other',
        errorName: name,
      });
    },
  );

  test('takes a lost answer for none', () => {
    expect(readPermission(unknown(DRY_RUN).outcome)).toMatchObject({
      may: false,
      refusal: 'other',
      errorName: 'ECONNRESET',
    });
  });

  test.each(['kms:Decrypt', 'sts:AssumeRole', 'lambda:InvokeFunctionUrl'])(
    'does not take a denial of %s for one of the invocation',
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
  ])('takes no ARN %s', (_, resource) => {
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
  ])('takes %s for no caller', (caller) => {
    const permission = readPermission(denied(`${ARN}:orders`, NO_IDENTITY, caller));
    expect(permission).not.toHaveProperty('callerArn');
    expect(permission.resourceArn).toBe(`${ARN}:orders`);
  });
});

test('no more than the first 4,096 characters of a message are read', () => {
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

  test('is one role in two sessions, and nobody where two are named or none', () => {
    const of = (...callers: readonly string[]) =>
      callerOf(callers.map((caller) => readPermission(denied(`${ARN}:orders`, '', caller))));
    expect(of(CALLER, `${CALLER}-2`)).toMatchObject({ name: 'deploy' });
    expect(of(CALLER, 'arn:aws:iam::123456789012:user/ci')).toBeUndefined();
    expect(of('anonymous')).toBeUndefined();
    expect(callerOf([])).toBeUndefined();
  });
});

describe('the statement', () => {
  test('covers exactly what no policy allows, sorted, each once, qualified with both ARNs', () => {
    const { statement, ...rest } = fix(
      denied(`${ARN}:orders:PROD`, NO_IDENTITY),
      denied(`${ARN}:orders:PROD`, NO_IDENTITY),
      denied(`${ARN}:orders`, NO_IDENTITY),
      denied(`${ARN}:billing`, ''),
      denied(`${ARN}:deny`, ' with an explicit deny in an identity-based policy'),
      denied(`${ARN}:limit`, ' because no session policy allows the lambda:InvokeFunction action'),
      refused('ResourceNotFoundException', `Function not found: ${ARN}:my-function`),
      refused('ExpiredTokenException', 'expired'),
      succeeded(DRY_RUN).outcome,
    );
    expect(statement).toBe(
      `{
  "Effect": "Allow",
  "Action": "lambda:InvokeFunction",
  "Resource": [
    "arn:aws:lambda:eu-west-1:123456789012:function:billing",
    "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    "arn:aws:lambda:eu-west-1:123456789012:function:orders:PROD"
  ]
}`,
    );
    expect(rest.commands).toEqual([]);
    expect(rest.notes.join('\n')).not.toMatch(/`(?:billing|orders)/);
  });

  test('names the version where the message names the function alone', () => {
    const outcome = refused('AccessDeniedException', denial(`${ARN}:my-function`, NO_IDENTITY), {
      qualifier: '$LATEST',
    });
    expect(resourcesOf(fix(outcome))).toEqual([`${ARN}:my-function`, `${ARN}:my-function:$LATEST`]);
  });

  test.each([
    ['aws-cn', 'cn-north-1'],
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-iso', 'us-iso-east-1'],
    ['aws-iso-b', 'us-isob-east-1'],
    ['aws-eusc', 'eusc-de-east-1'],
  ])('is of the partition %s', (partition, region) => {
    const arn = `arn:${partition}:lambda:${region}:123456789012:function:orders`;
    const caller = `arn:${partition}:sts::123456789012:assumed-role/deploy/session`;
    expect(resourcesOf(fix(denied(arn, NO_IDENTITY, caller)))).toEqual([arn]);
  });

  test('covers a missing resource-based policy within the account, where it is enough', () => {
    expect(fix(denied(`${ARN}:orders`, NO_RESOURCE))).toEqual({
      statement: expect.stringContaining(`"${ARN}:orders"`),
      notes: [
        '`orders`: AWS reports that no resource-based policy allows it. Within one account the statement for the caller is enough.',
      ],
      commands: [],
    });
  });

  test("uses the caller's account and the step's region where the message names no function", () => {
    const message = `User: ${CALLER} is not authorized to perform: lambda:InvokeFunction`;
    const result = fix(refused('AccessDeniedException', message, { qualifier: 'PROD' }));
    expect(resourcesOf(result)).toEqual([`${ARN}:my-function`, `${ARN}:my-function:PROD`]);
    expect(result.notes).toEqual([
      "`my-function:PROD`: AWS does not name the function's ARN. The statement uses the caller's account and the step's region.",
    ]);
  });

  test('leaves out, and names, a function whose ARN nothing tells', () => {
    expect(fix(refused('AccessDeniedException', 'Forbidden', { qualifier: 'PROD' }))).toEqual({
      notes: [
        "`my-function:PROD`: AWS does not name the function's ARN. Allow `lambda:InvokeFunction` on it, and with a qualifier on both ARNs, with and without it. If that is allowed already, check the VPC endpoint policy, the permissions boundary and AWS Organizations.",
      ],
      commands: [],
    });
  });

  test('says where it is too long for a managed policy', () => {
    const many = Array.from({ length: 120 }, (_, at) => denied(`${ARN}:function-${at}`, NO_IDENTITY));
    expect(fix(...many).notes).toEqual([
      'The statement is too long for one managed policy (6,144 characters): split its resources.',
    ]);
    expect(fix(...many.slice(0, 60)).notes).toEqual([]);
  });

  test('is not there where nothing is missing', () => {
    expect(fix(succeeded(DRY_RUN).outcome)).toEqual({ notes: [], commands: [] });
    expect(fixOf([])).toEqual({ notes: [], commands: [] });
  });

  test('takes nothing over from a permission that does not match the patterns', () => {
    const hostile: Permission = {
      functionName: '`; rm -rf / #',
      qualifier: '$(id)',
      region: 'eu-west-1"',
      may: false,
      refusal: 'no_identity_policy',
      resourceArn: `${ARN}:x"],"Resource":"*`,
      callerArn: 'arn:aws:sts::210987654321:assumed-role/$(id)/session',
    };
    expect(fixOf([hostile])).toEqual({
      notes: [
        "a function whose name is not valid: AWS does not name the function's ARN. Allow `lambda:InvokeFunction` on it, and with a qualifier on both ARNs, with and without it. If that is allowed already, check the VPC endpoint policy, the permissions boundary and AWS Organizations.",
      ],
      commands: [],
    });
  });
});

describe('across accounts', () => {
  const THEIRS = 'arn:aws:lambda:eu-west-1:210987654321:function:shared';

  test.each([NO_RESOURCE, NO_IDENTITY, ''])('both sides are needed (%j)', (reason) => {
    const result = fix(denied(`${THEIRS}:PROD`, reason));
    expect(resourcesOf(result)).toEqual([THEIRS, `${THEIRS}:PROD`]);
    expect(result.commands).toEqual([
      'aws lambda add-permission --function-name arn:aws:lambda:eu-west-1:210987654321:function:shared --statement-id invoke-from-123456789012-deploy --action lambda:InvokeFunction --principal arn:aws:iam::123456789012:role/deploy --qualifier PROD --region eu-west-1',
    ]);
    expect(result.notes).toEqual([
      "`shared:PROD`: the function is in another account. Both accounts have to allow it: the caller's with the statement, and the function's with a permission that its owner adds.",
      "`shared:PROD`: if the role has a path, add it to the principal (`role/PATH/NAME`): AWS's message leaves it out.",
    ]);
  });

  test('a user is the principal itself, and its name fits a statement id', () => {
    const { commands, notes } = fix(
      denied(THEIRS, NO_RESOURCE, 'arn:aws:iam::123456789012:user/team/ci.bot@x'),
    );
    expect(commands).toEqual([
      'aws lambda add-permission --function-name arn:aws:lambda:eu-west-1:210987654321:function:shared --statement-id invoke-from-123456789012-ci-bot-x --action lambda:InvokeFunction --principal arn:aws:iam::123456789012:user/team/ci.bot@x --region eu-west-1',
    ]);
    expect(notes).toHaveLength(1);
  });

  test('$LATEST, which a shell would expand and Lambda refuse, is in no command', () => {
    const { commands, notes } = fix(denied(`${THEIRS}:$LATEST`, NO_RESOURCE));
    expect(commands).toEqual([expect.not.stringMatching(/\$|--qualifier/)]);
    expect(notes[1]).toBe(
      '`shared:$LATEST`: Lambda accepts no permission for `$LATEST`, so the command leaves the qualifier out. Leave it out of the step too.',
    );
  });

  test('is not said of one account, nor where nobody is named', () => {
    const is = (resource: string, caller?: string) =>
      isCrossAccount(readPermission(denied(resource, NO_RESOURCE, caller)));
    expect(is(THEIRS)).toBe(true);
    expect(is(`${ARN}:orders`)).toBe(false);
    expect(is(THEIRS, 'anonymous')).toBe(false);
  });
});

describe('a policy that no Allow elsewhere gets past', () => {
  test('is told for each kind of policy, with its functions and the policy that AWS names', () => {
    const arn = 'arn:aws:iam::123456789012:policy/NoInvoke';
    expect(
      fix(
        denied(`${ARN}:a`, ` with an explicit deny in an identity-based policy: ${arn}`),
        denied(`${ARN}:b:PROD`, ' with an explicit deny in a service control policy'),
        denied(`${ARN}:c`, ` with an explicit deny in an identity-based policy: ${arn}`),
      ),
    ).toEqual({
      notes: [
        "`a`, `c`: an identity-based policy explicitly denies it. An Allow cannot override a Deny: change the Deny. Look in IAM at the policies of the role or user (inline, customer managed and AWS managed), and at those of a user's groups. AWS names `arn:aws:iam::123456789012:policy/NoInvoke`.",
        "`b:PROD`: a service control policy explicitly denies it. An Allow cannot override a Deny: change the Deny. Look in AWS Organizations at the service control policies of the caller's account, the units above it and the root.",
      ],
      commands: [],
    });
  });

  test.each([
    ['a resource-based policy', '`aws lambda get-policy`'],
    ['a resource control policy', "resource control policies of the function's account"],
    ['a permissions boundary', 'the permissions boundary of the role or user'],
    ['a session policy', '`inline-session-policy`'],
    ['a VPC endpoint policy', 'the VPC endpoint for Lambda'],
    ['a policy of no known kind', 'AWS does not say in which kind of policy'],
  ])('has a place to look for %s', (policy, place) => {
    const { notes, statement } = fix(denied(`${ARN}:a`, ` with an explicit deny in ${policy}`));
    expect(statement).toBeUndefined();
    expect(notes).toEqual([expect.stringContaining(place)]);
  });

  test('is a limit too', () => {
    const boundary = ' because no permissions boundary allows the lambda:InvokeFunction action';
    expect(fix(denied(`${ARN}:a`, boundary))).toEqual({
      notes: [
        '`a`: a permissions boundary does not allow it. Such a policy limits what all others allow: allow `lambda:InvokeFunction` in it too. Look in IAM at the permissions boundary of the role or user.',
      ],
      commands: [],
    });
  });

  test('names twenty functions and counts the rest', () => {
    const reason = ' with an explicit deny in a session policy';
    const many = Array.from({ length: 23 }, (_, at) => denied(`${ARN}:f-${at}`, reason));
    expect(fix(...many).notes[0]).toMatch(/^`f-0`, .*`f-19` and 3 more: /);
  });
});

describe('a fix as plain text', () => {
  test('has the statement on one line, then the notes without Markdown, then the commands', () => {
    const theirs = 'arn:aws:lambda:eu-west-1:210987654321:function:shared';
    expect(fixInText(readPermission(denied(theirs, NO_RESOURCE))).split('\n')).toEqual([
      "Add this statement to the caller's policy:",
      `{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":["${theirs}"]}`,
      expect.stringMatching(/^The function is in another account\. /),
      expect.stringMatching(/^If the role has a path, add it to the principal \(role\/PATH\/NAME\)/),
      'The owner of the function runs:',
      expect.stringMatching(/^aws lambda add-permission --function-name \S+ /),
    ]);
  });

  test('is empty where there is nothing to fix', () => {
    expect(fixInText(readPermission(refused('ExpiredTokenException', 'x')))).toBe('');
  });
});
