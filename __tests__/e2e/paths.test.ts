import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { type JobFolder, makeJobFolder, writeFiles } from '../../packages/local-runner/run-step.ts';
import { onLinux, onPosix } from '../platforms.ts';
import { HANDLERS, type InvokeStep, invokeStep } from './step.ts';

let lambda: LocalLambda;
beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { stream: SAMPLE_FUNCTIONS.stream, redirect: { handler: `${HANDLERS}.redirect` } },
  });
});
afterAll(() => lambda.close());

let job: JobFolder;
let elsewhere: string;
beforeEach(() => {
  lambda.reset();
  job = makeJobFolder();
  mkdirSync(path.join(job.folder, 'elsewhere'));
  elsewhere = realpathSync(path.join(job.folder, 'elsewhere'));
});
afterEach(() => job.dispose());

// Much longer than a step takes, but shorter than the timeout of a test.
const PATIENCE_MS = 20_000;

/** Runs a step in the job's folder. A step that does not end is killed, and has no exit code. */
async function run(inputs: Readonly<Record<string, string>>): Promise<InvokeStep> {
  return invokeStep(
    lambda,
    { function_name: 'stream', payload: '{"lines":2}', ...inputs },
    {
      job,
      onStart: (child) => {
        const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
        child.once('exit', () => clearTimeout(patience));
      },
    },
  );
}

const inWorkspace = (name: string): string => path.join(job.workspace, name);
const texts = ({ lines }: InvokeStep): string[] => lines.map(({ text }) => text);
const titles = ({ annotations }: InvokeStep): string[] => annotations.map(({ title }) => title);

describe('a payload_file that cannot be read to its end', () => {
  onPosix('is refused, and the step ends: a FIFO without a writer', async () => {
    execFileSync('mkfifo', [inWorkspace('event.json')]);
    const step = await run({ payload: '', payload_file: 'event.json' });
    expect({ exitCode: step.exitCode, titles: titles(step) }).toEqual({
      exitCode: 1,
      titles: ['Invalid Input'],
    });
    expect(lambda.requests).toEqual([]);
  });

  onLinux('is refused, and the step ends: the log of the kernel', async () => {
    const step = await run({ payload: '', payload_file: '/proc/kmsg' });
    expect({ exitCode: step.exitCode, titles: titles(step) }).toEqual({
      exitCode: 1,
      titles: ['Invalid Input'],
    });
    expect(lambda.requests).toEqual([]);
  });
});

test('a payload_file outside the workspace through a symlink is rejected before anything is sent', async () => {
  writeFiles(elsewhere, { credentials: '{"secret":"hunter2"}' });
  symlinkSync('../elsewhere/credentials', inWorkspace('event.json'));
  const step = await run({ payload: '', payload_file: 'event.json' });
  expect({ exitCode: step.exitCode, titles: titles(step) }).toEqual({
    exitCode: 1,
    titles: ['Invalid Input'],
  });
  expect(step.stdout).not.toContain('hunter2');
  expect(lambda.requests).toEqual([]);
});

describe.each([
  { writer: 'a whole response', response_stream: 'false' },
  { writer: 'a stream', response_stream: 'true' },
])('the file of $writer', ({ response_stream }) => {
  onLinux('that can not be made below /proc fails the step, which ends', async () => {
    const step = await run({ response_stream, response_file: '/proc/missing/folder/response.json' });
    expect({ exitCode: step.exitCode, titles: titles(step) }).toEqual({
      exitCode: 1,
      titles: ['Response Not Written'],
    });
    expect(step.outputs['outcome']).toBe('succeeded');
  });

  onPosix('is not written through a symlink under a name that can be foreseen', async () => {
    writeFiles(elsewhere, { profile: 'mine' });
    mkdirSync(inWorkspace('out'));
    for (const name of ['orders.csv', 'orders.csv.partial', '.orders.csv'])
      symlinkSync('../../elsewhere/profile', inWorkspace(`out/${name}`));
    const step = await run({ response_stream, response_file: 'out/orders.csv' });
    expect(step.exitCode).toBe(0);
    expect(readFileSync(path.join(elsewhere, 'profile'), 'utf8')).toBe('mine');
    expect(readFileSync(inWorkspace('out/orders.csv'), 'utf8')).toContain('line 1');
    expect(readdirSync(inWorkspace('out')).sort()).toEqual([
      '.orders.csv',
      'orders.csv',
      'orders.csv.partial',
    ]);
  });

  onPosix('does not wait for a FIFO under a name that can be foreseen', async () => {
    execFileSync('mkfifo', [inWorkspace('orders.csv.partial')]);
    const step = await run({ response_stream, response_file: 'orders.csv' });
    expect(step.exitCode).toBe(0);
    expect(readFileSync(inWorkspace('orders.csv'), 'utf8')).toContain('line 1');
  });

  onPosix(
    'that a symlinked folder takes out of the workspace is refused before anything is sent',
    async () => {
      symlinkSync('../elsewhere', inWorkspace('out'));
      const step = await run({ response_stream, response_file: 'out/new/orders.csv' });
      expect({ exitCode: step.exitCode, titles: titles(step) }).toEqual({
        exitCode: 1,
        titles: ['Invalid Input'],
      });
      expect(readdirSync(elsewhere)).toEqual([]);
      expect(lambda.requests).toEqual([]);
    },
  );

  onPosix('that a symlink takes out of the workspace while the function runs is not written', async () => {
    const step = await run({
      function_name: 'redirect',
      payload: JSON.stringify({ link: inWorkspace('out'), to: elsewhere }),
      response_stream,
      response_file: 'out/new/orders.csv',
    });
    expect({ exitCode: step.exitCode, titles: titles(step) }).toEqual({
      exitCode: 1,
      titles: ['Response Not Written'],
    });
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', response: '"done"', response_file: '' });
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('that the workflow places outside the workspace is written there and named in the log', async () => {
    const step = await run({ response_stream, response_file: '../elsewhere/new/orders.csv' });
    expect(step.exitCode).toBe(0);
    const file = path.join(elsewhere, 'new', 'orders.csv');
    expect(readFileSync(file, 'utf8')).toContain('line 1');
    expect(texts(step)).toContain(
      `response_file is ${JSON.stringify(file)}, outside the workspace ${JSON.stringify(job.workspace)}.`,
    );
  });
});
