// Runs one step against a local Lambda. Usage: script/try [--handler FILE] NAME=VALUE...
// script/try passes the folder that it was called in as the first argument.
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentOf, FUNCTION_NAMES, openStage, type Stage } from '../examples/local/stage.ts';
import { LATEST } from '../packages/local-lambda/function-definition.ts';
import { parseFunctionName } from '../packages/local-lambda/function-name.ts';
import type { FunctionDefinition } from '../packages/local-lambda/server.ts';
import { type JobFolder, makeJobFolder, runStep, type StepRun } from '../packages/local-runner/run-step.ts';
import {
  indented,
  inLines,
  paint,
  print,
  readArguments,
  runCommand,
  section,
  showAnnotations,
  showCounts,
  showLog,
  showMarkdown,
  showOutputs,
  showResult,
  showStep,
  UsageError,
} from './terminal.ts';
import { countsOf } from './tour.ts';

type Inputs = Readonly<Record<string, string>>;

const USAGE = `Usage: script/try [--handler FILE] NAME=VALUE...

Runs one step of this action against a local Lambda, as a runner would. No AWS account is needed.
Each NAME=VALUE is an input of the step. Paths are relative to the current folder.

  script/try function_name=greeting payload='{"name": "you"}'
  script/try function_name=throws payload='{}' log_type=Tail
  script/try --handler order.mjs payload='{"order": 17}' follow_log=true

  --handler FILE   deploy the function that FILE exports as "handler". Without function_name, the
                   function is named after the file: order.mjs becomes order.
  --help           show this text

The exit code is the step's, or 2 if the command line is wrong. The step runs dist/: after a change in
src/, run script/build first.

Functions that are always deployed:

${indented(inLines(FUNCTION_NAMES))}
`;
const HINT =
  'Write inputs as NAME=VALUE, such as function_name=greeting. Run script/try --help to see the options.';

/** How long an accepted event may still run after the step, in milliseconds. */
const LONGEST_EVENT_MS = 10_000;

function readInputs(given: readonly string[]): Inputs {
  const pairs = given.map((text) => {
    const [, name, value = ''] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined) throw new UsageError(`"${text}" is not an input. ${HINT}`);
    return [name, value] as const;
  });
  const inputs = Object.fromEntries(pairs);
  const twice = pairs.find(([name], at) => pairs.findIndex(([other]) => other === name) !== at);
  if (twice !== undefined) throw new UsageError(`The input ${twice[0]} is given more than once.`);
  return inputs;
}

/** The version and the alias that a qualifier names. */
function published(qualifier: string | undefined): Pick<FunctionDefinition, 'versions' | 'aliases'> {
  if (qualifier === undefined || qualifier === '' || qualifier === LATEST) return {};
  if (/^\d+$/.test(qualifier)) return { versions: { [qualifier]: {} } };
  return { versions: { 1: {} }, aliases: { [qualifier]: '1' } };
}

/** A handler's file, and the name of its function if the inputs have none. */
type Handler = Readonly<{ file: string; name: string }>;

function findHandler(folder: string, given: string): Handler {
  const file = path.resolve(folder, given);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(`--handler: there is no file ${file}.`);
  return {
    file,
    name: path
      .parse(file)
      .name.replaceAll(/[^\w-]/g, '-')
      .slice(0, 64),
  };
}

/** Deploys a handler under every function name in the inputs, and returns the inputs with a function name. */
function deploy(lambda: Stage['lambda'], { file, name }: Handler, inputs: Inputs): Inputs {
  const isNamed = ['function_name', 'invocations', 'invocations_file'].some(
    (input) => (inputs[input] ?? '') !== '',
  );
  const named = isNamed ? inputs : { ...inputs, function_name: name };
  // The limits are generous, because this command tries out the step, not the performance of the handler.
  const definition = { handler: `${file}.handler`, timeoutSeconds: 900, memorySize: 1_024 };
  for (const text of (named['function_name'] || name).split('\n')) {
    const reference = parseFunctionName(text.trim());
    if (reference === undefined) continue;
    const qualifier = reference.qualifier ?? named['qualifier'];
    lambda.setFunction(reference.name, { ...definition, ...published(qualifier) });
  }
  return named;
}

/** Cancels a step like a runner when this process gets a signal to stop. */
function cancelOnSignal(child: ChildProcess, cancel: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      child.kill('SIGINT');
      cancel.abort();
    });
}

async function runIn(job: JobFolder, { lambda }: Stage, inputs: Inputs): Promise<StepRun> {
  print(`${section('Step', showStep(inputs))}${paint('dim', 'Log')}\n`);
  const cancel = new AbortController();
  const step = await runStep({
    with: inputs,
    env: environmentOf(lambda),
    job,
    onStart: (child) => cancelOnSignal(child, cancel),
    onLine: (line) => print(`${indented(showLog([line], 'full'))}\n`),
  });
  const { signal } = cancel;
  await Promise.race([
    lambda.idle(),
    sleep(LONGEST_EVENT_MS, undefined, { ref: false, signal }).catch(() => {}),
  ]);
  return step;
}

/** The files that the step wrote into the job's folder. */
const showFiles = ({ summary, summaryFile, outputs }: StepRun): string =>
  [
    ...(summary === '' ? [] : [`Summary as Markdown: ${summaryFile}\n`]),
    ...(outputs['outcomes_file'] ? [`Outcomes as JSON lines: ${outputs['outcomes_file']}\n`] : []),
    ...(outputs['log_file'] ? [`Function log: ${outputs['log_file']}\n`] : []),
  ].join('');

function showEnd(step: StepRun, { lambda }: Stage): string {
  return [
    '\n',
    section('Annotations', showAnnotations(step.annotations)),
    section('Summary', showMarkdown(step.summary)),
    section('Outputs', showOutputs(step.outputs, 'full')),
    `${showResult(step.exitCode === 0, 'step')} ${showCounts(countsOf(lambda))}\n`,
    showFiles(step),
  ].join('');
}

async function main(): Promise<void> {
  const [folder = '', ...args] = process.argv.slice(2);
  const { values, positionals } = readArguments(
    {
      args,
      allowPositionals: true,
      options: { handler: { type: 'string' }, help: { type: 'boolean', default: false } },
    },
    HINT,
  );
  if (values.help) return print(USAGE);
  if (args.length === 0) throw new UsageError(`Give at least one input. ${HINT}`);
  const given = readInputs(positionals);
  const handler = values.handler === undefined ? undefined : findHandler(folder, values.handler);
  const job = { ...makeJobFolder(), workspace: folder };
  const stage = await openStage();
  try {
    const inputs = handler === undefined ? given : deploy(stage.lambda, handler, given);
    const step = await runIn(job, stage, inputs);
    print(showEnd(step, stage));
    process.exitCode = step.exitCode ?? 1;
    if (showFiles(step) === '') job.dispose();
  } finally {
    await stage.close();
  }
}

await runCommand(main);
