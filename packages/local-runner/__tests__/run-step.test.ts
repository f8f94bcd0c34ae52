import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runStep, type StepRun, writeFiles } from '../run-step.ts';

let action: string;
beforeAll(() => {
  action = mkdtempSync(path.join(tmpdir(), 'action-'));
});
afterAll(() => rmSync(action, { recursive: true }));

const MANIFEST = `
name: Test
description: A test.
inputs:
  label:
    description: A text.
    default: \${{ github.workflow }} \${{ strategy.job-index }}
runs:
  using: node24
  main: main.cjs
`;

/** Runs a program as the main file of an action. */
async function run(main: string, options: Partial<Parameters<typeof runStep>[0]> = {}): Promise<StepRun> {
  writeFiles(action, { 'action.yml': MANIFEST, 'main.cjs': main });
  const step = await runStep({ with: {}, action, ...options });
  step.dispose();
  return step;
}

test('commands on standard error run, and stopping commands applies to both streams', async () => {
  // The program waits until the test has seen each part, because two pipes have no common order.
  const main = `
    const { existsSync, writeSync } = require('node:fs');
    const { setTimeout } = require('node:timers/promises');
    const seen = async (name) => {
      for (let n = 0; n < 1000 && !existsSync(name); n += 1) await setTimeout(10);
    };
    (async () => {
      writeSync(2, '::add-mask::hidden\\n::error::from standard error\\n::stop-commands::a-token\\n');
      await seen('stderr');
      writeSync(1, '::error::hidden in a fence\\n');
      await seen('stdout');
      writeSync(2, '::a-token::\\n');
    })();
  `;
  const step = await run(main, {
    onStart: (child, workspace) => {
      for (const name of ['stdout', 'stderr'] as const) {
        child[name]?.once('data', () => writeFiles(workspace, { [name]: '' }));
      }
    },
  });
  expect(step.annotations).toEqual([{ level: 'error', title: '', message: 'from standard error' }]);
  expect(step.lines.map(({ text }) => text)).toEqual([
    'from standard error',
    '::stop-commands::***',
    '::error::*** in a fence',
    '::***::',
  ]);
  expect(step.masks).toEqual(['hidden']);
});

test('a default with expressions is evaluated with the contexts of the job', async () => {
  const contexts = { github: { workflow: 'CI' }, strategy: { 'job-index': 3 } };
  const step = await run('console.log(process.env.INPUT_LABEL)', { contexts });
  expect(step.stdout).toBe('CI 3\n');
});

test('undeclared inputs get a warning before the step starts, and are still passed to the step', async () => {
  const inputs = { LABEL: 'a', labels: 'b', 'la bel': 'c' };
  const step = await run('console.log(process.env.INPUT_LABEL, process.env.INPUT_LABELS)', { with: inputs });
  const message = "Unexpected input(s) 'labels', 'la bel', valid inputs are ['label']";
  expect(step.annotations).toEqual([{ level: 'warning', title: '', message }]);
  expect(step.lines.map(({ kind, text }) => [kind, text])).toEqual([
    ['warning', message],
    ['text', 'a b'],
  ]);
});

test('each log line is reported while the step runs, with secrets masked', async () => {
  // The program waits until the test has seen its first line.
  const main = `
    const { existsSync, writeSync } = require('node:fs');
    const { setTimeout } = require('node:timers/promises');
    writeSync(1, '::add-mask::hidden\\nfirst hidden\\n');
    (async () => {
      for (let n = 0; n < 1000 && !existsSync('seen'); n += 1) await setTimeout(10);
      console.log(existsSync('seen') ? 'seen' : 'not seen');
    })();
  `;
  let workspace = '';
  const lines: string[] = [];
  await run(main, {
    onStart: (_child, folder) => {
      workspace = folder;
    },
    onLine: ({ text }) => {
      lines.push(text);
      writeFiles(workspace, { seen: '' });
    },
  });
  expect(lines).toEqual(['first ***', 'seen']);
});
