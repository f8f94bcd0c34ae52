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
