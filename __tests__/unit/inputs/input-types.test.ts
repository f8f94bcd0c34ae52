import { describe, expect, test } from '@jest/globals';
import { invocationFor, planFor, problemsFor } from './factory.ts';

describe('invocation_type', () => {
  test.each(['RequestResponse', 'Event', 'DryRun'])('%s is accepted', async (type) => {
    expect((await invocationFor({ invocation_type: type })).invocationType).toBe(type);
  });

  test.each([
    ['event', 'Event'],
    ['EVENT', 'Event'],
    ['Events', 'Event'],
    ['request_response', 'RequestResponse'],
    ['Request-Response', 'RequestResponse'],
    ['RequestRespons', 'RequestResponse'],
    ['dry-run', 'DryRun'],
    ['dryrun', 'DryRun'],
  ])('%s is refused, and %s suggested', async (value, meant) => {
    expect(await problemsFor({ invocation_type: value })).toEqual([
      `invocation_type must be RequestResponse, Event or DryRun; got "${value}" (did you mean "${meant}"?).`,
    ]);
  });

  test('a word that comes near to nothing is refused without a suggestion', async () => {
    expect(await problemsFor({ invocation_type: 'asynchronous' })).toEqual([
      'invocation_type must be RequestResponse, Event or DryRun; got "asynchronous".',
    ]);
  });
});

describe('log_type', () => {
  test.each(['None', 'Tail'])('%s is accepted', async (type) => {
    expect((await invocationFor({ log_type: type })).logType).toBe(type);
  });

  test.each([
    ['tail', 'Tail'],
    ['none', 'None'],
    ['Tails', 'Tail'],
  ])('%s is refused, and %s suggested', async (value, meant) => {
    expect(await problemsFor({ log_type: value })).toEqual([
      `log_type must be None or Tail; got "${value}" (did you mean "${meant}"?).`,
    ]);
  });
});

describe('retry', () => {
  test.each(['safe', 'idempotent', 'never'])('%s is accepted', async (retry) => {
    expect((await planFor({ retry })).policy.retry).toBe(retry);
  });

  test.each([
    ['Safe', ' (did you mean "safe"?)'],
    ['idempotence', ' (did you mean "idempotent"?)'],
    ['always', ''],
  ])('%s is refused', async (retry, suggested) => {
    expect(await problemsFor({ retry })).toEqual([
      `retry must be safe, idempotent or never; got "${retry}"${suggested}.`,
    ]);
  });
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
  ])('takes YAML’s %s', async (value, meant) => {
    expect(await planFor({ [input]: value })).toMatchObject({ [field]: meant });
  });

  test.each(['yes', 'no', 'on', 'off', '1', '0', 'y', 'tRUE', 'truE', 'null', 'truee'])(
    'refuses %s',
    async (value) => {
      expect(await problemsFor({ [input]: value })).toEqual([
        `${input} must be true or false; got "${value}".`,
      ]);
    },
  );
});
