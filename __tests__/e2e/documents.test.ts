import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { OWN_CREDENTIALS, openStage, type Stage } from '../../examples/local/stage.ts';
import { readActionFile } from '../../packages/local-runner/action-file.ts';
import { runStep, type StepRun } from '../../packages/local-runner/run-step.ts';
import { OUTPUT_EXAMPLES } from '../../script/output-examples.ts';
import { fieldsOf } from '../../src/shared/values.ts';
import { blocksIn, documents, ROOT } from '../markdown.ts';

let stage: Stage;
let folder: string;
beforeAll(async () => {
  stage = await openStage();
  folder = mkdtempSync(path.join(tmpdir(), 'documents-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stage.close();
});

type Block = ReturnType<typeof blocksIn>[number];

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const GAGOAR_INPUTS: ReadonlySet<string> = new Set([
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'REGION',
  'FunctionName',
  'InvocationType',
  'LogType',
  'ClientContext',
  'Payload',
  'Qualifier',
  'HTTP_TIMEOUT',
  'MAX_RETRIES',
  'SUCCEED_ON_FUNCTION_FAILURE',
]);

/** A block as a workflow: a whole workflow, a list of steps, or part of a step's `with:`. */
function asWorkflow(text: string): string {
  const document: unknown = parse(text);
  if (!Array.isArray(document) && 'jobs' in fieldsOf(document)) return text;
  const steps = Array.isArray(document)
    ? document
    : [{ uses: 'OWNER/aws-lambda-invoke@v1', with: { function_name: 'my-function', ...fieldsOf(document) } }];
  const job = { 'runs-on': 'ubuntu-latest', steps };
  return stringify({ name: 'Document', on: 'pull_request', permissions: {}, jobs: { job } });
}

describe('every YAML block runs unchanged:', () => {
  // The reference has every input at its default, and __tests__/unit/interface.test.ts compares it with action.yml.
  const reference = ({ place, text }: Block): boolean =>
    place.startsWith('docs/inputs.md') && text.startsWith('- uses: ');
  const migrated = ({ text }: Block): boolean => text.includes('uses: gagoar/');
  const blocks = blocksIn('yaml').filter((block) => !reference(block) && !migrated(block));

  test('blocks are found', () => {
    expect(blocks.length).toBeGreaterThan(8);
    expect(blocksIn('yaml').filter(migrated)).toHaveLength(1);
  });

  // Source: action.yml of gagoar/invoke-aws-lambda, version 3.
  test('the step of the other action has its inputs', () => {
    const [step] = blocksIn('yaml')
      .filter(migrated)
      .flatMap(({ text }) => listOf(parse(text)));
    const names = Object.keys(fieldsOf(fieldsOf(step)['with']));
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !GAGOAR_INPUTS.has(name))).toEqual([]);
  });

  test.each(blocks)(
    '$place',
    async ({ text, place }) => {
      const file = path.join(folder, `${place.replace(/\W/g, '-')}.yml`);
      writeFileSync(file, asWorkflow(text));
      stage.lambda.reset();
      const jobs = await stage.runFile(file);
      const steps = jobs.flatMap((job) => job.steps);
      const log = steps.map((step) => (step.kind === 'action' ? step.run.stdout : '')).join('');
      expect({ results: jobs.map(({ result }) => result), log }).toEqual({
        results: jobs.map(() => 'success'),
        log: expect.stringMatching(/^(?:::add-mask::.*\n)*Invoking /),
      });
    },
    60_000,
  );
});

/** Text without the parts that differ between runs. */
const steady = (text: string): string =>
  text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID').replace(/\d+(?:\.\d+)?/g, '0');

test('each output looks like its example in the README', async () => {
  const env = {
    ...OWN_CREDENTIALS,
    AWS_ENDPOINT_URL_LAMBDA: stage.lambda.url,
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: stage.lambda.url,
    AWS_REGION: stage.lambda.region,
  };
  const run = async (inputs: Readonly<Record<string, string>>): Promise<StepRun> => {
    const step = await runStep({ with: inputs, env });
    step.dispose();
    return step;
  };
  const greeted = await run({
    function_name: 'greeting',
    payload: '{"name": "world"}',
    log_type: 'Tail',
    follow_log: 'true',
    query: 'response.message',
    response_file: 'greeting.json',
  });
  const failed = await run({ function_name: 'place-order', qualifier: 'live', payload: '{"lines": [{}]}' });
  const durable = await run({
    function_name: 'roll-out',
    qualifier: 'live',
    invocation_type: 'Event',
    payload: '{"release": "v1"}',
    durable_execution_name: 'release-42',
  });
  const given: Readonly<Record<string, string | undefined>> = {
    ...greeted.outputs,
    function_error: failed.outputs['function_error'],
    durable_execution_arn: durable.outputs['durable_execution_arn'],
  };
  expect(Object.keys(OUTPUT_EXAMPLES)).toEqual(
    Object.keys(readActionFile(path.join(ROOT, 'action.yml')).outputs),
  );
  const unlike = Object.entries(OUTPUT_EXAMPLES).filter(([name, example]) => {
    const parts = steady(example).split('…');
    const value = steady(given[name] ?? '');
    return parts.length === 1 ? value !== parts[0] : !parts.every((part) => value.includes(part.trim()));
  });
  expect(unlike.map(([name, example]) => ({ name, example, given: given[name] }))).toEqual([]);
});

const source = (file: string): string => readFileSync(path.join(ROOT, '__tests__', 'e2e', file), 'utf8');

test('each promise of the README has a test named after it', () => {
  const readme = documents.find(({ file }) => file === 'README.md')?.text ?? '';
  const section = readme.split('## What it promises')[1]?.split('\n## ')[0] ?? '';
  const promises = [...section.matchAll(/^- \*\*(.+?)\.\*\*/gm)].map(([, promise]) => promise);
  const tests = [
    ...source('promises.test.ts').matchAll(/^ *(?:(?:test|signalTest)\(|\]\)\()'([^':]+):/gm),
  ].map(([, name]) => name);
  expect(promises).toHaveLength(5);
  expect([...new Set(tests)]).toEqual(promises);
});

test.each([
  'Basic Usage',
  'Invoke with Function Version',
  'Asynchronous Invocation',
  'Dry Run Validation',
  'With Log Capture',
  'Mobile Application Context',
  'CI/CD Pipeline Integration',
  'Environment-Specific Processing',
  'Complex Payload with Dynamic Content',
])('the section "%s" of the argument reference has a test named after it', (section) => {
  expect(source('examples.test.ts')).toMatch(new RegExp(`['\\s]${section}: `));
});
