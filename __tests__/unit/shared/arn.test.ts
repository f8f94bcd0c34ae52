import { describe, expect, test } from '@jest/globals';
import {
  functionArnsIn,
  isExecutionArn,
  parseFunctionArn,
  parsePrincipal,
  policyArnIn,
  qualifiedArn,
  splitFunctionName,
} from '../../../src/shared/arn.ts';

const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';

describe('the ARNs of functions in a message', () => {
  test.each([
    [`on resource: ${ARN}`, [ARN]],
    [`Function not found: ${ARN}:PROD.`, [`${ARN}:PROD`]],
    [`"${ARN}", (${ARN}:7) and '${ARN}:$LATEST';`, [ARN, `${ARN}:7`, `${ARN}:$LATEST`]],
    [`${ARN}/durable-execution/a/b`, []],
    [`${ARN}:PROD:extra`, []],
    ['arn:aws:lambda:eu-west-1:1234:function:orders', []],
    ['arn:aws:s3:::bucket', []],
  ])('%j', (message, arns) => {
    expect(functionArnsIn(message).map(qualifiedArn)).toEqual(arns);
  });

  test.each([ARN, `${ARN}:PROD`, `${ARN}:$LATEST.PUBLISHED`])('%s is read as a whole too', (arn) => {
    expect(functionArnsIn(arn)).toEqual([parseFunctionArn(arn)]);
    expect(splitFunctionName(arn)).toMatchObject({ name: 'orders', region: 'eu-west-1' });
  });

  test('an ARN with text around it is not an ARN', () => {
    expect([`${ARN}"`, ` ${ARN}`, `${ARN}\n`].map(parseFunctionArn)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

test.each([
  ['arn:aws:iam::123456789012:root', undefined],
  ['arn:aws:iam::123456789012:role/ci/deploy', 'arn:aws:iam::123456789012:role/ci/deploy'],
  ['arn:aws:sts::123456789012:assumed-role/deploy/session', 'arn:aws:iam::123456789012:role/deploy'],
  ['arn:aws:sts::123456789012:assumed-role/$(id)/session', undefined],
])('the principal of %s is %s', (arn, principal) => {
  expect(parsePrincipal(arn)?.arn).toBe(principal);
});

test('the ARN of a policy ends before the full stop of the sentence', () => {
  const arn = 'arn:aws:organizations::123456789012:policy/o-1/service_control_policy/p-1';
  expect(policyArnIn(`with an explicit deny in a service control policy: ${arn}.`)).toBe(arn);
  expect(policyArnIn('arn:aws:iam::aws:role/none')).toBeUndefined();
});

test.each([
  [`${ARN}:7/durable-execution/name/id`, true],
  [`${ARN}:$LATEST/durable-execution/name/id`, true],
  [`${ARN}:PROD/durable-execution/name/id`, false],
  [`${ARN}:7/durable-execution/name/id;rm`, false],
])('%s is the ARN of an execution: %s', (arn, is) => {
  expect(isExecutionArn(arn)).toBe(is);
});
