import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { ReportedOutcome } from '../../../../src/outcome/step-results.ts';
import { renderComment, renderJobSummary } from '../../../../src/report/summary/permissions.ts';
import { heavyTest } from '../../../heavy.ts';
import { failed, notInvoked, REQUEST_ID, reportedOf, succeeded } from '../factory.ts';

const CALLER = 'arn:aws:sts::123456789012:assumed-role/deploy/session';

const allowed = (name: string): ReportedOutcome =>
  succeeded({ function_name: name, invocation_type: 'DryRun', status_code: 204 }).outcome;
const refused = (name: string): ReportedOutcome =>
  notInvoked({
    function_name: name,
    invocation_type: 'DryRun',
    error: {
      name: 'AccessDeniedException',
      message: `User: ${CALLER} is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:eu-west-1:123456789012:function:${name} because no identity-based policy allows the lambda:InvokeFunction action. The function did not run.`,
      advice: 'Allow it.',
    },
  }).outcome;
const BELONGS = { key: 'CI/check', commit: 'a'.repeat(40), runUrl: 'https://github.com/o/r/actions/runs/1' };

describe('the job summary', () => {
  test('for several dry runs has the permission table and the statement that fixes it', () => {
    const summary = renderJobSummary([allowed('one'), refused('two')]);
    expect(summary).toContain('### ❌ Permission to invoke 2 functions\n');
    expect(summary).toContain("1 of 2 functions can't be invoked.");
    expect(summary).toContain('"arn:aws:lambda:eu-west-1:123456789012:function:two"');
    expect(summary).not.toContain('function:one"');
  });

  test('for a single dry run is the same table, with the statement if it is denied', () => {
    expect(renderJobSummary([allowed('one')])).toBe(
      '### ✅ Permission to invoke `one`\n\n**The function can be invoked.**\n\n| Allowed | Function |\n| --- | --- |\n| ✅ | `one` |\n',
    );
    expect(renderJobSummary([refused('one')])).toContain('### ❌ Permission to invoke `one`\n');
    expect(renderJobSummary([allowed('one')])).not.toContain('Effect');
    expect(renderJobSummary([refused('one')])).toContain('"Effect": "Allow"');
  });

  test('for other invocations has their outcomes', () => {
    const summary = renderJobSummary([allowed('one'), succeeded({ function_name: 'two' }).outcome]);
    expect(summary).toContain('2 invocations succeeded');
    expect(summary).not.toContain('can be invoked');
  });

  heavyTest('stays under the size limit of a runner, however many are denied', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `f-${index}-${'x'.repeat(40)}`);
    const summary = renderJobSummary(names.map(refused));
    expect(Buffer.byteLength(summary)).toBeLessThan(1_000_000);
    expect(summary).toContain('The fix is too long to show.');
  });
});

describe('the comment', () => {
  test('has the table, the collapsed fix, the commit and the run, and no account ID', () => {
    const comment = renderComment([allowed('one'), refused('two')], BELONGS);
    expect(comment).toContain('### ❌ Permission to invoke');
    expect(comment).toContain('<details><summary>How to fix this</summary>');
    expect(comment).toContain('arn:aws:lambda:eu-west-1:ACCOUNT_ID:function:two');
    expect(comment).toContain('aaaaaaa');
    expect(comment).toContain(BELONGS.runUrl);
    expect(comment).not.toMatch(/\d{12}/);
  });

  test('is green if all can be invoked', () => {
    const comment = renderComment([allowed('one'), allowed('two')], BELONGS);
    expect(comment).toContain('### ✅ Permission to invoke');
    expect(comment).not.toContain('<details>');
  });

  test('for an invocation starts with its outcome and error, without account IDs', () => {
    const error = { errorType: 'KeyError', errorMessage: 'account 123456789012' };
    const comment = renderComment(reportedOf([failed(error, { executed_version: '123456789012' })]), BELONGS);
    expect(comment).toContain(
      '### ❌ `my-function` failed: KeyError\n\n> **`KeyError: account ACCOUNT_ID`**',
    );
    // The digits of the request ID are needed to find the log.
    expect(comment).toContain(REQUEST_ID);
    expect(comment).not.toContain('123456789012');
  });

  test('for many has no timeline and collapses the successes', () => {
    const outcomes = [allowed('one'), succeeded({ function_name: 'two' }).outcome];
    expect(renderJobSummary(outcomes)).toContain('```mermaid');
    expect(renderComment(outcomes, BELONGS)).not.toContain('mermaid');
    expect(renderComment(outcomes, BELONGS)).toContain('<details><summary>2 successes</summary>');
  });
});
