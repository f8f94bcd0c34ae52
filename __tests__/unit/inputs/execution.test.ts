import { describe, expect, test } from '@jest/globals';
import { invocationFor, planFor, problemsFor } from './factory.ts';

const NOT_EVALUATED =
  'the expression was not evaluated: ${{ }} has no effect in a file, in the value of a variable or in the default of a workflow input';

describe('durable_execution_name', () => {
  test('is sent', async () => {
    expect(await invocationFor({ durable_execution_name: 'order-7_B' })).toMatchObject({
      durableExecutionName: 'order-7_B',
    });
  });

  test('can differ between entries', async () => {
    const { invocations } = await planFor({
      durable_execution_name: 'all',
      invocations: '- { durable_execution_name: order-1 }\n- {}',
    });
    expect(invocations.map(({ durableExecutionName }) => durableExecutionName)).toEqual(['order-1', 'all']);
  });

  test.each([
    ['order 7', ''],
    ['ä', ''],
    ['a.b', ''],
    ['${{ github.run_id }}', ` (${NOT_EVALUATED})`],
    ['"order-7"', ' (remove the quotes)'],
    ['x'.repeat(65), ' (it has 65 characters)'],
  ])('%j is rejected with the rule', async (name, why) => {
    expect(await problemsFor({ durable_execution_name: name })).toEqual([
      `durable_execution_name must be 1 to 64 letters, digits, - or _; got ${JSON.stringify(name)}${why}.`,
    ]);
  });

  test('gets a warning and is not sent with a dry run, which starts nothing', async () => {
    const plan = await planFor({ durable_execution_name: 'order-7', invocation_type: 'DryRun' });
    expect(plan.warnings).toEqual([
      'durable_execution_name has no effect with invocation_type: DryRun; a dry run starts no execution.',
    ]);
    expect(plan.invocations.map((invocation) => 'durableExecutionName' in invocation)).toEqual([false]);
  });

  test('gets a warning with copies, which are one execution', async () => {
    const { warnings } = await planFor({ durable_execution_name: 'order-7', repeat: '3' });
    expect(warnings).toEqual([
      'repeat: 3 has no effect with durable_execution_name; Lambda treats all copies as one execution.',
    ]);
  });
});

describe('waiting', () => {
  test.each([
    [
      { wait_until_ready: 'true' },
      'wait_until_ready has no effect with invocation_type: DryRun; a dry run does not check the state.',
    ],
    [
      { wait_for_durable_execution: 'true' },
      'wait_for_durable_execution has no effect with invocation_type: DryRun; a dry run starts no execution.',
    ],
    [
      { journal: 'journal.jsonl' },
      'journal has no effect with invocation_type: DryRun; a dry run is not recorded.',
    ],
  ])('%j gets a warning only with dry runs', async (given, warning) => {
    expect((await planFor({ ...given, invocation_type: 'DryRun' })).warnings).toEqual([warning]);
    expect((await planFor({ ...given, invocation_type: 'Event' })).warnings).toEqual([]);
    const mixed = { ...given, invocations: '- { invocation_type: DryRun }\n- {}' };
    expect((await planFor(mixed)).warnings).toEqual([]);
  });

  test.each(['Event', 'DryRun'])(
    'show_response gets a warning with %s, which has no response',
    async (type) => {
      const shown = { invocation_type: type, show_response: 'true' };
      expect((await planFor(shown)).warnings).toEqual([
        `show_response has no effect with invocation_type: ${type}; there is a response only with RequestResponse.`,
      ]);
      const mixed = { ...shown, invocations: '- { invocation_type: RequestResponse }\n- {}' };
      expect((await planFor(mixed)).warnings).toEqual([]);
      const followed = { ...shown, invocation_type: 'Event', wait_for_durable_execution: 'true' };
      expect((await planFor(followed)).warnings).toEqual([]);
    },
  );

  test('allows response_file for an Event', async () => {
    const event = { invocation_type: 'Event', response_file: 'out.json' };
    expect((await planFor(event)).warnings).toEqual([
      'response_file has no effect with invocation_type: Event; there is a response only with RequestResponse.',
    ]);
    expect((await planFor({ ...event, wait_for_durable_execution: 'true' })).warnings).toEqual([]);
  });
});

describe('response_stream', () => {
  const STREAM = { response_stream: 'true' };

  test.each([
    [
      { invocation_type: 'Event' },
      'response_stream needs invocation_type RequestResponse or DryRun: an Event has no response. Remove one of them.',
    ],
    [
      { durable_execution_name: 'order-7' },
      'response_stream and durable_execution_name are both given; Lambda cannot stream a durable execution. Remove one of them.',
    ],
    [
      { wait_for_durable_execution: 'true' },
      'response_stream and wait_for_durable_execution are both true; Lambda cannot stream a durable execution. Remove one of them.',
    ],
    [
      { repeat: '2' },
      'response_stream takes one invocation, and this step has 2. Give each a step of its own.',
    ],
    [
      {
        function_name: '',
        invocations: '- { function_name: a }\n- { function_name: b, invocation_type: Event }',
      },
      'invocations, entry 2 (line 2): response_stream needs invocation_type RequestResponse or DryRun: an Event has no response. Remove one of them.',
    ],
  ])('is rejected with %j', async (given, problem) => {
    expect(await problemsFor({ ...STREAM, ...given })).toEqual([problem]);
    expect(await problemsFor(given)).toEqual([]);
  });

  test('is accepted with a dry run of many functions', async () => {
    const plan = await planFor({ ...STREAM, invocation_type: 'DryRun', function_name: 'a\nb' });
    expect(plan.responseStream).toBe(true);
    expect(plan.warnings).toEqual([]);
  });
});
