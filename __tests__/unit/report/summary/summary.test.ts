import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { MaskedEvaluation } from '../../../../src/outcome/masks.ts';
import { renderSummary } from '../../../../src/report/summary/summary.ts';
import { heavyTest } from '../../../heavy.ts';
import {
  expectationFailed,
  failed,
  LOG_URL,
  notInvoked,
  REQUEST_ID,
  reportedOf,
  succeeded,
  unknown,
} from '../factory.ts';

/** A summary with plain spaces, and with LINK instead of each link to a log. */
const render = (evaluations: readonly MaskedEvaluation[]): string =>
  renderSummary(reportedOf(evaluations))
    .replaceAll('\u00a0', ' ')
    .replace(/\]\(https:[^)]*\)/g, '](LINK)');
const headingOf = (evaluation: MaskedEvaluation): string | undefined => render([evaluation]).split('\n')[0];

const FIGURES = {
  executed_version: '7',
  duration_ms: 1233.96,
  billed_duration_ms: 1698,
  memory_size_mb: 256,
  max_memory_used_mb: 123,
  cold_start: true,
  init_duration_ms: 412.3,
};
const TYPE_ERROR = {
  errorType: 'TypeError',
  errorMessage: "Cannot read properties of undefined (reading 'id')",
  trace: ['TypeError: …', '    at handler (file:///var/task/index.mjs:12:5)'],
};

describe('the summary of one invocation', () => {
  test('has its success and its figures on one line', () => {
    expect(render([succeeded({ qualifier: 'live', ...FIGURES })]).split('\n')).toEqual([
      '### ✅ `my-function:live` succeeded',
      '',
      'version 7 · eu-west-1 · request [11111111…](LINK) · 1,234 ms (billed 1,698 ms) · 123 of 256 MB · cold start 412 ms · [Log](LINK)',
      '',
    ]);
  });

  test('starts with the error of a function: type, message, its first own frame, and where it ran', () => {
    expect(
      render([failed(TYPE_ERROR, { executed_version: '7', duration_ms: 12 })])
        .split('\n')
        .slice(0, 5),
    ).toEqual([
      '### ❌ `my-function` failed: TypeError',
      '',
      "> **`TypeError: Cannot read properties of undefined (reading 'id')`**\\",
      '> `at handler (index.mjs:12:5)` · version 7 · eu-west-1 · request [11111111…](LINK)',
      '',
    ]);
  });

  test('has expected and actual as a table', () => {
    const expectations = [
      { expression: 'response.a == `1`', met: true, value: 1 },
      { expression: 'response.b == `2` || c', met: false, value: { three: 3 } },
      { expression: 'to_number(response.d)', met: false },
    ];
    expect(render([expectationFailed({ expectations, duration_ms: 12 })]).split('\n')).toEqual([
      '### ❌ `my-function` did not meet 2 of 3 expectations',
      '',
      '| Actual | Expectation |',
      '| --- | --- |',
      '| `{"three":3}` | ``response.b == `2` \\|\\| c`` |',
      '| cannot be evaluated | `to_number(response.d)` |',
      '',
      'eu-west-1 · 12 ms',
      '',
    ]);
  });

  test('has the reason why it was not invoked and the fix, without a link to a log', () => {
    const error = {
      name: 'AccessDeniedException',
      message: 'no policy of @octocat allows it',
      advice: 'Set `a: b` in the policy of @octocat_1.\nSee my_role.',
    };
    expect(render([notInvoked({ error, request_id: REQUEST_ID, attempts: 3 })]).split('\n')).toEqual([
      '### ❌ `my-function` was not invoked: AccessDeniedException',
      '',
      '> **`AccessDeniedException: no policy of @octocat allows it`**\\',
      `> eu-west-1 · request \`${REQUEST_ID}\` · 3 attempts`,
      '',
      '**What to do:** Set `a: b` in the policy of `@octocat_1`.\\',
      'See my\\_role.',
      '',
    ]);
  });

  test('has advice with links only to the console', () => {
    const page =
      'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/x$3D1';
    const advice = `Check ${page} and https://evil.example/cloudwatch/home?region=eu-west-1#logsV2:x .`;
    const markdown = renderSummary(reportedOf([unknown({ error: { name: 'E', message: 'm', advice } })]));
    expect(markdown).toContain(`Check [open the log](${page}) and \`https://evil.example/cloudwatch/`);
  });

  test('says that it may have run', () => {
    const markdown = render([unknown({ elapsed_ms: 61_000 })]);
    expect(markdown).toMatch(/^### ❓ `my-function` may have run\n\n> \*\*`ECONNRESET: socket hang up`\*\*/);
    expect(markdown).toContain('round-trip time 61 s · [Log](LINK)\n');
  });

  test('does not speak of a response to an event', () => {
    const error = { name: 'EventUnresolved', message: 'timed out', advice: '' };
    expect(render([unknown({ invocation_type: 'Event', ran: 'finished', error })])).toMatch(
      /^### ❓ `my-function` accepted the event, but how it ended is not known\n/,
    );
  });

  test.each([
    [
      failed({ errorType: 'www.evil.example', errorMessage: 'x' }),
      '### ❌ `my-function` failed: `www.evil.example`',
    ],
    [failed({ errorType: '@octocat', errorMessage: 'x' }), '### ❌ `my-function` failed: `@octocat`'],
    [failed('text'), '### ❌ `my-function` failed'],
    [succeeded({ invocation_type: 'Event', status_code: 202 }), '### ✅ `my-function` was queued'],
    [
      succeeded({ invocation_type: 'Event', status_code: 202, duration_ms: 9 }),
      '### ✅ `my-function` handled its event',
    ],
  ])('has a heading that foreign text cannot change: %#', (evaluation, heading) => {
    expect(headingOf(evaluation)).toBe(heading);
  });

  test('links a request to its log events', () => {
    expect(renderSummary(reportedOf([succeeded()]))).toMatch(
      new RegExp(
        `\\[Log\\]\\(https://eu-west-1\\.console\\.aws\\.amazon\\.com/cloudwatch/home\\?region=eu-west-1#logsV2:[^ )]+${REQUEST_ID}[^ )]* "${REQUEST_ID}"\\)`,
      ),
    );
  });

  test("shows a request ID that is not Lambda's as foreign text", () => {
    const markdown = renderSummary(
      reportedOf([notInvoked({ request_id: '](https://evil.example) | @octocat' })]),
    );
    expect(markdown).toContain('request `](https://evil.example) | @octocat`');
  });

  test('cuts a long error', () => {
    const markdown = render([failed({ errorType: 'E', errorMessage: 'x'.repeat(5_000_000) })]);
    expect(markdown).toContain('…`**');
    expect(markdown.length).toBeLessThan(1_500);
  });

  test('has no response and no log of a function by default', () => {
    const markdown = render([succeeded({ response: { secret: 'hunter2' }, log_result: 'hunter2' })]);
    expect(markdown).not.toContain('hunter2');
  });

  test('has what the log shows folded, cut at 4 KB, in a fence that it cannot end', () => {
    const contents = [
      { title: 'Response', foreign: '````\n</details>\n@octocat' },
      { title: 'Function log (last 4 KB)', foreign: 'x'.repeat(5_000) },
    ];
    const markdown = renderSummary(reportedOf([succeeded()]), { contents });
    expect(markdown).toContain(
      '<details><summary>Response</summary>\n\n`````\n````\n</details>\n@octocat\n`````\n\n</details>',
    );
    expect(markdown).toContain(
      `\n\`\`\`\n${'x'.repeat(4_096)}\n… cut: the first 4,096 of 5,000 bytes\n\`\`\``,
    );
  });

  test.each([
    [undefined, ''],
    ['__octo-org_invoke', ''],
    ['__octo-org_invoke_2', ' (AWS Lambda Invoke, step 2)'],
    ['__self_13', ' (AWS Lambda Invoke, step 13)'],
    ['warm-up', ' (AWS Lambda Invoke, step `warm-up`)'],
  ])('of a step with the ID %s has a heading that tells it from others', (stepId, step) => {
    const extras = stepId === undefined ? {} : { stepId };
    const [heading] = renderSummary(reportedOf([succeeded()]), extras).split('\n');
    expect(heading).toBe(`### ✅ \`my-function\` succeeded${step}`);
  });
});

const START = Date.parse('2026-01-02T03:04:05.000Z');
const startingAt = (ms: number) => ({ started_at: new Date(START + ms).toISOString() });
const withoutPicture = (markdown: string): string[] =>
  markdown.replace(/```mermaid\n[^`]*```/, '(picture)').split('\n');

const successes = (count: number, fields = {}): MaskedEvaluation[] =>
  Array.from({ length: count }, (_, index) => succeeded({ index, ...fields }));
const failures = (count: number, from = 0): MaskedEvaluation[] =>
  Array.from({ length: count }, (_, at) => notInvoked({ index: from + at }));

describe('the summary of several invocations', () => {
  test('that succeeded is one line of statistics and collapsed details', () => {
    const markdown = render([
      succeeded({ ...startingAt(0), elapsed_ms: 1_500 }),
      succeeded({ index: 1, ...startingAt(1_000), elapsed_ms: 1_000 }),
    ]);
    expect(withoutPicture(markdown)).toEqual([
      '### ✅ `my-function`: 2 invocations succeeded',
      '',
      'Round-trip time: p50 1,000 ms, p95 1,500 ms, max 1,500 ms · took 2 s',
      '',
      '<details><summary>Timeline</summary>',
      '',
      '⬜ succeeded',
      '',
      '(picture)',
      '',
      '</details>',
      '',
      '<details><summary>2 successes</summary>',
      '',
      '| # | Duration | Log |',
      '| --- | --- | --- |',
      '| 1 | 1,500 ms | [Log](LINK) |',
      '| 2 | 1,000 ms | [Log](LINK) |',
      '',
      '</details>',
      '',
    ]);
  });

  test('starts with the counted errors and the failures, with columns that distinguish entries', () => {
    const markdown = render([
      succeeded({ duration_ms: 610, cold_start: true, ...startingAt(0) }),
      failed(TYPE_ERROR, { index: 1, region: 'us-east-1', duration_ms: 3, ...startingAt(0) }),
      notInvoked({ index: 2, tenant_id: 'a|b', ...startingAt(0) }),
      failed(TYPE_ERROR, { index: 3, qualifier: 'live', cold_start: false, ...startingAt(0) }),
      unknown({ index: 4, ...startingAt(0) }),
    ]);
    const error = "`TypeError: Cannot read properties of undefined (reading 'id')`";
    expect(withoutPicture(markdown).slice(0, 22)).toEqual([
      '### ❌ AWS Lambda Invoke: 4 of 5 invocations failed',
      '',
      '| What failed | Count | Entries |',
      '| --- | --- | --- |',
      `| ❌ ${error} | 2 | 2, 4 |`,
      '| ❌ `AccessDeniedException` (not run) | 1 | 3 |',
      '| ❓ `ECONNRESET` (may have run) | 1 | 5 |',
      '',
      '<details open><summary>4 failures</summary>',
      '',
      '| # | Function, tenant, region | Error, duration, log |',
      '| --- | --- | --- |',
      `| 2 | \`my-function\`<br>\`us-east-1\` | ${error}<br>3 ms · [Log](LINK) |`,
      '| 3 | `my-function`<br>`a\\|b`<br>`eu-west-1` | `AccessDeniedException` (not run) |',
      `| 4 | \`my-function:live\`<br>\`eu-west-1\` | ${error}<br>42 ms · [Log](LINK) |`,
      '| 5 | `my-function`<br>`eu-west-1` | `ECONNRESET` (may have run)<br>42 ms · [Log](LINK) |',
      '',
      '</details>',
      '',
      '1 succeeded · Duration (reported by Lambda), 2 of 5 invocations: p50 3 ms, p95 610 ms, max 610 ms · 1 cold start · took 42 ms',
      '',
      '<details><summary>Timeline</summary>',
    ]);
  });

  test('names the entries that have names', () => {
    const markdown = render([
      notInvoked({ index: 0, name: 'tenant 4' }),
      succeeded({ index: 1, name: 'a|b' }),
    ]);
    expect(markdown).toContain('| # | Name | Error, duration, log |\n');
    expect(markdown).toContain('\n| 1 | `tenant 4` | ');
    expect(markdown).toContain('\n| 2 | `a\\|b` | ');
  });

  test('begins with the failure that stopped the step, and counts what was not sent', () => {
    const error = { name: 'StoppedOnFailure', message: 'another invocation failed', advice: '' };
    const markdown = render([
      succeeded({ index: 0 }),
      failed({ errorType: 'TypeError', errorMessage: 'no table' }, { index: 1 }),
      ...[2, 3].map((index) => notInvoked({ index, error })),
    ]);
    expect(markdown).toMatch(/^### ❌ `my-function`: 1 of 4 invocations failed, 2 not sent\n/);
    const [cause, left] = markdown.split('\n').filter((line) => line.startsWith('| ❌ '));
    expect(cause).toBe('| ❌ `TypeError: no table` | 1 | 2 |');
    expect(left).toBe('| ❌ Not sent after the failure | 2 | 3, 4 |');
    expect(markdown).toContain('<summary>1 failure</summary>');
    expect(markdown).toContain('section 2 ');
    expect(markdown).not.toContain('section 3 ');
  });

  test('groups failures by the expectation that is not met', () => {
    const expectations = [{ expression: 'response.ok', met: false, value: null }];
    const markdown = render([0, 1].map((index) => expectationFailed({ index, expectations })));
    expect(markdown).toContain('| ❌ `response.ok` not met | 2 | 1, 2 |');
  });

  test.each([
    [999, '999 ms'],
    [9_999, '10 s'],
    [75_230, '75.2 s'],
    [930_000, '15.5 min'],
  ])('formats %d ms', (elapsed_ms, words) => {
    expect(render([succeeded({ elapsed_ms }), succeeded({ elapsed_ms: 1 })])).toContain(`took ${words}\n`);
  });
});

describe('the summary of many invocations', () => {
  test('has the first ten failures, and cuts long lists of entries with a count', () => {
    const markdown = render([...successes(288), ...failures(12, 288)]);
    expect(markdown).toMatch(/^### ❌ `my-function`: 12 of 300 invocations failed\n/);
    expect(markdown).toContain('| 12 | 289, 290, 291, 292, 293, 294, 295, 296, 297, 298 … and 2 more |');
    expect(markdown).toContain('<summary>First 10 of 12 failures</summary>');
    expect(markdown).toContain('\n| 298 | `Acc');
    expect(markdown).not.toContain('\n| 299 | `Acc');
  });

  test('has the first 50 successes and says where to find all', () => {
    const markdown = render(successes(51));
    expect(markdown).toContain('<summary>51 successes (first 50)</summary>');
    expect(markdown.match(/^\| \d+ \|/gm)).toHaveLength(50);
    expect(markdown).toContain('All are in the outcomes file (output `outcomes_file`).');
  });

  test('has the ten most frequent errors and counts the others', () => {
    const one = (index: number, errorMessage: string) => failed({ errorMessage }, { index });
    const markdown = render([
      ...Array.from({ length: 20 }, (_, index) => one(index, `order ${index}`)),
      one(20, 'frequent'),
      one(21, 'frequent'),
    ]);
    const [first] = markdown.match(/^\| ❌ .*$/gm) ?? [];
    expect(first).toBe('| ❌ `frequent` | 2 | 21, 22 |');
    expect(markdown.match(/^\| ❌ /gm)).toHaveLength(10);
    expect(markdown).toContain('… and 11 other errors.');
  });

  heavyTest.each([
    ['sequential invocations', 1],
    ['concurrent invocations', 0],
  ])('of 100,000 %s is short and quick to render', (_, step) => {
    const evaluations = Array.from({ length: 100_000 }, (_unused, index) => {
      const fields = {
        index,
        function_name: 'f'.repeat(64),
        qualifier: 'q'.repeat(128),
        request_id: REQUEST_ID,
        ...startingAt(index * step),
        elapsed_ms: 900_000,
      };
      return index % 3 === 0
        ? failed({ errorType: `${index}`, errorMessage: '|`'.repeat(500) }, fields)
        : succeeded(fields);
    });
    // Quadratic time would take minutes.
    expect(Buffer.byteLength(renderSummary(reportedOf(evaluations)))).toBeLessThan(200_000);
  });
});

describe('an outcome of an earlier run', () => {
  test('is marked, alone and among others, and its time is none of this run', () => {
    expect(headingOf(succeeded({ resumed: true }))).toBe('### ✅ `my-function` succeeded in an earlier run');
    const markdown = render([
      succeeded({ index: 0, resumed: true, elapsed_ms: 9_000 }),
      succeeded({ index: 1, elapsed_ms: 40 }),
    ]);
    expect(markdown).toMatch(/^### ✅ .*: 2 invocations succeeded\n\n1 from an earlier run · /);
    expect(markdown).toMatch(/^\| 1 \| earlier run \|/m);
    expect(markdown).not.toContain('9,000 ms');
    expect(markdown).not.toContain('Timeline');
  });

  test('is all there is to say where every one is', () => {
    const markdown = render([succeeded({ index: 0, resumed: true }), succeeded({ index: 1, resumed: true })]);
    expect(markdown).toMatch(/: 2 invocations succeeded\n\n2 from an earlier run\n/);
  });
});

test('an outcome of a journal from anyone brings no markup with its log and its request ID', () => {
  const forged = [
    { log_url: 'https://a.example) @octocat [x](https://b.example', request_id: REQUEST_ID },
    { log_url: LOG_URL, request_id: '") @octocat ![x](https://b.example)' },
  ];
  for (const fields of forged) {
    for (const outcomes of [[succeeded(fields)], [succeeded(fields), failed(TYPE_ERROR, fields)]]) {
      const markdown = renderSummary(reportedOf(outcomes)).replace(/`[^`]*`/g, '');
      expect(markdown).not.toMatch(/octocat|example/);
    }
  }
});
