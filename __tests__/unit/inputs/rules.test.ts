import { describe, expect, test } from '@jest/globals';
import { INPUT_NAMES, INPUTS } from '../../../src/inputs/schema.ts';
import { planFor, problemsFor } from './factory.ts';

describe('the table of inputs', () => {
  test.each(INPUT_NAMES)('%s has a valid default', (name) => {
    const { parse, default: preset } = INPUTS[name];
    expect(parse(preset)).toHaveProperty('value');
  });
});

describe('the rules about several inputs', () => {
  test('name the entry if it sets one of the inputs, or the step if all are inherited', async () => {
    expect(
      await problemsFor({
        payload: '',
        invocation_type: 'DryRun',
        qualifier: 'PROD',
        invocations:
          '- {}\n- function_name: f:7\n- function_name: f:8\n  qualifier: 9\n- invocation_type: Event\n- {}\n',
      }),
    ).toEqual([
      'invocations, entry 2 (line 2): qualifier is "PROD", but function_name already says "7". Remove one of them.',
      'invocations, entry 3 (line 3): qualifier is "9", but function_name already says "8". Remove one of them.',
      expect.stringMatching(/^invocations, entry 4 \(line 5\): payload is required: /),
    ]);
    expect(await problemsFor({ function_name: 'f:7', qualifier: '9', invocations: '- {}\n- {}' })).toEqual([
      'qualifier is "9", but function_name already says "7". Remove one of them.',
    ]);
  });

  test('are also checked if other inputs are invalid', async () => {
    expect(
      await problemsFor({ repeat: 'many', payload_file: 'a.json', response_stream: 'true', retry: '3' }),
    ).toEqual([
      'payload and payload_file are both given. Keep one of them.',
      'repeat must be a whole number from 1 to 10000; got "many".',
      'retry must be safe, idempotent or never; got "3" (retry is a policy, not a count; retry_seconds limits how long).',
    ]);
  });
});

test('an input of the step is checked even if every entry sets its own', async () => {
  const own = { function_name: '', invocations: '- { function_name: f, region: us-east-1 }' };
  expect(await problemsFor({ ...own, region: 'nowhere' })).toEqual([
    'region must be the code of an AWS region, for example eu-west-1; got "nowhere".',
  ]);
  expect((await planFor({ ...own, region: 'eu-west-1' })).invocations.map(({ region }) => region)).toEqual([
    'us-east-1',
  ]);
});

describe('stop_on_failure gets a warning', () => {
  const list = (count: number): string => '- payload: { a: 1 }\n'.repeat(count);
  const warningsOf = async (given: Readonly<Record<string, string>>): Promise<readonly string[]> =>
    (await planFor({ stop_on_failure: 'true', ...given })).warnings;

  test('if all invocations start at once', async () => {
    expect(await warningsOf({ invocations: list(3) })).toEqual([
      'stop_on_failure has no effect with 3 invocations and max_concurrency: 10; all of them start at once. To run them in order, set max_concurrency: 1.',
    ]);
    expect(await warningsOf({ repeat: '3', max_concurrency: '3' })).toHaveLength(1);
  });

  test('with one invocation, unless it comes from a list', async () => {
    expect(await warningsOf({})).toEqual(['stop_on_failure has no effect with one invocation.']);
    expect(await warningsOf({ invocations: list(1) })).toEqual([]);
  });

  test('only if it has no effect', async () => {
    expect(await warningsOf({ invocations: list(3), max_concurrency: '2' })).toEqual([]);
    expect(await warningsOf({ invocations: list(11) })).toEqual([]);
    expect(await warningsOf({ invocations: list(3), stop_on_failure: 'false' })).toEqual([]);
  });
});
