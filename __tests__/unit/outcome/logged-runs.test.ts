import { describe, expect, test } from '@jest/globals';
import type { LogEvidence, LoggedRun } from '../../../src/lambda/invocation.ts';
import { ranOf, runInWords } from '../../../src/outcome/logged-runs.ts';
import { REQUEST_ID } from '../../base.ts';
import { failure } from './factory.ts';

const inLog = (...reports: readonly LoggedRun['report'][]): LogEvidence => ({
  logGroup: '/aws/lambda/my-function',
  runs: reports.map((report) => ({ requestId: REQUEST_ID, ...(report && { report }) })),
});

describe('what a log shows', () => {
  test.each<[string, LogEvidence, string | undefined]>([
    ['nothing', inLog(), undefined],
    [
      'a start',
      inLog(undefined),
      'The function started, and its log does not show how it ended. Its response was lost.',
    ],
    [
      'an end',
      inLog({ durationMs: 312_400 }),
      'The function ran to its end in 312 s. Its response was lost.',
    ],
    [
      'a short run',
      inLog({ durationMs: 41 }),
      'The function ran to its end in 41 ms. Its response was lost.',
    ],
    [
      'a success',
      inLog({ durationMs: 1_500, status: 'success' }),
      'The function ran to its end in 1.5 s. Its response was lost.',
    ],
    ['an end without a time', inLog({}), 'The function ran to its end. Its response was lost.'],
    [
      'a time limit',
      inLog({ durationMs: 3_000, status: 'timeout' }),
      'The function timed out after 3 s. Its response was lost.',
    ],
    [
      'an error',
      inLog({ durationMs: 20, status: 'error', errorType: 'Runtime.ExitError' }),
      'The function failed after 20 ms (Runtime.ExitError). Its response was lost.',
    ],
    ['a status that is new', inLog({ status: 'constructor' }), 'The function failed. Its response was lost.'],
    [
      'three runs',
      inLog({ durationMs: 2_000 }, { status: 'timeout' }, undefined),
      `The function ran 3 times: ${REQUEST_ID} ran to its end in 2 s; ${REQUEST_ID} timed out; ${REQUEST_ID} started, and its log does not show how it ended. Its response was lost.`,
    ],
  ])('is told: %s', (_, evidence, sentence) => {
    expect(runInWords(evidence)).toBe(sentence);
  });

  test.each([
    ['may_have_run', inLog(), 'may_have_run'],
    ['may_have_run', undefined, 'may_have_run'],
    ['may_have_run', inLog(undefined), 'started'],
    ['may_have_run', inLog({}), 'finished'],
    ['may_have_run', inLog({}, undefined), 'started'],
    ['ran', inLog(), 'started'],
    ['ran', inLog({}), 'finished'],
    ['did_not_run', undefined, 'did_not_run'],
  ] as const)('adds to what is known: %s', (evidence, seen, ran) => {
    expect(ranOf(failure({ evidence }), seen)).toBe(ran);
  });
});
