import { describe, expect, test } from '@jest/globals';
import { invocationFor, planFor, problemsFor } from './factory.ts';

describe('invocation_type', () => {
  test.each([
    ['RequestResponse', 'RequestResponse'],
    ['Event', 'Event'],
    ['DryRun', 'DryRun'],
    ['event', 'Event'],
    ['EVENT', 'Event'],
    ['requestResponse', 'RequestResponse'],
    ['dryrun', 'DryRun'],
  ])('%s is accepted as %s', async (value, type) => {
    expect((await invocationFor({ invocation_type: value })).invocationType).toBe(type);
  });

  test.each([
    ['async', 'Event'],
    ['asynchronous', 'Event'],
    ['Sync', 'RequestResponse'],
    ['Events', 'Event'],
    ['request_response', 'RequestResponse'],
    ['Request-Response', 'RequestResponse'],
    ['RequestRespons', 'RequestResponse'],
    ['dry-run', 'DryRun'],
  ])('%s is rejected, and %s is suggested', async (value, meant) => {
    expect(await problemsFor({ invocation_type: value })).toEqual([
      `invocation_type must be RequestResponse, Event or DryRun; got "${value}" (did you mean "${meant}"?).`,
    ]);
  });

  test('a word that is not similar to any value is rejected without a suggestion', async () => {
    expect(await problemsFor({ invocation_type: 'background' })).toEqual([
      'invocation_type must be RequestResponse, Event or DryRun; got "background".',
    ]);
  });
});

describe('log_type', () => {
  test.each([
    ['None', 'None'],
    ['Tail', 'Tail'],
    ['tail', 'Tail'],
    ['NONE', 'None'],
  ])('%s is accepted as %s', async (value, type) => {
    expect((await invocationFor({ log_type: value })).logType).toBe(type);
  });

  test.each([
    ['true', 'Tail'],
    ['false', 'None'],
    ['Tails', 'Tail'],
  ])('%s is rejected, and %s is suggested', async (value, meant) => {
    expect(await problemsFor({ log_type: value })).toEqual([
      `log_type must be None or Tail; got "${value}" (did you mean "${meant}"?).`,
    ]);
  });
});

describe('retry', () => {
  test.each(['safe', 'idempotent', 'never'])('%s is accepted in any letter case', async (retry) => {
    expect((await planFor({ retry })).policy.retry).toBe(retry);
    expect((await planFor({ retry: retry.toUpperCase() })).policy.retry).toBe(retry);
  });

  test('Never is read as never, also for the log tail of copies', async () => {
    const { invocations } = await planFor({ retry: 'Never', repeat: '2' });
    expect(invocations.map(({ logType }) => logType)).toEqual(['None', 'None']);
  });

  test.each([
    ['none', ' (did you mean "never"?)'],
    ['false', ' (did you mean "never"?)'],
    ['true', ' (did you mean "safe"?)'],
    ['saef', ' (did you mean "safe"?)'],
    ['3', ' (retry is a policy, not a count; retry_seconds limits how long)'],
    ['idempotence', ' (did you mean "idempotent"?)'],
    ['always', ''],
  ])('%s is rejected', async (retry, suggested) => {
    expect(await problemsFor({ retry })).toEqual([
      `retry must be safe, idempotent or never; got "${retry}"${suggested}.`,
    ]);
  });
});

test.each([
  ['true', ' (did you mean "stop"?)'],
  ['cancel', ' (did you mean "stop"?)'],
  ['false', ' (did you mean "leave"?)'],
  ['continue', ' (did you mean "leave"?)'],
  ['restart', ''],
])('on_cancel: %s is rejected', async (given, suggested) => {
  expect(await problemsFor({ on_cancel: given })).toEqual([
    `on_cancel must be leave or stop; got "${given}"${suggested}.`,
  ]);
});

const FLAGS = ['fail_on_function_error', 'show_response', 'summary'] as const;

describe.each([
  { input: FLAGS[0], field: 'failOnFunctionError' },
  { input: FLAGS[1], field: 'showResponse' },
  { input: FLAGS[2], field: 'writeSummary' },
])('$input', ({ input, field }) => {
  test.each([
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['false', false],
    ['False', false],
    ['FALSE', false],
  ])('accepts %s from YAML', async (value, meant) => {
    expect(await planFor({ [input]: value })).toMatchObject({ [field]: meant });
  });

  test.each([
    ['yes', ' (did you mean "true"?)'],
    ['no', ' (did you mean "false"?)'],
    ['on', ' (did you mean "true"?)'],
    ['off', ' (did you mean "false"?)'],
    ['1', ' (did you mean "true"?)'],
    ['0', ' (did you mean "false"?)'],
    ['y', ' (did you mean "true"?)'],
    ['tRUE', ' (did you mean "true"?)'],
    ['truee', ' (did you mean "true"?)'],
    ['flase', ' (did you mean "false"?)'],
    ['null', ''],
    ['perhaps', ''],
  ])('rejects %s', async (value, meant) => {
    expect(await problemsFor({ [input]: value })).toEqual([
      `${input} must be true or false; got "${value}"${meant}.`,
    ]);
  });
});
