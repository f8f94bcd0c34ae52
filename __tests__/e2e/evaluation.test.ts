import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { runStep } from '../../packages/local-runner/run-step.ts';
import { followPeak } from './peak-memory.ts';
import { HANDLERS, invokeStep, jobEnvironment } from './step.ts';

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      api: { handler: `${HANDLERS}.api` },
      secretive: { handler: `${HANDLERS}.secretive` },
      large: { handler: `${HANDLERS}.large`, timeoutSeconds: 20 },
      failing: { handler: `${HANDLERS}.failing` },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const messages = (step: { annotations: readonly { title: string; message: string }[] }): string[] =>
  step.annotations.map(({ title, message }) => `${title}\n${message}`);

describe('expect', () => {
  const smoke = {
    function_name: 'api',
    expect: 'response.statusCode == `200`\npowertools_json(response.body).ok == `true`\n',
  };

  test('passes a smoke test of an API Gateway handler', async () => {
    const step = await invokeStep(lambda, { ...smoke, payload: '{}' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(JSON.parse(step.outputs['outcomes'] ?? '')[0].expectations).toEqual([
      { expression: 'response.statusCode == `200`', met: true, value: 200 },
      { expression: 'powertools_json(response.body).ok == `true`', met: true, value: true },
    ]);
  });

  test('fails a smoke test with an annotation that has the cause', async () => {
    const step = await invokeStep(lambda, { ...smoke, payload: '{"status":503,"body":{"ok":false}}' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('expectation_failed');
    expect(messages(step).map((message) => message.replace(/^Log: https:.*$/m, 'Log: LINK'))).toEqual([
      [
        'Expectation Not Met',
        'Expected response.statusCode == `200`',
        '    Actual:   503',
        '    Expected: 200',
        'Expected powertools_json(response.body).ok == `true`',
        '    Actual:   false',
        '    Expected: true',
        'Function: api',
        `Request ID: ${step.outputs['request_id']}`,
        'Log: LINK',
        `Response: ${step.outputs['response']}`,
      ].join('\n'),
    ]);
    expect(step.summary).toMatch(/^### ❌ `api` did not meet \d of \d expectations?\n/);
    expect(lambda.executions('api')).toHaveLength(1);
  });

  test('that does not compile is reported before anything is sent, with a caret', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'api',
      payload: '{}',
      expect: 'response.statusCode == 200',
    });
    expect(step.exitCode).toBe(1);
    expect(messages(step)).toEqual([
      [
        'Invalid Input',
        'expect: write a number in backticks: `200`.',
        '    response.statusCode == 200',
        '                           ^',
      ].join('\n'),
    ]);
    expect(lambda.requests).toHaveLength(0);
  });

  test('that does not compile has a link to the page that explains expressions', async () => {
    const wrong = { function_name: 'api', payload: '{}', expect: 'response.statusCode == 200' };
    const linkOf = async (env: Readonly<Record<string, string>>) => {
      const { annotations } = await invokeStep(lambda, wrong, { env: { ...jobEnvironment(lambda), ...env } });
      return annotations[0]?.message.split('\n').at(-1);
    };
    expect(
      await linkOf({ GITHUB_ACTION_REPOSITORY: 'octo-org/aws-lambda-invoke', GITHUB_ACTION_REF: 'v1' }),
    ).toBe(
      'See how to write expressions: https://github.com/octo-org/aws-lambda-invoke/blob/v1/docs/expressions.md',
    );
    // An action from the job's own checkout has no repository.
    expect(await linkOf({ GITHUB_ACTION_REPOSITORY: '', GITHUB_ACTION_REF: '' })).toContain('^');
  });

  test('works on a function error, so that a test can expect one', async () => {
    const wanted = {
      function_name: 'failing',
      payload: '{"id":7}',
      fail_on_function_error: 'false',
    };
    const held = await invokeStep(lambda, { ...wanted, expect: "response.errorType == 'TypeError'" });
    const not = await invokeStep(lambda, { ...wanted, expect: "outcome == 'succeeded'" });
    expect(held.exitCode).toBe(0);
    expect(held.outputs['outcome']).toBe('function_error');
    expect(not.exitCode).toBe(1);
    expect(not.outputs['outcome']).toBe('expectation_failed');
    expect(not.outputs['function_error']).toBe('Unhandled');
    expect(messages(not)[0]).toContain('Actual:   "function_error"');
  });
});

describe('an expression that means nothing', () => {
  test.each([
    [{ expect: 'response.status == ok' }, '"ok" is read as a field name'],
    [{ expect: 'statusCode == `200`' }, 'did you mean response.statusCode?'],
    [{ invocation_type: 'Event', expect: 'response.ok' }, 'invocation_type: Event has no response'],
    [{ query: 'statusCode' }, 'did you mean response.statusCode?'],
    [{ mask: 'token' }, 'did you mean response.token'],
  ])('%j sends nothing', async (given, told) => {
    const step = await invokeStep(lambda, { function_name: 'api', payload: '{}', ...given });
    expect(step.exitCode).toBe(1);
    expect(messages(step)).toEqual([expect.stringContaining(told)]);
    expect(lambda.requests).toHaveLength(0);
  });

  test('fails the step if it compares a missing value', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'api',
      payload: '{}',
      expect: 'response.status == response.expected',
    });
    expect(step.exitCode).toBe(1);
    expect(messages(step)[0]).toContain(
      '    response.status does not exist; keys of response: statusCode, body.',
    );
  });
});

describe('query', () => {
  test.each([
    ['response.statusCode', '200'],
    ['powertools_json(response.body)', '{"ok":true}'],
    ['outcome', 'succeeded'],
  ])('%s evaluates to %s', async (query, value) => {
    const step = await invokeStep(lambda, { function_name: 'api', payload: '{}', query });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['query_result']).toBe(value);
  });

  test('of a 64-bit ID keeps all digits, and another ID does not meet an expectation', async () => {
    const headers = { 'x-amzn-requestid': randomUUID() };
    const body = '{"id":12345678901234567890}';
    lambda.setFault(() => ({ kind: 'raw', when: 'before', status: 200, headers, body }));
    const run = (id: string) =>
      invokeStep(lambda, {
        function_name: 'api',
        payload: '{}',
        query: 'response.id',
        expect: `response.id == '${id}'`,
      });
    const [same, other] = [await run('12345678901234567890'), await run('12345678901234567891')];
    expect(same.outputs).toMatchObject({ outcome: 'succeeded', query_result: '12345678901234567890' });
    expect(other.outputs['outcome']).toBe('expectation_failed');
  });

  test('that finds nothing gives a warning with the reason, and the output is empty', async () => {
    const step = await invokeStep(lambda, { function_name: 'api', payload: '{}', query: 'response.missing' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['query_result']).toBe('');
    expect(messages(step)).toEqual([
      'No Query Value\napi: The query found nothing, and query_result is empty: response.missing does not exist; keys of response: statusCode, body.',
    ]);
  });

  test('that cannot be evaluated gives a warning, and the step still succeeds', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'api',
      payload: '{}',
      query: 'length(response.statusCode)',
    });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['query_result']).toBe('');
    expect(step.annotations.map(({ level, title }) => [level, title])).toEqual([
      ['warning', 'No Query Value'],
    ]);
  });
});

describe('mask', () => {
  const secrets = { token: 's3cr3t-"token"', pin: 987_654_321_098, key: 'first line\nsecond line' };
  const inputs = {
    function_name: 'secretive',
    mask: 'response.[token, errorMessage]\nresponse.[pin, key, errorMessage]',
    log_type: 'Tail',
    show_response: 'true',
  };
  const hidden = ['s3cr3t', '987654321098', 'first line', 'second line'];
  /** The step's own output, without the `add-mask` commands. */
  const written = (stdout: string): string => stdout.replace(/^::add-mask::.*$/gm, '');

  test('hides its values before anything is printed, but not in the outputs', async () => {
    const step = await invokeStep(lambda, { ...inputs, payload: JSON.stringify(secrets) });
    expect(step.exitCode).toBe(0);
    expect(step.masks).toEqual(
      expect.arrayContaining(['s3cr3t-"token"', '987654321098', 'first line', 'second line']),
    );
    expect(step.stdout.indexOf('::add-mask::')).toBeLessThan(step.stdout.indexOf('::group::Response'));
    for (const secret of hidden) {
      expect(step.lines.map(({ text }) => text).join('\n')).not.toContain(secret);
      expect(step.summary).not.toContain(secret);
      expect(step.outcomeLines.join('\n')).not.toContain(secret);
    }
    expect(JSON.parse(step.outputs['response'] ?? '')).toMatchObject(secrets);
    expect(JSON.parse(step.outcomeLines[0] ?? '')).toMatchObject({
      response: { token: '***', pin: '***', key: '***\n***', list: ['prefix-***-suffix'] },
    });
  });

  test('hides its values in the annotation of a failure', async () => {
    const step = await invokeStep(lambda, {
      ...inputs,
      payload: JSON.stringify({ ...secrets, fail: true }),
    });
    expect(step.exitCode).toBe(1);
    expect(messages(step)).toHaveLength(1);
    expect(messages(step)[0]).toContain('Error: ***');
    expect(written(step.stdout)).not.toContain('bad token');
    expect(step.outcomeLines.join('\n')).not.toContain('bad token');
  });

  test('that finds nothing in the response hides all of it, with a warning', async () => {
    const step = await invokeStep(lambda, {
      ...inputs,
      mask: 'response.tokn\nresponse.pin',
      payload: JSON.stringify(secrets),
    });
    expect(step.exitCode).toBe(0);
    const shown = written(step.stdout) + step.outcomeLines.join('\n');
    for (const secret of hidden) expect(shown).not.toContain(secret);
    expect(step.annotations).toMatchObject([
      {
        level: 'warning',
        title: 'Response Withheld',
        message: expect.stringContaining('a mask finds nothing in the response'),
      },
    ]);
    expect(JSON.parse(step.outputs['response'] ?? '')).toMatchObject(secrets);
  });

  test('that cannot be evaluated hides all text of the function', async () => {
    const step = await invokeStep(lambda, {
      ...inputs,
      mask: 'length(response.pin)',
      payload: JSON.stringify(secrets),
    });
    expect(step.exitCode).toBe(0);
    for (const secret of hidden) expect(step.stdout + step.outcomeLines.join('\n')).not.toContain(secret);
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
  });
});

describe('response_file', () => {
  const run = async (inputs: Record<string, string>, workspace: Record<string, string> = {}) => {
    const step = await runStep({
      with: { function_name: 'api', payload: '{}', ...inputs },
      env: jobEnvironment(lambda),
      workspace,
    });
    return { step, at: (name: string) => path.join(step.folder, 'workspace', name) };
  };

  test('has the response byte for byte, in a new folder', async () => {
    const { step, at } = await run({ response_file: 'out/deep/response.json' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['response_file']).toBe(at('out/deep/response.json'));
    expect(readFileSync(at('out/deep/response.json'), 'utf8')).toBe(step.outputs['response']);
    step.dispose();
  });

  test('replaces an existing file', async () => {
    const { step, at } = await run(
      { response_file: 'a.json' },
      { 'a.json': 'old and longer than the new one '.repeat(9) },
    );
    expect(readFileSync(at('a.json'), 'utf8')).toBe(step.outputs['response']);
    step.dispose();
  });

  test('that is a folder is rejected before anything is sent', async () => {
    const { step } = await run({ response_file: 'out' }, { 'out/a.json': '{}' });
    expect(step.exitCode).toBe(1);
    expect(messages(step)[0]).toContain('response_file "out" is a folder');
    expect(lambda.requests).toHaveLength(0);
    step.dispose();
  });

  test('that cannot be written fails the step, and the response is still in the outputs', async () => {
    const { step } = await run({ response_file: 'a.txt/response.json' }, { 'a.txt': '' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.outputs['response']).not.toBe('');
    expect(step.annotations.map(({ title }) => title)).toEqual(['Response Not Written']);
    step.dispose();
  });
});

describe('a response of 5 MB', () => {
  test('is saved to a file, shows its first 64 KiB, and needs less than 150 MB', async () => {
    let peak = (): number => 0;
    const step = await runStep({
      with: { function_name: 'large', payload: '{"bytes":5000000}', show_response: 'true' },
      env: jobEnvironment(lambda),
      onStart: (child) => {
        peak = followPeak(child);
      },
    });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['response']).toBe('');
    expect(step.outputs['outcomes']).toBe('');
    const file = step.outputs['response_file'] ?? '';
    expect(readFileSync(file, 'utf8')).toBe(`{"text":"${'abcdefgh'.repeat(625_000)}"}`);
    expect(step.annotations.map(({ level, message }) => [level, message])).toEqual([
      [
        'warning',
        `The output response is empty: 5,000,011 bytes are too many for an output. The value is in ${file}.`,
      ],
      ['warning', expect.stringContaining(`The value is in ${step.outputs['outcomes_file']}.`)],
    ]);
    const shown = step.lines.map(({ text }) => text).join('\n');
    expect(shown).toContain('… cut: the first 65,536 of 5,000,011 bytes');
    expect(shown.length).toBeLessThan(70_000);
    if (process.platform === 'linux') {
      expect(peak()).toBeGreaterThan(30);
      expect(peak()).toBeLessThan(150);
    }
    step.dispose();
  });
});
