import '../../realm.ts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Nodes } from 'hast';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { visit } from 'unist-util-visit';
import type { Outcome } from '../../../../src/outcome/outcome.ts';
import { fixOf } from '../../../../src/outcome/permission/fix.ts';
import { type Permission, type Refusal, readPermission } from '../../../../src/outcome/permission/reading.ts';
import { hideAccountIds, renderFix, renderPermissions } from '../../../../src/report/summary/permissions.ts';
import { heavyTest } from '../../../heavy.ts';
import { SEED } from '../../../seed.ts';
import { functionName, hostileText, qualifier, region } from '../../hostile/arbitraries.ts';
import { notInvoked, succeeded } from '../factory.ts';

const CALLER = 'arn:aws:sts::123456789012:assumed-role/deploy/GitHubActions';
const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function';
const OTHER_ARN = 'arn:aws:lambda:eu-west-1:210987654321:function';

type Asked = Pick<Outcome, 'function_name'> & Partial<Pick<Outcome, 'qualifier' | 'region'>>;

const refused = (asked: Asked, name: string, message: string): Outcome =>
  notInvoked({
    invocation_type: 'DryRun',
    ...asked,
    error: { name, message: `${message}. The function did not run.`, advice: 'Do something.' },
  }).outcome;

const denial = (resource: string, reason: string): string =>
  `User: ${CALLER} is not authorized to perform: lambda:InvokeFunction on resource: ${resource} ${reason}`;

/** Allowed, no policy, explicit deny, missing function, missing alias, other account. */
const SIX = [
  succeeded({ invocation_type: 'DryRun', status_code: 204, function_name: 'allowed' }).outcome,
  refused(
    { function_name: 'orders', qualifier: 'PROD' },
    'AccessDeniedException',
    denial(`${ARN}:orders:PROD`, 'because no identity-based policy allows the lambda:InvokeFunction action'),
  ),
  refused(
    { function_name: 'vault' },
    'AccessDeniedException',
    denial(`${ARN}:vault`, 'with an explicit deny in a service control policy'),
  ),
  refused({ function_name: 'gone' }, 'ResourceNotFoundException', `Function not found: ${ARN}:gone`),
  refused(
    { function_name: 'allowed', qualifier: 'BLUE' },
    'ResourceNotFoundException',
    `Function not found: ${ARN}:allowed:BLUE`,
  ),
  refused(
    { function_name: 'shared' },
    'AccessDeniedException',
    denial(`${OTHER_ARN}:shared`, 'because no resource-based policy allows the lambda:InvokeFunction action'),
  ),
].map(readPermission);

const allowed = (name: string): Permission => ({ functionName: name, isAllowed: true });
const rows = (markdown: string): string[] =>
  markdown.split('\n').filter((line) => /^\| [✅❌❓]/u.test(line));

describe('the table', () => {
  test('of six functions has the denied first, the caller once, and six correct rows', () => {
    expect(renderPermissions(SIX)).toBe(`**5 of 6 functions can't be invoked.**

Checked as role \`deploy\`.

| Allowed | Function | Qualifier | Reason |
| --- | --- | --- | --- |
| ✅ | \`allowed\` |  |  |
| ❌ | \`orders\` | \`PROD\` | no identity-based policy allows it |
| ❌ | \`vault\` |  | explicit deny in a service control policy |
| ❌ | \`gone\` |  | function not found |
| ❌ | \`allowed\` | \`BLUE\` | function, version or alias not found |
| ❌ | \`shared\` |  | no resource-based policy allows it (another account) |
`);
  });

  test('of functions that can all be invoked has nothing else', () => {
    expect(renderPermissions([allowed('a'), allowed('b')])).toBe(`**All 2 functions can be invoked.**

| Allowed | Function |
| --- | --- |
| ✅ | \`a\` |
| ✅ | \`b\` |
`);
  });

  test.each([
    [[true], '**The function can be invoked.**'],
    [[false], "**The function can't be invoked.**"],
    [[undefined], '**The function could not be checked.**'],
    [[false, false], '**None of the 2 functions can be invoked.**'],
    [[undefined, undefined], '**None of the 2 functions could be checked.**'],
    [[false, true], "**1 of 2 functions can't be invoked.**"],
    [[undefined, true], '**1 of 2 functions could not be checked.**'],
    [
      [false, undefined, true],
      "**1 of 3 functions can't be invoked. 1 of 3 functions could not be checked.**",
    ],
  ])('of %j has the heading %s', (verdicts, headline) => {
    const permissions = verdicts.map(
      (may): Permission => ({
        functionName: 'f',
        isAllowed: may === true,
        ...(may !== true && { refusal: may === undefined ? 'other' : 'no_reason' }),
      }),
    );
    expect(renderPermissions(permissions).split('\n')[0]).toBe(headline);
  });

  test('of no functions is empty', () => {
    expect(renderPermissions([])).toBe('');
  });

  test('has the region if there are several', () => {
    const in_ = (name: string): Permission => ({ ...allowed('f'), region: name });
    expect(renderPermissions([in_('eu-west-1'), in_('us-east-1')])).toContain('| ✅ | `f` | `us-east-1` |');
    expect(renderPermissions([in_('eu-west-1'), in_('eu-west-1')])).not.toContain('eu-west-1');
  });

  test.each<[Refusal, string]>([
    ['no_identity_policy', '❌ | `f` | no identity-based policy allows it'],
    ['no_resource_policy', '❌ | `f` | no resource-based policy allows it'],
    ['no_limiting_policy', '❌ | `f` | a policy does not allow it'],
    ['explicit_deny', '❌ | `f` | explicit deny in a policy'],
    ['no_reason', '❌ | `f` | not authorized, AWS gives no reason'],
    ['function_not_found', '❌ | `f` | function not found'],
    ['qualifier_not_found', '❌ | `f` | function, version or alias not found'],
    ['wrong_region', '❌ | `f` | the ARN is in another region'],
    ['credentials_expired', '❌ | `f` | credentials expired'],
    ['credentials_missing', '❌ | `f` | no credentials'],
    ['credentials_unavailable', '❌ | `f` | could not get credentials'],
    ['credentials_invalid', '❌ | `f` | credentials not valid'],
    ['other', '❓ | `f` | not checked'],
  ])('describes %s in words', (refusal, row) => {
    expect(rows(renderPermissions([{ functionName: 'f', isAllowed: false, refusal }]))).toEqual([
      `| ${row} |`,
    ]);
  });

  test.each([
    ['explicit_deny', 'identity', 'explicit deny in an identity-based policy'],
    ['explicit_deny', 'permissions boundary', 'explicit deny in a permissions boundary'],
    ['no_limiting_policy', 'VPC endpoint', 'a VPC endpoint policy does not allow it'],
  ] as const)('names the policy for %s: %s', (refusal, denyingPolicy, words) => {
    const markdown = renderPermissions([{ functionName: 'f', isAllowed: false, refusal, denyingPolicy }]);
    expect(rows(markdown)).toEqual([`| ❌ | \`f\` | ${words} |`]);
  });

  test('names the error because of which a function was not checked', () => {
    const markdown = renderPermissions([
      readPermission(refused({ function_name: 'f' }, 'TooManyRequestsException', 'Rate Exceeded')),
    ]);
    expect(rows(markdown)).toEqual(['| ❓ | `f` | not checked: `TooManyRequestsException` |']);
  });

  test('has no account ID, not even one in a name', () => {
    expect(renderPermissions([allowed('stack-123456789012-fn')])).toContain('| ✅ | `stack-ACCOUNT_ID-fn` |');
  });

  test('over 50 rows shows the denied first and counts the rest', () => {
    const many = Array.from(
      { length: 60 },
      (_, at): Permission =>
        at % 3 === 0
          ? { functionName: `f-${at}`, isAllowed: false, refusal: 'no_reason' }
          : allowed(`f-${at}`),
    );
    const markdown = renderPermissions(many);
    expect(markdown).toContain("**20 of 60 functions can't be invoked.**");
    expect(rows(markdown).map((row) => row.includes('❌'))).toEqual(
      Array.from({ length: 50 }, (_, at) => at < 20),
    );
    expect(markdown.trimEnd().split('\n').at(-1)).toBe('… and 10 more that can be invoked.');
    const worse = Array.from(
      { length: 53 },
      (): Permission => ({
        functionName: 'f',
        isAllowed: false,
        refusal: 'no_reason',
      }),
    );
    expect(
      renderPermissions([allowed('a'), ...worse])
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toBe("… and 3 more that can't be invoked or could not be checked, 1 more that can be invoked.");
  });
});

const HIDDEN_FIX = `Add this statement to the caller's policy:

\`\`\`json
{
  "Effect": "Allow",
  "Action": "lambda:InvokeFunction",
  "Resource": [
    "arn:aws:lambda:eu-west-1:ACCOUNT_ID_1:function:orders",
    "arn:aws:lambda:eu-west-1:ACCOUNT_ID_1:function:orders:PROD",
    "arn:aws:lambda:eu-west-1:ACCOUNT_ID_2:function:shared"
  ]
}
\`\`\`

- \`shared\`: the function is in another account. Both accounts have to allow it: the caller's with the statement, and the function's with a permission that its owner adds.
- \`shared\`: if the role has a path, add it to the principal (\`role/PATH/NAME\`): AWS's message leaves it out.
- \`vault\`: a service control policy explicitly denies it. An Allow cannot override a Deny: change the Deny. In AWS Organizations, check the service control policies of the caller's account, its organizational units and the root.

The owner of the function runs:

\`\`\`sh
aws lambda add-permission --function-name arn:aws:lambda:eu-west-1:ACCOUNT_ID_2:function:shared --statement-id invoke-from-ACCOUNT_ID_1-deploy --action lambda:InvokeFunction --principal arn:aws:iam::ACCOUNT_ID_1:role/deploy --region eu-west-1
\`\`\`
`;

describe('the fix', () => {
  test('for six functions is one statement, the notes and the command for the owner', () => {
    const fix = fixOf(SIX);
    expect(renderFix(fix, { accountIds: 'hidden' })).toBe(HIDDEN_FIX);
    expect(renderFix(fix, { accountIds: 'shown' })).toBe(
      HIDDEN_FIX.replaceAll('ACCOUNT_ID_1', '123456789012').replaceAll('ACCOUNT_ID_2', '210987654321'),
    );
  });

  test('of no functions is empty', () => {
    expect(renderFix({ notes: [], commands: [] }, { accountIds: 'shown' })).toBe('');
  });

  test('has a fence longer than any run of backticks', () => {
    expect(renderFix({ statement: '````', notes: [], commands: [] }, { accountIds: 'shown' })).toContain(
      '\n`````json\n````\n`````\n',
    );
  });
});

test.each([
  ['no id', 'no id'],
  ['123456789012 and 123456789012', 'ACCOUNT_ID and ACCOUNT_ID'],
  ['222222222222:111111111111:222222222222', 'ACCOUNT_ID_1:ACCOUNT_ID_2:ACCOUNT_ID_1'],
  ['a1700000000000 12345678901', 'a1700000000000 12345678901'],
  ['arn:aws:sts::12345678901…', 'arn:aws:sts::…'],
  ['stack-a123456789012…', 'stack-aACCOUNT_ID…'],
  ['[12345678…](https://a) [1a345678…](https://b)', '[12345678…](https://a) [1a345678…](https://b)'],
])('without account IDs %j is %j', (text, hidden) => {
  expect(hideAccountIds(text)).toBe(hidden);
});

const gitHub = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeSanitize);

/** The elements in order, and the text outside of code. */
function drawn(markdown: string): { elements: string[]; text: string } {
  const root = gitHub.runSync(gitHub.parse(markdown));
  const elements: string[] = [];
  visit(root, 'element', ({ tagName }) => {
    elements.push(tagName);
  });
  const textOf = (node: Nodes): string => {
    if (node.type === 'text') return node.value;
    if (node.type === 'element' && node.tagName === 'code') return '';
    return 'children' in node ? node.children.map(textOf).join('') : '';
  };
  return { elements, text: textOf(root) };
}

const SKELETON = ['p', 'strong', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'code', 'pre', 'ul', 'li'];
const OUR_WORDS = /^[A-Za-z0-9 \n.,:;…✅❌❓'()-]*$/u;

const account = fc.constantFrom(
  '123456789012',
  '123456789012',
  '210987654321',
  '1234567890123',
  '12345678901x',
);
/** Text with a mark that no pattern accepts, for each position where an AWS message has a value. */
const evil = hostileText.map((text) => `☠${text}☠`);
const value = fc.oneof(evil, evil, fc.constantFrom('deploy', 'a`b', '$(id)', '*'));
const message = fc.oneof(
  evil,
  fc
    .record({
      account,
      owner: account,
      role: value,
      session: value,
      resource: value,
      policy: value,
      kind: fc.constantFrom('an identity-based policy', 'a service control policy', 'a policy', ''),
      reason: fc.constantFrom(
        'because no identity-based policy allows the lambda:InvokeFunction action',
        'because no resource-based policy allows the lambda:InvokeFunction action',
        'because no permissions boundary allows it',
        'with an explicit deny in',
        '',
      ),
    })
    .map(
      (of) =>
        `User: arn:aws:sts::${of.account}:assumed-role/${of.role}/${of.session} is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:eu-west-1:${of.owner}:function:${of.resource} ${of.reason} ${of.kind}: arn:aws:iam::${of.account}:policy/${of.policy}`,
    ),
  fc
    .record({ account, owner: account, rest: evil, after: evil })
    .map(
      (of) =>
        `User: arn:aws:sts::${of.account}:assumed-role/deploy/s is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:eu-west-1:${of.owner}:function:FUNCTION because no identity-based policy ${of.rest}: arn:aws:iam::${of.owner}:policy/x${of.after}`,
    ),
  fc
    .tuple(account, evil)
    .map(([id, text]) => `Function not found: arn:aws:lambda:eu-west-1:${id}:function:${text}`),
);

const hostileOutcome: fc.Arbitrary<Outcome> = fc
  .record({
    function_name: functionName,
    qualifier: fc.option(qualifier, { nil: undefined }),
    region,
    name: fc.constantFrom('AccessDeniedException', 'AccessDeniedException', 'ResourceNotFoundException', 'X'),
    message,
  })
  .map(({ function_name, qualifier: of, region: where, name, message: text }) =>
    refused(
      { function_name, region: where, ...(of !== undefined && { qualifier: of }) },
      name,
      text.replaceAll('FUNCTION', function_name).replaceAll('eu-west-1', where),
    ),
  );

describe('for any message', () => {
  const outcomes = fc.array(hostileOutcome, { minLength: 1, maxLength: 5 });

  heavyTest('the hidden part has no account ID, and there are no foreign elements or text', () => {
    let fixed = 0;
    const all = fc.property(outcomes, (dryRuns) => {
      const permissions = dryRuns.map(readPermission);
      const tableMarkdown = renderPermissions(permissions);
      const fixMarkdown = renderFix(fixOf(permissions), { accountIds: 'hidden' });
      if (fixMarkdown.includes('```json')) fixed += 1;
      for (const markdown of [tableMarkdown, fixMarkdown]) {
        expect(markdown).not.toMatch(/(?<!\d)\d{12}(?!\d)/);
        expect(markdown).not.toContain('☠');
        const { elements, text } = drawn(markdown);
        expect(elements.filter((element) => !SKELETON.includes(element))).toEqual([]);
        expect(text).toMatch(OUR_WORDS);
      }
      const { elements } = drawn(tableMarkdown);
      expect(elements.filter((element) => element === 'tr')).toHaveLength(permissions.length + 1);
      expect(elements.filter((element) => element === 'strong')).toHaveLength(1);
      const columns = elements.filter((element) => element === 'th').length;
      expect(elements.filter((element) => element === 'td')).toHaveLength(columns * permissions.length);
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
    expect(fixed).toBeGreaterThan(50);
  });

  test('the statement is JSON with ARNs of the requested functions, and commands have no extra meaning in a shell', () => {
    const all = fc.property(outcomes, (dryRuns) => {
      const { statement, commands } = fixOf(dryRuns.map(readPermission));
      const names = dryRuns.map(({ function_name: name }) => name);
      const { Resource: resources = [] }: { Resource?: string[] } = JSON.parse(statement ?? '{}');
      for (const resource of resources) {
        const [, , service, , , , name, , ...rest] = resource.split(':');
        expect([service, rest]).toEqual(['lambda', []]);
        expect(names).toContain(name);
      }
      for (const command of commands) expect(command).toMatch(/^[\w +=,.@/:-]+$/);
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
  });

  test('nothing is thrown', () => {
    const any = fc.record({
      name: fc.oneof(fc.constant('AccessDeniedException'), hostileText),
      text: hostileText,
    });
    const all = fc.property(fc.array(any, { maxLength: 3 }), (errors) => {
      const permissions = errors.map(({ name, text }) =>
        readPermission(refused({ function_name: 'f' }, name, text)),
      );
      expect(permissions.map(({ isAllowed }) => isAllowed)).toEqual(errors.map(() => false));
      expect(rows(renderPermissions(permissions))).toHaveLength(errors.length);
      expect(typeof renderFix(fixOf(permissions), { accountIds: 'hidden' })).toBe('string');
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
  });
});
