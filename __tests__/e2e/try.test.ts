import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFiles } from '../../packages/local-runner/run-step.ts';
import { signalTest } from '../signals.ts';
import { until } from '../until.ts';
import { scriptEnd, startScript } from './script-process.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../script/try');
const ORDER = `
export const handler = async (event, context) => {
  console.log('::error::order ' + event.order);
  if (event.order === 17) throw new TypeError('there is no order 17');
  return { order: event.order, arn: context.invokedFunctionArn };
};
`;

/** The folder in which the script runs, and the folder for its temporary files. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'try-'));
  writeFiles(folder, { 'order.mjs': ORDER, 'my.order.mjs': ORDER, 'event.json': '{"order": 18}' });
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (...args: string[]) =>
  startScript(SCRIPT, args, {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
  });
const tryStep = (...args: string[]) => scriptEnd(start(...args));

/** The lines of a titled part of the output, without indentation. */
const part = (out: string, title: string): string[] =>
  (out.split(`\n${title}\n`)[1] ?? '')
    .split(/\n(?! {2})/)[0]
    ?.split('\n')
    .map((line) => line.trim()) ?? [];

test('a successful step is shown with its inputs, log, summary and outputs', async () => {
  const { code, out, err } = await tryStep('function_name=greeting', 'payload={"name": "you"}');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(`  with:\n    function_name: greeting\n    payload: '{"name": "you"}'\n`);
  expect(part(out, 'Log')[0]).toMatch(/^Invoking .*greeting/);
  expect(part(out, 'Annotations')).toEqual(['']);
  expect(part(out, 'Summary')[0]).toBe('✅ greeting succeeded');
  expect(part(out, 'Outputs')).toContain('response: {"message":"Hello, you!"}');
  expect(out).toContain('The step succeeded. Invocation requests: 1. Function executions: 1.\n');
  const [, summary = ''] = /^Summary as Markdown: (.*)$/m.exec(out) ?? [];
  expect(readFileSync(summary, 'utf8')).toContain('`greeting` succeeded');
});

test('a function error fails the command and is an annotation', async () => {
  const { code, out, err } = await tryStep('function_name=throws', 'payload={"message": "no tea"}');
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(part(out, 'Log')).toContain('Error: OrderRejectedError: no tea');
  expect(part(out, 'Annotations')).toEqual(['✗ Lambda Function Execution Error: OrderRejectedError: no tea']);
  expect(part(out, 'Summary')[0]).toBe('❌ throws failed: OrderRejectedError');
  expect(out).toContain('The step failed. Invocation requests: 1. Function executions: 1.\n');
});

test("a misspelled input gets the runner's warning and the action's error, and nothing is sent", async () => {
  const { code, out, err } = await tryStep('function_nam=greeting', 'payload={}');
  expect({ code, err }).toEqual({ code: 1, err: '' });
  const [warning, ...errors] = part(out, 'Log');
  expect(warning).toMatch(
    /^Warning: Unexpected input\(s\) 'function_nam', valid inputs are \['function_name', /,
  );
  expect(errors[0]).toBe('Error: There is no input "function_nam": write function_name.');
  expect(out).toContain('The step failed. Invocation requests: 0. Function executions: 0.\n');
  expect(out).not.toContain('Summary as Markdown');
});

test('with follow_log, the whole log is shown and kept', async () => {
  const { code, out, err } = await tryStep(
    'function_name=greeting',
    'payload={"name": "you"}',
    'follow_log=true',
  );
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const [, file = ''] = /^Function log: (.*)$/m.exec(out) ?? [];
  const log = readFileSync(file, 'utf8');
  expect(log).toMatch(/^START RequestId: .*\n.*\tINFO\tGreeting you\nEND RequestId: .*\nREPORT RequestId: /);
  const [first = '', ...rest] = log.trimEnd().replaceAll('\t', '  ').split('\n');
  const shown = part(out, 'Log');
  const at = shown.indexOf(first);
  expect(shown.slice(at + 1, at + 1 + rest.length)).toEqual(rest.map((line) => line.trim()));
  expect(out).toContain('The step succeeded. Invocation requests: 1. Function executions: 1.\n');
});

test('a response that is lost is looked up in the log', async () => {
  const sleeps = `
    export const handler = () => new Promise((resolve) => setTimeout(resolve, 2_000));
  `;
  writeFiles(folder, { 'sleeps.mjs': sleeps });
  const { code, out } = await tryStep('--handler', 'sleeps.mjs', 'payload={}', 'timeout_seconds=1');
  expect(code).toBe(1);
  expect(part(out, 'Annotations')[0]).toMatch(/The function ran to its end in \S+ s\. /);
  expect(out).toContain('The step failed. Invocation requests: 1. Function executions: 1.\n');
}, 60_000);

describe('an invalid command line is rejected in one line', () => {
  const HINT = 'Run script/try --help to see the options.';
  test.each([
    [['greeting'], '"greeting" is not an input. Write inputs as NAME=VALUE'],
    [['=greeting'], '"=greeting" is not an input. Write inputs as NAME=VALUE'],
    [['--function-name', 'greeting'], "Unknown option '--function-name'. Write inputs as NAME=VALUE"],
    [[], 'Give at least one input. Write inputs as NAME=VALUE'],
  ])('%j', async (args, says) => {
    const { code, out, err } = await tryStep(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.startsWith(says)).toBe(true);
    expect(err.endsWith(`${HINT}\n`)).toBe(true);
    expect(err.trimEnd()).not.toContain('\n');
  });

  test('an input that is given twice', async () => {
    const { code, out, err } = await tryStep('payload={}', 'payload=[]');
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: 'The input payload is given more than once.\n',
    });
  });

  test('a missing handler', async () => {
    const { code, out, err } = await tryStep('--handler', 'none.mjs');
    const file = path.join(folder, 'none.mjs');
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: `--handler: there is no file ${file}.\n` });
  });
});

describe("with --handler, the caller's function runs", () => {
  test('under the name of its file, with the files of the current folder', async () => {
    const { code, out } = await tryStep(
      '--handler',
      'my.order.mjs',
      'payload_file=event.json',
      'response_file=out.json',
    );
    expect(code).toBe(0);
    expect(out).toContain('    function_name: my-order\n');
    expect(JSON.parse(readFileSync(path.join(folder, 'out.json'), 'utf8'))).toEqual({
      order: 18,
      arn: 'arn:aws:lambda:eu-west-1:123456789012:function:my-order',
    });
    expect(out).toContain('The step succeeded. Invocation requests: 1. Function executions: 1.\n');
  });

  test.each([
    ['function_name=shop', 'qualifier=live'],
    ['function_name=shop:live', 'qualifier='],
  ])('under the given name and qualifier: %s %s', async (...named) => {
    const { code, out } = await tryStep('--handler', 'order.mjs', 'payload={"order": 1}', ...named);
    expect(code).toBe(0);
    expect(part(out, 'Outputs')).toEqual(
      expect.arrayContaining([
        'response: {"order":1,"arn":"arn:aws:lambda:eu-west-1:123456789012:function:shop:live"}',
        'executed_version: 1',
      ]),
    );
  });

  test('and its output and errors are shown as text', async () => {
    const { code, out } = await tryStep('--handler', 'order.mjs', 'payload={"order": 17}', 'log_type=Tail');
    expect(code).toBe(1);
    expect(out).toContain('::error::order 17\n');
    expect(part(out, 'Annotations')).toEqual([
      '✗ Lambda Function Execution Error: TypeError: there is no order 17',
    ]);
  });
});

test('a reader that closes after the first line gets no stack trace, and the exit code stays the same', async () => {
  const { child, err } = start('function_name=throws', 'payload={}');
  child.stdout.once('data', () => child.stdout.destroy());
  await once(child, 'close');
  expect({ code: child.exitCode, err: err() }).toEqual({ code: 1, err: '' });
});

test('--help names the options, the exit codes and every function', async () => {
  const { code, out, err } = await tryStep('--help');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const word of ['--handler FILE', 'NAME=VALUE', 'exit code', 'greeting', 'place-order', 'throws'])
    expect(out).toContain(word);
});

signalTest('the log is shown while the step runs, and Ctrl+C cancels the step', async () => {
  const started = path.join(folder, 'started');
  const waits = `
    import { writeFileSync } from 'node:fs';
    export const handler = () => {
      writeFileSync(${JSON.stringify(started)}, '');
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    };
  `;
  writeFiles(folder, { 'waits.mjs': waits });
  const { child, out } = start('--handler', 'waits.mjs', 'payload={}');
  await until(() => existsSync(started) && out().includes('Invoking'));
  child.kill('SIGINT');
  await once(child, 'close');
  expect(child.exitCode).toBe(1);
  expect(part(out(), 'Outputs')).toContain('outcome: unknown');
  expect(out()).toContain('The step failed. Invocation requests: 1. Function executions: 1.\n');
});
