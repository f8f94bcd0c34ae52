import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { exampleNames, FUNCTION_NAMES, openStage } from '../../examples/local/stage.ts';
import { drawFailure } from '../../script/failure-picture.ts';
import { PICTURED, runAlone, runScenes, type SceneRun } from '../../script/tour.ts';
import { signalTest } from '../signals.ts';
import { until } from '../until.ts';
import { scriptEnd, startScript } from './script-process.ts';
import { invokeStep } from './step.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

const start = (...args: string[]) => startScript('script/demo', args, { cwd: ROOT });
const demo = (...args: string[]) => scriptEnd(start(...args));

test('without an argument it shows the tour', async () => {
  const { code, out, err } = await demo();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const scenes = out.split(/^── /m).slice(1);
  expect(scenes).toHaveLength(7);
  const [healthy, failing, followed, lost, denied, killed, rerun] = scenes;
  expect(healthy).toContain('The step succeeded.');
  expect(failing).toContain('Error: RangeError: no stock is known for "coffee"\n      at findStock (');
  expect(failing).toMatch(/❌ .* failed: RangeError/);
  const batches = [...(followed ?? '').matchAll(/INFO {2}moved batch (\d) of 6\n/g)].map(
    ([, batch]) => batch,
  );
  expect(batches).toEqual(['1', '2', '3', '4', '5', '6']);
  expect(followed).toMatch(/\n {2}REPORT RequestId: [\s\S]*\n {2}move-orders succeeded /);
  expect(followed).toContain('log_file: ');
  expect(lost).toContain('outcome: unknown');
  expect(lost).toMatch(/ Unknown: move-orders: ECONNRESET: The function ran to its end in \S+ m?s\. /);
  expect(lost).toContain('Invocation requests: 1. Function executions: 1.');
  expect(denied).toContain('"arn:aws:lambda:eu-west-1:123456789012:function:refund"');
  expect(denied).toContain('Invocation requests: 2. Function executions: 0.');
  expect(killed).toContain('The runner was lost. Invocation requests: 5. Function executions: 5.');
  expect(rerun).toContain('The step succeeded. Invocation requests: 4. Function executions: 4.');
  expect(rerun).toContain('resumed: 4');
  expect(out).not.toContain(ROOT);
}, 60_000);

test('the tour shows a line of a followed log while the function still runs', async () => {
  const stage = await openStage();
  const gates = mkdtempSync(path.join(tmpdir(), 'gates-'));
  try {
    const handler = path.join(import.meta.dirname, 'handlers', 'logged.mjs.lines');
    stage.lambda.setFunction('move-orders', { handler, timeoutSeconds: 60 });
    // The function continues only after the tour has shown its line.
    const payload = JSON.stringify({ count: 10, gates });
    const scene = { title: 'Gates', with: { function_name: 'move-orders', follow_log: 'true', payload } };
    const runs: SceneRun[] = [];
    await runScenes(stage, [scene], {
      begin: () => {},
      line: ({ text }) => {
        const [, line] = /step (\d+) of 10/.exec(text) ?? [];
        if (line !== undefined) writeFileSync(path.join(gates, line), '');
      },
      end: (run) => runs.push(run),
    });
    expect(runs.map(({ step }) => step.outputs['outcome'])).toEqual(['succeeded']);
  } finally {
    await stage.close();
    rmSync(gates, { recursive: true });
  }
}, 90_000);

test('the picture in the README shows the output of the demo, apart from IDs and times', async () => {
  const stage = await openStage();
  try {
    const { step } = await runAlone(stage, PICTURED);
    // script/picture redraws it.
    expect(drawFailure(step)).toBe(readFileSync(path.join(ROOT, 'docs/images/failure.svg'), 'utf8'));
  } finally {
    await stage.close();
  }
}, 60_000);

test('with a name it runs that example, including its jobs and scripts', async () => {
  const { code, out } = await demo('examples/result-in-a-later-job.yml');
  expect(code).toBe(0);
  expect(out).toContain('── Job ask\n');
  expect(out).toContain('The next version is 1.5.0\n');
  expect(out).toContain('── Job tell\n');
  expect(out).toContain(`payload: '{"version": "1.5.0"}'`);
  expect(out).toMatch(/The workflow succeeded\.\n$/);
}, 60_000);

test('with --list it lists every example with a description', async () => {
  const { code, out } = await demo('--list');
  expect(code).toBe(0);
  const rows = out.split('\n').filter((line) => line.startsWith('  '));
  expect(rows.map((row) => row.trim().split(/\s+/)[0])).toEqual(exampleNames());
  for (const row of rows) expect(row).toMatch(/^ {2}\S+ {2,}[A-Z].{10,110}\.$/);
});

test.each([
  {
    args: ['warmup'],
    says: 'There is no example named "warmup". Did you mean warm-up? Run script/demo --list',
  },
  { args: ['qqqqqqqqqq'], says: 'There is no example named "qqqqqqqqqq". Run script/demo --list' },
  { args: ['--nope'], says: "Unknown option '--nope'. Run script/demo --help" },
  { args: ['basic', 'warm-up'], says: 'Name one example, not 2. Run script/demo --help' },
  { args: ['basic', '--keep'], says: '--keep does not run an example. Run script/demo --help' },
])('$args is rejected with a hint', async ({ args, says }) => {
  const { code, out, err } = await demo(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(says);
});

signalTest(
  'with --keep the local Lambda and its logs are there until Ctrl+C, with the printed variables and functions, without the tour',
  async () => {
    const { child, out } = start('--keep');
    await until(() => out().includes('script/try function_name=greeting'));
    for (const name of FUNCTION_NAMES) expect(out()).toMatch(new RegExp(`[ ,]${name}[,\\n]`));
    expect(out()).not.toContain('──');
    const variables = Object.fromEntries(
      [...out().matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    const url = variables['AWS_ENDPOINT_URL_LAMBDA'] ?? '';
    expect(out()).toContain(`The local Lambda is running at ${url}. Press Ctrl+C to stop it.\n`);
    const lambda = { url, region: variables['AWS_REGION'] ?? '' };
    const step = await invokeStep(
      lambda,
      { function_name: 'greeting', payload: '{"name": "you"}', follow_log: 'true' },
      { env: variables },
    );
    // There is a file only if CloudWatch has the log.
    expect(step.outputs['log_file']).toMatch(/function\.log$/);
    expect(step.outputs['response']).toBe('{"message":"Hello, you!"}');
    child.kill('SIGINT');
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  },
  60_000,
);
