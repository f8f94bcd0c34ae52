import { describe, expect, test } from '@jest/globals';
import { invocationFor, problemsFor } from './factory.ts';

const ACCOUNT = '123456789012';
const NAME = "give the function's name; to send it an HTTP request, use http_request";
const ARN = "give a function's (…:function:NAME)";
const NOT_EVALUATED =
  'the expression was not evaluated: ${{ }} has no effect in a file, in the value of a variable or in the default of a workflow input';
const ONE_EACH = 'put one function per line, or give each an entry of its own in invocations';
const WRONG_ARN =
  'the ARN is incomplete or one of its parts is wrong; write arn:aws:lambda:REGION:ACCOUNT:function:NAME';
const NO_NAME =
  'it is neither a name nor an ARN. Give a name (my-function), a qualified name (my-function:PROD), an ARN (arn:aws:lambda:eu-west-1:123456789012:function:my-function) or a partial ARN (123456789012:function:my-function)';
const INVISIBLE = 'it contains an invisible character, such as a non-breaking space; type it again';
const NOT_EXPANDED =
  'shell variables are not expanded here; write an expression, for example ${{ env.NAME }}';

describe('function_name', () => {
  test.each([
    ['my-function', { name: 'my-function' }],
    ['My_Function-2', { name: 'My_Function-2' }],
    ['my-function:PROD', { name: 'my-function', qualifier: 'PROD' }],
    ['my-function:7', { name: 'my-function', qualifier: '7' }],
    ['my-function:$LATEST', { name: 'my-function', qualifier: '$LATEST' }],
    ['my-function:$LATEST.PUBLISHED', { name: 'my-function', qualifier: '$LATEST.PUBLISHED' }],
    ['function:my-function', { name: 'my-function' }],
    [`${ACCOUNT}:function:my-function`, { name: 'my-function', accountId: ACCOUNT }],
    [`${ACCOUNT}:my-function`, { name: 'my-function', accountId: ACCOUNT }],
    [`${ACCOUNT}:function:my-function:7`, { name: 'my-function', accountId: ACCOUNT, qualifier: '7' }],
  ])('the name or partial ARN %s is accepted', async (text, reference) => {
    const invocation = await invocationFor({ function_name: text });
    expect(invocation).toMatchObject({ functionName: text });
    expect(invocation.reference).toEqual(reference);
    expect(invocation).not.toHaveProperty('region');
  });

  test.each([
    ['aws', 'eu-west-1'],
    ['aws', 'ap-southeast-2'],
    ['aws-cn', 'cn-north-1'],
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-eusc', 'eusc-de-east-1'],
    ['aws-iso', 'us-iso-east-1'],
    ['aws-iso-b', 'us-isob-east-1'],
  ])('an ARN of the partition %s in %s is accepted, and its region is used', async (partition, region) => {
    const text = `arn:${partition}:lambda:${region}:${ACCOUNT}:function:my-function:PROD`;
    const invocation = await invocationFor({ function_name: text });
    expect(invocation).toMatchObject({ functionName: text, region });
    expect(invocation.reference).toEqual({
      name: 'my-function',
      qualifier: 'PROD',
      region,
      accountId: ACCOUNT,
      partition,
    });
  });

  test('is required', async () => {
    expect(await problemsFor({ function_name: '' })).toEqual([
      expect.stringMatching(/^function_name is required\. Give a name \(my-function\)/),
    ]);
  });

  test.each([
    ['my function', `it contains white space; ${ONE_EACH}`],
    [
      'https://abc.lambda-url.eu-west-1.on.aws/',
      "that is the function's URL; give the function's name; to send it an HTTP request, use http_request",
    ],
    [
      'abc.lambda-url.eu-west-1.on.aws',
      "that is the function's URL; give the function's name; to send it an HTTP request, use http_request",
    ],
    ['https://a1b2.execute-api.eu-west-1.amazonaws.com/prod', `that is the URL of an API; ${NAME}`],
    ['a1b2.execute-api.eu-west-1.amazonaws.com', `that is the URL of an API; ${NAME}`],
    ['HTTPS://example.com', `that is a URL; ${NAME}`],
    ['arn:aws:s3:::bucket', `that is a bucket's ARN; ${ARN}`],
    [`arn:aws:states:eu-west-1:${ACCOUNT}:function:f`, `that is a state machine's ARN; ${ARN}`],
    [`arn:aws:states:eu-west-1:${ACCOUNT}:stateMachine:s`, `that is a state machine's ARN; ${ARN}`],
    [`arn:aws:execute-api:eu-west-1:${ACCOUNT}:a1b2/prod/GET/`, `that is an API's ARN; ${ARN}`],
    ['arn:aws:apigateway:eu-west-1::/restapis/a1b2', `that is an API's ARN; ${ARN}`],
    [`arn:aws:iam::${ACCOUNT}:role/deploy`, `that is a role's ARN; ${ARN}`],
    [`arn:aws:kms:eu-west-1:${ACCOUNT}:key/1`, `that is the ARN of another service; ${ARN}`],
    [
      `arn:aws:lambda:eu-west-1:${ACCOUNT}:event-source-mapping:1`,
      `that is an event source mapping's ARN; ${ARN}`,
    ],
    [`arn:aws:lambda:eu-west-1:${ACCOUNT}:layer:my-layer:3`, `that is a layer's ARN; ${ARN}`],
    ['arn:aws:lambda:eu-west-1:1234:function:f', WRONG_ARN],
    ['arn:aws:lambda:eu-west-1:function:f', WRONG_ARN],
    [`arn:aws:lambda:${ACCOUNT}:function:f`, WRONG_ARN],
    [`arn:aws:lambda:europe:${ACCOUNT}:function:f`, WRONG_ARN],
    [`arn:aws:lambda:eu-west-1:${ACCOUNT}:function:`, WRONG_ARN],
    [`arn:aws:lambda:eu-west-1:${ACCOUNT}:function:f:7:8`, WRONG_ARN],
    ['my-function:', NO_NAME],
    [':PROD', NO_NAME],
    ['my-function:v1.0', 'an alias can\'t contain "."'],
    ['checkout,search', ONE_EACH],
    ['["a","b"]', ONE_EACH],
    ['${{ env.X }}', NOT_EVALUATED],
    ['my-${{ env.STAGE }}-function', NOT_EVALUATED],
    ['$FUNCTION_NAME', NOT_EXPANDED],
    ['"my-function"', 'remove the quotes'],
    ['\u201cmy-function\u201d', 'remove the quotes'],
    ['- my-function', 'it begins like an element of a list; write the name alone'],
    ['my-function # the newest', 'comments are not supported here'],
    ['# my-function', 'comments are not supported here'],
    ['my\u00a0function', INVISIBLE],
    ['my\u200bfunction', INVISIBLE],
    ['my\u00adfunction', INVISIBLE],
    ['my-function:$latest', 'write $LATEST in capitals'],
    ['arn:aws:lambda:eu-west-1:123456789012:function:my-function:$latest', 'write $LATEST in capitals'],
    ['my/function', NO_NAME],
    ['größe', NO_NAME],
    ['../../2015-03-31/functions', NO_NAME],
    ['f?Qualifier=1', NO_NAME],
  ])('%j is rejected with the reason', async (text, reason) => {
    const [problem, ...others] = await problemsFor({ function_name: text });
    expect(problem).toBe(`function_name ${JSON.stringify(text)} is not valid: ${reason}.`);
    expect(others).toEqual([]);
  });

  test.each([':', '.', '-', 'a', 'arn:', 'https:', '$A', ' a'])(
    'of 120,000 times %j is rejected',
    async (part) => {
      const [problem, ...others] = await problemsFor({ function_name: part.repeat(120_000 / part.length) });
      expect(problem).toMatch(/^function_name (?:".*" is not valid|is too long)/);
      expect(others).toEqual([]);
    },
  );

  test('has at most 64 characters', async () => {
    expect(await problemsFor({ function_name: 'n'.repeat(64) })).toEqual([]);
    expect(await problemsFor({ function_name: 'n'.repeat(65) })).toEqual([
      'function_name is too long: the name has 65 characters, and can have at most 64.',
    ]);
  });

  test('has at most 256 characters as an ARN', async () => {
    const arn = `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:${'n'.repeat(64)}:`;
    const long = `${arn}${'q'.repeat(257 - arn.length)}`;
    expect(await problemsFor({ function_name: long.slice(0, 256) })).toEqual([]);
    expect(await problemsFor({ function_name: long })).toEqual([
      'function_name is too long: it has 257 characters, and can have at most 256.',
    ]);
  });
});

describe('qualifier', () => {
  test.each(['7', 'PROD', 'my_alias-1', '$LATEST', '$LATEST.PUBLISHED', 'q'.repeat(128)])(
    '%s is accepted',
    async (qualifier) => {
      expect(await invocationFor({ qualifier })).toMatchObject({ qualifier });
    },
  );

  test.each(['my alias', '1.2', 'a:b', '$LATEST.OTHER', 'a\nb', 'é', 'q'.repeat(129)])(
    '%j is rejected',
    async (qualifier) => {
      expect(await problemsFor({ qualifier })).toEqual([
        expect.stringMatching(
          /^qualifier must be a version \(7\), an alias \(PROD\) or \$LATEST: .* at most 128; got "/,
        ),
      ]);
    },
  );

  test.each([
    ['v1.2.3', 'an alias can\'t contain "."'],
    ['$latest.published', 'write $LATEST in capitals'],
    [':PROD', 'remove the ":"'],
    ['arn:aws:lambda', 'give the version or alias alone, without the ARN'],
    ['${{ inputs.alias }}', NOT_EVALUATED],
    ['${GITHUB_SHA}', NOT_EXPANDED],
  ])('%j is rejected with the reason', async (qualifier, reason) => {
    expect(await problemsFor({ qualifier })).toEqual([
      `qualifier must be a version (7), an alias (PROD) or $LATEST: letters, digits, - and _, at most 128; got "${qualifier}" (${reason}).`,
    ]);
  });

  test('that differs from the one in function_name is rejected, as by Lambda', async () => {
    expect(await problemsFor({ function_name: 'my-function:a', qualifier: 'b' })).toEqual([
      'qualifier is "b", but function_name already says "a". Remove one of them.',
    ]);
  });

  test('equal to the one in function_name is accepted', async () => {
    expect(await invocationFor({ function_name: 'my-function:a', qualifier: 'a' })).toMatchObject({
      functionName: 'my-function:a',
      qualifier: 'a',
    });
  });
});

describe('region', () => {
  test.each([
    'eu-west-1',
    'ap-southeast-7',
    'mx-central-1',
    'cn-northwest-1',
    'us-gov-east-1',
    'eusc-de-east-1',
    'us-iso-west-1',
    'us-isob-east-1',
  ])('%s is accepted', async (region) => {
    expect(await invocationFor({ region })).toMatchObject({ region });
  });

  test.each([
    ['europe', ''],
    ['eu-west-1.evil.example', ''],
    ['x'.repeat(50), ''],
    ['eu-west', ' (did you mean "eu-west-1"?)'],
    ['EU-WEST-1', ' (did you mean "eu-west-1"?)'],
    ['eu_west_1', ' (did you mean "eu-west-1"?)'],
    ['euwest1', ' (did you mean "eu-west-1"?)'],
    ['us-east1', ' (did you mean "us-east-1"?)'],
    ['us-gov-west1', ' (did you mean "us-gov-west-1"?)'],
    ['us-east-1a', ' (that is an availability zone; did you mean "us-east-1"?)'],
    ['ap-southeast-2c', ' (that is an availability zone; did you mean "ap-southeast-2"?)'],
    ['${{ vars.REGION }}', ` (${NOT_EVALUATED})`],
    ['$AWS_REGION', ` (${NOT_EXPANDED})`],
  ])('%s is rejected', async (region, why) => {
    expect(await problemsFor({ region })).toEqual([
      `region must be the code of an AWS region, for example eu-west-1; got "${region}"${why}.`,
    ]);
  });

  const arn = `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:my-function`;

  test('that differs from the one in the ARN is rejected', async () => {
    expect(await problemsFor({ function_name: arn, region: 'us-east-1' })).toEqual([
      'region is "us-east-1", but the ARN in function_name is in "eu-west-1". Remove region: the region of the ARN is used.',
    ]);
  });

  test('equal to the one in the ARN is accepted', async () => {
    expect(await invocationFor({ function_name: arn, region: 'eu-west-1' })).toMatchObject({
      region: 'eu-west-1',
    });
  });
});

describe('tenant_id', () => {
  test.each(['tenant-1', 'a b', 'A.b_c:d/e=f+g-h@i', 't'.repeat(256)])('%s is accepted', async (tenant) => {
    expect(await invocationFor({ tenant_id: tenant })).toMatchObject({ tenantId: tenant });
  });

  test.each(['a,b', 'müller', 'a\r\nX-Amz-Log-Type: Tail', 'a#b', 't'.repeat(257)])(
    '%j is rejected',
    async (tenant) => {
      expect(await problemsFor({ tenant_id: tenant })).toEqual([
        expect.stringMatching(
          /^tenant_id must be 1 to 256 letters, digits, spaces or \. _ : \/ = \+ - @; got "/,
        ),
      ]);
    },
  );
});
