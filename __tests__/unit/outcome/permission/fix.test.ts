import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../../src/outcome/outcome.ts';
import { type Fix, fixOf, isCrossAccount } from '../../../../src/outcome/permission/fix.ts';
import { type Permission, readPermission } from '../../../../src/outcome/permission/reading.ts';
import { fixInText } from '../../../../src/outcome/permission/wording.ts';
import { renderNote } from '../../../../src/report/summary/permissions.ts';
import { succeeded } from '../../report/factory.ts';
import { ARN, CALLER, DRY_RUN, denial, denied, NO_IDENTITY, NO_RESOURCE, refused } from './dry-runs.ts';

type RenderedFix = Omit<Fix, 'notes'> & Readonly<{ notes: readonly string[] }>;

/** A fix with its notes in the format of the summary. */
const rendered = ({ notes, ...rest }: Fix): RenderedFix => ({ ...rest, notes: notes.map(renderNote) });
const fix = (...outcomes: readonly Outcome[]): RenderedFix => rendered(fixOf(outcomes.map(readPermission)));
const resourcesOf = ({ statement = '{}' }: Pick<Fix, 'statement'>): unknown => JSON.parse(statement).Resource;

describe('the statement', () => {
  test('covers exactly the functions that no policy allows, sorted and without duplicates, with both ARNs for qualified ones', () => {
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

  test('has the version if the message names only the function', () => {
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
  ])('has ARNs of the partition %s', (partition, region) => {
    const arn = `arn:${partition}:lambda:${region}:123456789012:function:orders`;
    const caller = `arn:${partition}:sts::123456789012:assumed-role/deploy/session`;
    expect(resourcesOf(fix(denied(arn, NO_IDENTITY, caller)))).toEqual([arn]);
  });

  test('covers a missing resource-based policy within the account, because it is enough there', () => {
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

  test('omits a function with an unknown ARN and names it', () => {
    expect(fix(refused('AccessDeniedException', 'Forbidden', { qualifier: 'PROD' }))).toEqual({
      notes: [
        "`my-function:PROD`: AWS does not name the function's ARN. Allow `lambda:InvokeFunction` on it, and with a qualifier on both ARNs, with and without it. If that is allowed already, check the VPC endpoint policy, the permissions boundary and AWS Organizations.",
      ],
      commands: [],
    });
  });

  test('has a note if it is too long for a managed policy', () => {
    const many = Array.from({ length: 120 }, (_, at) => denied(`${ARN}:function-${at}`, NO_IDENTITY));
    expect(fix(...many).notes).toEqual([
      'The statement is too long for one managed policy (6,144 characters): split its resources.',
    ]);
    expect(fix(...many.slice(0, 60)).notes).toEqual([]);
  });

  test('is absent if nothing is missing', () => {
    expect(fix(succeeded(DRY_RUN).outcome)).toEqual({ notes: [], commands: [] });
    expect(rendered(fixOf([]))).toEqual({ notes: [], commands: [] });
  });

  test('copies nothing from a permission that does not match the patterns', () => {
    const hostile: Permission = {
      functionName: '`; rm -rf / #',
      qualifier: '$(id)',
      region: 'eu-west-1"',
      isAllowed: false,
      refusal: 'no_identity_policy',
      resourceArn: `${ARN}:x"],"Resource":"*`,
      callerArn: 'arn:aws:sts::210987654321:assumed-role/$(id)/session',
    };
    expect(rendered(fixOf([hostile]))).toEqual({
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

  test('a user is the principal itself, and its name fits into a statement ID', () => {
    const { commands, notes } = fix(
      denied(THEIRS, NO_RESOURCE, 'arn:aws:iam::123456789012:user/team/ci.bot@x'),
    );
    expect(commands).toEqual([
      'aws lambda add-permission --function-name arn:aws:lambda:eu-west-1:210987654321:function:shared --statement-id invoke-from-123456789012-ci-bot-x --action lambda:InvokeFunction --principal arn:aws:iam::123456789012:user/team/ci.bot@x --region eu-west-1',
    ]);
    expect(notes).toHaveLength(1);
  });

  test('$LATEST is in no command, because a shell would expand it and Lambda would reject it', () => {
    const { commands, notes } = fix(denied(`${THEIRS}:$LATEST`, NO_RESOURCE));
    expect(commands).toEqual([expect.not.stringMatching(/\$|--qualifier/)]);
    expect(notes[1]).toBe(
      '`shared:$LATEST`: Lambda accepts no permission for `$LATEST`, so the command leaves the qualifier out. Leave it out of the step too.',
    );
  });

  test('is not assumed for one account, or without a named caller', () => {
    const is = (resource: string, caller?: string) =>
      isCrossAccount(readPermission(denied(resource, NO_RESOURCE, caller)));
    expect(is(THEIRS)).toBe(true);
    expect(is(`${ARN}:orders`)).toBe(false);
    expect(is(THEIRS, 'anonymous')).toBe(false);
  });
});

describe('a policy that no other Allow can override', () => {
  test('is reported for each kind of policy, with its functions and the policy that AWS names', () => {
    const arn = 'arn:aws:iam::123456789012:policy/NoInvoke';
    expect(
      fix(
        denied(`${ARN}:a`, ` with an explicit deny in an identity-based policy: ${arn}`),
        denied(`${ARN}:b:PROD`, ' with an explicit deny in a service control policy'),
        denied(`${ARN}:c`, ` with an explicit deny in an identity-based policy: ${arn}`),
      ),
    ).toEqual({
      notes: [
        "`a`, `c`: an identity-based policy explicitly denies it. An Allow cannot override a Deny: change the Deny. In IAM, check the policies of the role or user (inline, customer managed and AWS managed), and those of a user's groups. AWS names `arn:aws:iam::123456789012:policy/NoInvoke`.",
        "`b:PROD`: a service control policy explicitly denies it. An Allow cannot override a Deny: change the Deny. In AWS Organizations, check the service control policies of the caller's account, its organizational units and the root.",
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
    ['a policy of no known kind', 'AWS does not say which kind of policy'],
  ])('has the place to check for %s', (policy, place) => {
    const { notes, statement } = fix(denied(`${ARN}:a`, ` with an explicit deny in ${policy}`));
    expect(statement).toBeUndefined();
    expect(notes).toEqual([expect.stringContaining(place)]);
  });

  test('also limits permissions', () => {
    const boundary = ' because no permissions boundary allows the lambda:InvokeFunction action';
    expect(fix(denied(`${ARN}:a`, boundary))).toEqual({
      notes: [
        '`a`: a permissions boundary does not allow it. This kind of policy limits what other policies can allow. Allow `lambda:InvokeFunction` in it too. In IAM, check the permissions boundary of the role or user.',
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

  test('is empty if there is nothing to fix', () => {
    expect(fixInText(readPermission(refused('ExpiredTokenException', 'x')))).toBe('');
  });
});
