import { describe, expect, test } from '@jest/globals';
import type { Invocation } from '../../../src/lambda/invocation.ts';
import { adviseOn } from '../../../src/outcome/failure-advice.ts';
import { failure, invocation } from './factory.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:my-api';
const CHECK = 'Check the name, the qualifier, the region and the account of the credentials.';

const advise = (
  given: Partial<Invocation>,
  { region = 'us-east-1', message = `Function not found: ${ARN}:live` } = {},
): string[] =>
  adviseOn({
    failure: failure({ name: 'ResourceNotFoundException', message }),
    invocation: invocation({ functionName: 'my-api', reference: { name: 'my-api' }, ...given }),
    region,
    job: { eventName: 'push', hasOidc: false },
  }).split('\n');

describe('a function that was not found', () => {
  test.each([
    ['the input qualifier', { qualifier: 'live' }],
    ['function_name', { functionName: 'my-api:live', reference: { name: 'my-api', qualifier: 'live' } }],
  ])('by an alias from %s has the searched function and the command to list aliases', (_, given) => {
    expect(advise(given)).toEqual([
      `Lambda looked for my-api:live in us-east-1, account 123456789012. ${CHECK}`,
      'List aliases: aws lambda list-aliases --function-name my-api --region us-east-1',
    ]);
  });

  test('by a version has the command to list versions', () => {
    expect(advise({ qualifier: '7' })).toEqual([
      `Lambda looked for my-api:7 in us-east-1, account 123456789012. ${CHECK}`,
      'List versions: aws lambda list-versions-by-function --function-name my-api --region us-east-1',
    ]);
  });

  test('without a qualifier has the command to list functions', () => {
    expect(advise({})).toEqual([
      `Lambda looked for my-api in us-east-1, account 123456789012. ${CHECK}`,
      'List functions: aws lambda list-functions --region us-east-1',
    ]);
  });

  test.each(['latest', 'LATEST', '$latest'])('by the alias %s suggests $LATEST', (alias) => {
    expect(advise({ qualifier: alias })[0]).toBe(`Lambda found no alias "${alias}". Did you mean $LATEST?`);
  });

  test('by $LATEST does not suggest $LATEST', () => {
    expect(advise({ qualifier: '$LATEST' })[0]).toMatch(/^Lambda looked for my-api:\$LATEST in us-east-1/);
  });

  test('in another account has its ARN without the qualifier in the command', () => {
    const reference = { name: 'my-api', qualifier: 'live', accountId: '210987654321' };
    const arn = ARN.replace('123456789012', '210987654321');
    expect(advise({ functionName: `${arn}:live`, reference }, { message: 'Function not found' })).toEqual([
      `Lambda looked for my-api:live in us-east-1, account 210987654321. ${CHECK}`,
      `List aliases: aws lambda list-aliases --function-name ${arn} --region us-east-1`,
    ]);
  });

  test('in a message without an ARN names the account of the credentials', () => {
    expect(advise({}, { message: 'Function not found' })[0]).toContain(
      "in us-east-1, the credentials' account.",
    );
  });

  test('in an invalid region does not have the region in a command', () => {
    expect(advise({}, { region: '$(reboot)' }).join('\n')).not.toContain('reboot');
  });
});
