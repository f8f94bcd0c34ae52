import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { runStep } from '../../packages/local-runner/run-step.ts';
import { COMMON_OUTPUTS, SINGLE_OUTPUTS } from '../../src/report/outputs.ts';
import { SEED } from '../seed.ts';
import { hostileBytes, hostileText } from '../unit/hostile/arbitraries.ts';
import {
  commandsIn,
  judgeOutput,
  outputsIn,
  type Transcript,
  tokensIn,
} from '../unit/hostile/runner-rules.ts';
import { CODE_BLOCK, jobEnvironment, withoutCredentials } from './step.ts';

const HANDLERS = path.join(import.meta.dirname, 'handlers', 'hostile.mjs');
const MARK = 'foreign-7f3a';

/** A code span in Markdown: it ends with as many backticks as it starts with. */
const CODE_SPAN = /(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g;

/** Texts that fit into a log tail, each with a unique word. */
const TEXTS = fc
  .sample(
    hostileText.filter((text) => text.length > 20 && text.length < 1000),
    { seed: SEED, numRuns: 10 },
  )
  .map((text) => `${text.toWellFormed()}${MARK}`);
const BYTES = fc.sample(
  hostileBytes.filter(({ length }) => length > 5 && length < 2000),
  { seed: SEED, numRuns: 3 },
);

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: Object.fromEntries(
      ['responses', 'throws', 'bytes'].map((name) => [name, { handler: `${HANDLERS}.${name}` }] as const),
    ),
  });
});
afterAll(() => lambda.close());

/** A step as read by a strict runner. */
type Seen = Readonly<{
  exitCode: number | null;
  log: Transcript;
  outputs: readonly (readonly [string, string])[];
  values: Readonly<Record<string, string>>;
  summary: string;
  results: string;
}>;

async function run(inputs: Readonly<Record<string, string>>): Promise<Seen> {
  const step = await runStep({
    with: { log_type: 'Tail', show_response: 'true', ...inputs },
    env: jobEnvironment(lambda),
  });
  try {
    const outputs = outputsIn(readFileSync(step.outputFile, 'utf8'));
    const values = Object.fromEntries(outputs);
    return {
      exitCode: step.exitCode,
      log: judgeOutput(withoutCredentials(step.stdout)),
      outputs,
      values,
      summary: step.summary,
      results: readFileSync(values['outcomes_file'] ?? '', 'utf8'),
    };
  } finally {
    step.dispose();
  }
}

/** Runs a step for each text, a few concurrently. */
async function runEach<T>(items: readonly T[], inputsOf: (item: T) => Record<string, string>) {
  const steps: (readonly [T, Seen])[] = [];
  for (let at = 0; at < items.length; at += 4) {
    const some = items.slice(at, at + 4);
    const seen = some.map(async (item) => [item, await run(inputsOf(item))] as const);
    steps.push(...(await Promise.all(seen)));
  }
  return steps;
}

const withText = (function_name: string) => (text: string) => ({
  function_name,
  payload: JSON.stringify({ text }),
});

const kinds = ({ lines }: Transcript, kind: string): string[] =>
  lines.flatMap((line) => ('line' in line && line.kind === kind ? [line.line] : []));

/** The lines of text in the groups of a log, and those outside of them. */
function grouped({ lines }: Transcript): { inside: string; outside: string } {
  const [inside, outside]: [string[], string[]] = [[], []];
  let isInside = false;
  for (const line of lines) {
    if (line.kind === 'command' && line.command.name === 'group') isInside = true;
    if (line.kind === 'command' && line.command.name === 'endgroup') isInside = false;
    if ('line' in line) (isInside ? inside : outside).push(line.line);
  }
  return { inside: inside.join('\n'), outside: outside.join('\n') };
}

function expectContained({ log, summary, outputs }: Seen, groups: number): void {
  expect(log.open).toBeUndefined();
  const commands = commandsIn(log).map(({ name }) => name);
  expect(commands.filter((name) => ['group', 'endgroup'].includes(name))).toEqual(
    Array(groups).fill(['group', 'endgroup']).flat(),
  );
  expect(new Set(tokensIn(log)).size).toBeLessThanOrEqual(1);
  const { inside, outside } = grouped(log);
  expect(outside).not.toContain(MARK);
  expect(inside).toContain(MARK);
  // The summary has an error only in code spans, and text of the log only in code blocks: a heading, the lines
  // of one quote and of the figures, and two folds of two lines.
  const ours = summary.replace(CODE_BLOCK, '').replace(CODE_SPAN, '');
  expect(ours).not.toContain(MARK);
  expect(ours.split('\n').filter(Boolean).length).toBeLessThanOrEqual(9);
  expect(outputs.map(([name]) => name)).toEqual([...SINGLE_OUTPUTS, ...COMMON_OUTPUTS]);
}

const notFences = ({ log }: Seen) =>
  commandsIn(log).filter(({ name }) => !['group', 'stop-commands', 'endgroup'].includes(name));

describe('the bundle', () => {
  test('shows what a function returns and logs, and runs no commands from it', async () => {
    for (const [text, step] of await runEach(TEXTS, withText('responses'))) {
      expect(step.exitCode).toBe(0);
      expectContained(step, 2);
      expect(notFences(step)).toEqual([]);
      expect(step.values['response']).toBe(JSON.stringify({ text }));
      expect(step.values['log_result']).toContain(text);
      expect(JSON.parse(step.values['outcomes'] ?? '')).toMatchObject([{ response: { text } }]);
      expect(JSON.parse(step.results)).toMatchObject({ response: { text } });
    }
  });

  test('shows what a function throws in one annotation, and runs no commands from it', async () => {
    for (const [text, step] of await runEach(TEXTS.slice(0, 4), withText('throws'))) {
      expect(step.exitCode).toBe(1);
      expectContained(step, 2);
      expect(notFences(step)).toEqual([
        {
          name: 'error',
          properties: { title: 'Lambda Function Execution Error' },
          data: expect.stringContaining(text),
        },
      ]);
      expect(step.values['outcome']).toBe('function_error');
      expect(JSON.parse(step.values['response'] ?? '')).toMatchObject({ errorMessage: text });
    }
  });

  test('masks the configured values, and runs no commands from them', async () => {
    const masked = (text: string) => ({ ...withText('responses')(text), mask: 'response.text' });
    for (const [text, step] of await runEach(TEXTS.slice(6), masked)) {
      expect(step.exitCode).toBe(0);
      const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
      const masks = notFences(step).map(({ data }) => data);
      expect(new Set(notFences(step).map(({ name }) => name))).toEqual(new Set(['add-mask']));
      expect(masks).toEqual(expect.arrayContaining(lines.filter((line) => line !== '')));
      const shown = [
        ...kinds(step.log, 'text'),
        ...kinds(step.log, 'fenced'),
        step.summary,
        step.results,
      ].join('\n');
      expect(shown).not.toContain(MARK);
      expect(JSON.parse(step.values['response'] ?? '')).toEqual({ text });
    }
  });

  test('accepts bytes that are not text', async () => {
    const withBytes = (bytes: Uint8Array) => ({
      function_name: 'bytes',
      payload: JSON.stringify({ base64: Buffer.from(bytes).toString('base64') }),
    });
    for (const [bytes, step] of await runEach(BYTES, withBytes)) {
      expect(step.exitCode).toBe(0);
      expect(step.log.open).toBeUndefined();
      expect(notFences(step)).toEqual([]);
      expect(JSON.parse(step.values['response'] ?? '')).toBe(Buffer.from(bytes).toString('latin1'));
    }
  });

  test('names a path that contains a command, and does not run it', async () => {
    const step = await runStep({
      with: { function_name: 'responses', payload_file: '../##[error]forged.json' },
      workspace: { '../##[error]forged.json': '{"text":"x"}' },
      env: jobEnvironment(lambda),
    });
    step.dispose();
    expect(step.exitCode).toBe(0);
    expect(step.stdout).toContain('##[error]forged.json');
    expect(commandsIn(judgeOutput(withoutCredentials(step.stdout))).map(({ name }) => name)).toEqual([
      'stop-commands',
    ]);
  });
});
