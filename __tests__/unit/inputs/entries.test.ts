import { describe, expect, test } from '@jest/globals';
import type { Invocation } from '../../../src/lambda/invocation.ts';
import { heavyTest } from '../../heavy.ts';
import { eventOf, planFor, problemsFor } from './factory.ts';

const textOf = async ({ payload }: Pick<Invocation, 'payload'>): Promise<string> =>
  (await eventOf(payload)).toString();
const payloads = async (inputs: Record<string, string>): Promise<string[]> =>
  Promise.all((await planFor(inputs)).invocations.map(textOf));

describe('function_name', () => {
  test('with several lines has one entry per line', async () => {
    const plan = await planFor({ function_name: ' one \n\n two:PROD\n', qualifier: '' });
    expect(plan.invocations.map(({ index, functionName }) => [index, functionName])).toEqual([
      [0, 'one'],
      [1, 'two:PROD'],
    ]);
  });

  test('with an invalid line names the line', async () => {
    expect(await problemsFor({ function_name: 'one\ntwo words\nthree' })).toEqual([
      expect.stringMatching(/^line 2: function_name ".*" is not valid: it contains white space/),
    ]);
  });

  test('with several lines is rejected together with invocations', async () => {
    expect(await problemsFor({ function_name: 'one\ntwo', invocations: '- {}' })).toEqual([
      'function_name has several lines and invocations is given too. Name the functions in one of them.',
    ]);
  });
});

describe('invocations', () => {
  test('inherit missing values', async () => {
    const plan = await planFor({
      function_name: 'step',
      payload: '{"from":"step"}',
      log_type: 'Tail',
      region: 'eu-west-1',
      invocations:
        '- {}\n- function_name: own\n  log_type: None\n  payload: {from: entry}\n  region: us-east-1\n',
    });
    const sent = plan.invocations.map(async ({ functionName, logType, region, payload }) => [
      functionName,
      logType,
      region,
      await textOf({ payload }),
    ]);
    expect(await Promise.all(sent)).toEqual([
      ['step', 'Tail', 'eu-west-1', '{"from":"step"}'],
      ['own', 'None', 'us-east-1', '{"from":"entry"}'],
    ]);
  });

  test('that lack an input are named, ten of them', async () => {
    const missing = (input: string, count: number): readonly unknown[] =>
      Array.from({ length: count }, (_, at) =>
        expect.stringMatching(`^invocations, entry ${at + 2} \\(line ${at + 2}\\): ${input} is required`),
      );
    const lacking = (count: number): string =>
      `- { function_name: f, payload: 1 }\n${'- {}\n'.repeat(count)}`;
    const problems = (count: number, given: Record<string, string>) =>
      problemsFor({ function_name: '', payload: '', ...given, invocations: lacking(count) });
    expect(await problems(2, { payload: '{}' })).toEqual(missing('function_name', 2));
    expect(await problems(2, { function_name: 'f' })).toEqual(missing('payload', 2));
    expect(await problems(12, { payload: '{}' })).toEqual([
      ...missing('function_name', 10),
      expect.stringMatching(/^function_name is required/),
    ]);
  });

  test('for several functions say so', async () => {
    expect(
      await problemsFor({ function_name: '', invocations: '- function_name: |\n    a\n    b\n' }),
    ).toEqual([
      'invocations, entry 1 (line 1): function_name "a\\nb" is not valid: an entry is for one function; give each function an entry of its own.',
    ]);
  });

  test('have their own name, expectations and time limit', async () => {
    const plan = await planFor({
      expect: 'response.ok == `true`',
      timeout_seconds: '5',
      invocations:
        '- name: Blue tenant\n  expect: |\n    response.a == `1`\n    response.b == `2`\n  timeout_seconds: 30\n- {}\n- my-function\n',
    });
    expect(plan.expressions.expect).toEqual(['response.ok == `true`']);
    expect(plan.policy.timeoutMs).toBe(5_000);
    expect(plan.invocations.map(({ name, expect: own, timeoutMs }) => ({ name, own, timeoutMs }))).toEqual([
      { name: 'Blue tenant', own: ['response.a == `1`', 'response.b == `2`'], timeoutMs: 30_000 },
      {},
      {},
    ]);
  });

  test('are rejected if those are invalid', async () => {
    const invocations = [
      '- expect: respons.a == `1`',
      '- invocation_type: Event',
      '  expect: response.a == `1`',
      '- timeout_seconds: 5m',
      `- name: ${'a'.repeat(101)}`,
      '- name: "two\\nlines"',
    ].join('\n');
    expect(await problemsFor({ invocations })).toEqual([
      'invocations, entry 3 (line 4): timeout_seconds must be a whole number of seconds from 1 to 432000; got "5m" (write 300, which is 5 minutes).',
      'invocations, entry 4 (line 5): name must be one line of at most 100 characters.',
      'invocations, entry 5 (line 6): name must be one line of at most 100 characters.',
      expect.stringMatching(
        /^invocations, entry 1 \(line 1\): expect: there is no field "respons"; did you mean response\?\n/,
      ),
      expect.stringMatching(
        /^invocations, entry 2 \(line 2\): expect: invocation_type: Event has no response\./,
      ),
    ]);
  });

  test('with their own payload do not inherit the other kind', async () => {
    expect(
      await payloads({ payload: '', payload_file: 'missing.json', invocations: '- payload: {a: 1}' }),
    ).toEqual(['{"a":1}']);
  });

  test('read an inherited payload only once', async () => {
    const plan = await planFor({ function_name: 'a\nb\nc', payload: '[1]' });
    const [first, second, third] = plan.invocations.map(({ payload }) => payload);
    expect(first).toBe(second);
    expect(second).toBe(third);
  });

  test('report an invalid inherited value once, and their own invalid values each', async () => {
    expect(
      await problemsFor({
        region: 'nowhere',
        payload: 'no JSON',
        invocations: '- {}\n- {}\n- tenant_id: "ä"\n- tenant_id: "ö"\n',
      }),
    ).toEqual([
      expect.stringMatching(/^region must be/),
      expect.stringMatching(/^payload, line 1, column 1: /),
      expect.stringMatching(/^invocations, entry 3 \(line 3\): tenant_id must be/),
      expect.stringMatching(/^invocations, entry 4 \(line 4\): tenant_id must be/),
    ]);
  });

  test('cannot have a response_file if there are several', async () => {
    expect(await problemsFor({ function_name: 'a\nb', response_file: 'x.json' })).toEqual([
      'response_file takes the response of one invocation, and this step has 2. Remove it, and read the output outcomes_file.',
    ]);
  });
});

describe('repeat', () => {
  // A billion copies would exhaust the memory before they could be counted.
  heavyTest(
    'is multiplied with the entries before any copy is created',
    async () => {
      const invocations = '- {}\n'.repeat(100_000);
      expect(
        await problemsFor({ invocations, repeat: '10000', response_file: 'x', response_stream: 'true' }),
      ).toEqual([
        'This step has 1,000,000,000 invocations; the limit is 100,000. Split them between jobs with shard, or lower repeat.',
        expect.stringMatching(/^response_file takes .* has 1000000000\./),
        expect.stringMatching(/^response_stream takes .* has 1000000000\./),
      ]);
      const function_name = Array(100).fill('f').join('\n');
      expect(await problemsFor({ function_name, repeat: '1001' })).toEqual([
        expect.stringMatching(/^This step has 100,100 invocations; the limit is 100,000\./),
      ]);
      const plan = await planFor({ function_name, repeat: '1001', shard: '1/2' });
      expect(plan.invocations).toHaveLength(50_050);
      expect(plan.invocations[0]?.index).toBe(1001);
    },
    60_000,
  );

  test('requests the log tail for its figures, and keeps the log only if requested', async () => {
    const tails = async (inputs: Record<string, string>) =>
      (await planFor(inputs)).invocations.map(({ logType, keepsLog }) => `${logType} ${keepsLog}`);
    expect(await tails({ repeat: '2' })).toEqual(['Tail false', 'Tail false']);
    expect(await tails({ repeat: '2', log_type: 'Tail' })).toEqual(['Tail true', 'Tail true']);
    expect(await tails({ repeat: '1' })).toEqual(['None true']);
    expect(await tails({ repeat: '2', invocation_type: 'Event' })).toEqual(['None false', 'None false']);
    expect(await tails({ follow_log: 'true' })).toEqual(['Tail false']);
    expect(await tails({ follow_log: 'true', retry: 'never' })).toEqual(['None true']);
    // A function without support for log tails would need a second request.
    expect(await tails({ repeat: '2', retry: 'never' })).toEqual(['None true', 'None true']);
  });
});
