import { describe, expect, test } from '@jest/globals';
import {
  adviseOnUnreadableLog,
  logStatements,
  type UnreadableLog,
} from '../../../src/outcome/log-permission.ts';

const USER = 'User: arn:aws:sts::123456789012:assumed-role/deploy/session';
const ACTION = 'is not authorized to perform: logs:FilterLogEvents on resource:';
const GROUP = 'arn:aws:logs:eu-west-1:210987654321:log-group:/aws/lambda/f:log-stream:';

const log = (given: Partial<UnreadableLog> = {}): UnreadableLog => ({
  functionName: 'f',
  region: 'eu-west-1',
  logGroup: '/aws/lambda/f',
  name: 'AccessDeniedException',
  message: `${USER} ${ACTION} ${GROUP} because no identity-based policy allows the logs:FilterLogEvents action`,
  deniedOnFunction: [],
  ...given,
});
const resources = (given: Partial<UnreadableLog>): unknown[] =>
  logStatements(log(given)).flatMap((statement) => JSON.parse(statement).Resource[0]);

describe('a log without read permission', () => {
  test('is missing two actions on its group, and no more', () => {
    const statements = logStatements(log()).map((statement) => JSON.parse(statement));
    expect(statements).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:FilterLogEvents', 'logs:GetLogEvents'],
        Resource: [
          'arn:aws:logs:eu-west-1:210987654321:log-group:/aws/lambda/f',
          'arn:aws:logs:eu-west-1:210987654321:log-group:/aws/lambda/f:*',
        ],
      },
    ]);
    expect(adviseOnUnreadableLog(log())).toBe(
      `The log of f cannot be read (AccessDeniedException). Add this statement to the caller's policy:\n${logStatements(log()).join()}`,
    );
  });

  test('has the account and the partition of the message, and a pattern where it names none', () => {
    const china = `User: arn:aws-cn:iam::123456789012:user/u ${ACTION} it`;
    expect(resources({ message: china, region: 'cn-north-1' })).toEqual([
      'arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws/lambda/f',
    ]);
    expect(resources({ message: 'no' })).toEqual(['arn:aws:logs:eu-west-1:*:log-group:/aws/lambda/f']);
  });

  test('of a group or a region that is no name has a pattern in its place', () => {
    expect(resources({ logGroup: '/x"},{"', region: 'eu"', message: 'no' })).toEqual([
      'arn:aws:logs:*:*:log-group:*',
    ]);
  });

  test('that a policy denies explicitly is not for a statement to allow', () => {
    const message = `${USER} ${ACTION} ${GROUP} with an explicit deny in a service control policy`;
    const advice = adviseOnUnreadableLog(log({ message }));
    expect(advice).toContain('An Allow cannot override a Deny');
    expect(advice).not.toContain('"Effect"');
  });

  test('has no statement where it is not a matter of permissions', () => {
    expect(adviseOnUnreadableLog(log({ name: 'InvalidOperationException', message: 'not this class' }))).toBe(
      'The log of f cannot be read (InvalidOperationException): not this class',
    );
  });
});
