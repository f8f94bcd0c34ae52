import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type LocalLambda, startLocalLambda } from '../../local-lambda/server.ts';
import { ECHO, HANDLERS, invokeStep } from './step.ts';

const EXAMPLES = path.join(import.meta.dirname, '..', '..', 'examples');
type Step = { uses?: string; run?: string; with?: Record<string, unknown> };
type Workflow = { jobs: Record<string, { strategy?: { matrix: Record<string, unknown[]> }; steps: Step[] }> };

const readWorkflow = (name: string): Workflow => parse(readFileSync(path.join(EXAMPLES, name), 'utf8'));

/** The `with:` of the job's step that uses this action, with the expressions in `values` filled in. */
function inputsOf(
  workflow: Workflow,
  job: string,
  values: Record<string, string> = {},
): Record<string, string> {
  const step = workflow.jobs[job]?.steps.find(({ uses }) => uses?.startsWith('OWNER/aws-lambda-invoke@'));
  return Object.fromEntries(
    Object.entries(step?.with ?? {}).map(([name, value]) => [
      name,
      String(value)
        .trim()
        .replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, expression) => {
          const filled = values[expression];
          if (filled === undefined) throw new Error(`no value for ${expression}`);
          return filled;
        }),
    ]),
  );
}

let lambda: LocalLambda;
beforeAll(async () => {
  lambda = await startLocalLambda({
    region: 'eu-west-1',
    functions: {
      backfill: { handler: ECHO },
      checkout: { handler: `${HANDLERS}.one`, timeoutSeconds: 30 },
      search: {
        handler: `${HANDLERS}.one`,
        timeoutSeconds: 30,
        versions: { 1: {} },
        aliases: { live: '1' },
      },
      migrate: { handler: ECHO },
      greeting: { handler: `${HANDLERS}.one`, timeoutSeconds: 30 },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

test('matrix-with-shard.yml: four jobs share the list, and the last one joins their results', async () => {
  const workflow = readWorkflow('matrix-with-shard.yml');
  const total = workflow.jobs['invoke']?.strategy?.matrix['shard']?.length ?? 0;
  const folder = mkdtempSync(path.join(tmpdir(), 'join-'));
  for (let index = 0; index < total; index += 1) {
    const step = await invokeStep(
      lambda,
      inputsOf(workflow, 'invoke', {
        'strategy.job-index': String(index),
        'strategy.job-total': String(total),
      }),
    );
    expect(step.exitCode).toBe(0);
    const part = path.join(folder, 'parts', `results-${index}`);
    mkdirSync(part, { recursive: true });
    writeFileSync(path.join(part, 'results.jsonl'), step.resultLines.map((line) => `${line}\n`).join(''));
  }
  const months = lambda.requests.map(({ body }) => JSON.parse(String(body)).month);
  expect(months.toSorted()).toEqual(
    ['01', '02', '03', '04', '05', '06', '07'].map((month) => `2026-${month}`),
  );

  const join = workflow.jobs['join']?.steps.find(({ run }) => run !== undefined)?.run ?? '';
  const printed = execFileSync('bash', ['-e', '-c', join], { cwd: folder, encoding: 'utf8' });
  expect(printed.trim()).toBe('7 invocations');
  writeFileSync(path.join(folder, 'parts', 'results-0', 'results.jsonl'), '{"outcome":"unknown"}\n');
  expect(() => execFileSync('bash', ['-e', '-c', join], { cwd: folder, stdio: 'ignore' })).toThrow();
  rmSync(folder, { recursive: true });
});

test('warm-up.yml: five environments of each function are started', async () => {
  const inputs = inputsOf(readWorkflow('warm-up.yml'), 'warm-up');
  const local = {
    ...inputs,
    function_name: inputs['function_name']?.replace('us-east-1', 'eu-west-1') ?? '',
  };
  // Long enough for all copies to overlap.
  const step = await invokeStep(lambda, { ...local, payload: '{"ms":1000}', max_concurrency: '15' });
  expect(step.exitCode).toBe(0);
  expect(step.outputs).toMatchObject({ total: '15', succeeded: '15', cold_starts: '15' });
});

test('permission-check.yml: the functions of the list are asked for, none of them runs', async () => {
  const inputs = inputsOf(readWorkflow('permission-check.yml'), 'may-invoke');
  expect(inputs['comment_on_pull_request']).toBe('true');
  // Where no comment can be written, the answer is in the summary.
  const step = await invokeStep(lambda, inputs, { env: { GITHUB_EVENT_NAME: 'schedule' } });
  expect(step.exitCode).toBe(0);
  expect(step.outputs).toMatchObject({ total: '3', succeeded: '3' });
  expect(step.summary).toContain('All 3 functions may be invoked.');
  expect(lambda.requests).toHaveLength(3);
  expect(lambda.executions()).toHaveLength(0);
});
