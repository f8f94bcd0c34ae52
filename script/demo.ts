// A tour of the action without an AWS account. Usage: script/demo [NAME] [--list] [--keep]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import leven from 'leven';
import { stringify } from 'yaml';
import {
  exampleFile,
  exampleNames,
  OWN_CREDENTIALS,
  openStage,
  type Stage,
} from '../examples/local/stage.ts';
import type { JobRun, JobStep } from '../packages/local-runner/run-job.ts';
import type { StepRun } from '../packages/local-runner/run-step.ts';
import { paint, section, showAnnotations, showLog, showMarkdown, showOutputs } from './terminal.ts';
import { runScene, SCENES, type SceneRun, withoutCheckout } from './tour.ts';

const USAGE = `Usage: script/demo [NAME] [--list] [--keep]

  script/demo          the first minute with the action
  script/demo NAME     one of the examples, for example: script/demo warm-up
  script/demo --list   what there is
  script/demo --keep   let the local Lambda stay up, and say how to use it
`;

/** What the caller got wrong, in words for the caller. */
class UsageError extends Error {
  override name = 'UsageError';
}

/** What an example says about itself: the first sentence of its first comment. */
function describe(name: string): string {
  const [comment = ''] = /^(?:#.*\n)+/.exec(readFileSync(exampleFile(name), 'utf8')) ?? [];
  const text = comment.replace(/^#[^\S\n]*/gm, '').replaceAll('\n', ' ');
  return text.split(/(?<=[.:])\s/)[0]?.replace(/:$/, '.') ?? text;
}

function list(): string {
  const names = exampleNames();
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map((name) => `  ${paint('cyan', name.padEnd(width))}  ${describe(name)}`);
  return `Examples. Each is a workflow in examples/ and runs with script/demo NAME.\n\n${rows.join('\n')}\n`;
}

function nameFrom(given: string): string {
  const name = given.replace(/^(?:.*\/)?([^/]+?)(?:\.ya?ml)?$/, '$1');
  const names = exampleNames();
  if (names.includes(name)) return name;
  const near = names.filter(
    (other) => leven(name, other) <= 3 || other.includes(name) || name.includes(other),
  );
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '';
  throw new UsageError(`There is no example named "${name}". ${hint}script/demo --list names all of them.`);
}

const asStep = (inputs: Readonly<Record<string, string>>): string =>
  stringify({ uses: 'OWNER/aws-lambda-invoke@v1', with: inputs }, { lineWidth: 0 });

const verdict = (passed: boolean, what: string): string =>
  passed ? paint('green', `The ${what} passed.`) : paint('red', `The ${what} failed.`);

const showRun = (run: StepRun): string =>
  section('Its log', showLog(run.lines)) +
  section('On the page of the run', showAnnotations(run.annotations)) +
  section('Its summary', withoutCheckout(showMarkdown(run.summary))) +
  section('Its outputs', showOutputs(run.outputs));

function showScene({ scene, step, executions, requests }: SceneRun): string {
  const count = `Requests sent: ${requests}. Executions counted by the functions themselves: ${executions}.`;
  return [
    paint('bold', `── ${scene.title}\n\n`),
    section('The step', asStep(scene.with)),
    showRun(step),
    `${verdict(step.exitCode === 0, 'step')} ${count}\n\n`,
  ].join('');
}

function showStep(step: JobStep): string {
  switch (step.kind) {
    case 'action':
      return `${paint('bold', `● ${step.name}\n`)}${section('The step', asStep(step.inputs))}${showRun(step.run)}${verdict(step.run.exitCode === 0, 'step')}\n\n`;
    case 'script':
      return `${paint('bold', `● ${step.name}\n`)}${section('Its script', step.script)}${section('It printed', step.text)}${verdict(step.exitCode === 0, 'step')}\n\n`;
    case 'stand-in':
      return paint('dim', `● ${step.uses.replace(/@.*/, '')} (a stand-in runs here)\n\n`);
    case 'skipped':
      return paint('dim', `○ ${step.name} (skipped)\n\n`);
    default:
      return step satisfies never;
  }
}

function showJob({ id, matrix, result, steps }: JobRun): string {
  const values = Object.entries(Object(matrix)).map(([name, value]) => `${name} ${value}`);
  const title = [`── Job ${id}`, ...(values.length > 0 ? [`(${values.join(', ')})`] : [])].join(' ');
  if (result === 'skipped') return paint('dim', `${title} (skipped)\n\n`);
  return `${paint('bold', `${title}\n\n`)}${steps.map(showStep).join('')}`;
}

const print = (text: string): void => {
  process.stdout.write(text);
};

async function tour(stage: Stage): Promise<void> {
  print('Four steps, run as a runner runs them, against a Lambda on this machine.\n\n');
  for (const scene of SCENES) print(showScene(await runScene(stage, scene)));
  print('More: script/demo --list names the examples, script/demo NAME runs one of them,\n');
  print('and script/demo --keep leaves the local Lambda running for you.\n');
}

async function runExample(stage: Stage, name: string): Promise<void> {
  print(`${paint('bold', `examples/${name}.yml`)}\n${describe(name)}\n\n`);
  const jobs = await stage.run(name);
  for (const job of jobs) print(showJob(job));
  for (const comment of stage.comments())
    print(section('The comment on the pull request', showMarkdown(comment)));
  print(
    `${verdict(
      jobs.every(({ result }) => result !== 'failure'),
      'workflow',
    )}\n`,
  );
}

/** Says how to use the local Lambda, and waits until it is told to stop. */
async function keep({ lambda }: Stage): Promise<void> {
  lambda.reset();
  const variables = {
    AWS_ENDPOINT_URL_LAMBDA: lambda.url,
    AWS_REGION: lambda.region,
    ...OWN_CREDENTIALS,
  };
  print('\nThe local Lambda stays up until you press Ctrl+C. Use it from another shell with:\n\n');
  for (const [name, value] of Object.entries(variables)) print(`export ${name}=${value}\n`);
  print('\nFor example:\n\n');
  print(`aws lambda invoke --function-name greeting --cli-binary-format raw-in-base64-out \\\n`);
  print(`  --payload '{"name": "you"}' /dev/stdout\n`);
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  clearInterval(alive);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        list: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    const [problem = ''] = String(error instanceof Error ? error.message : error).split('. ');
    throw new UsageError(`${problem.replace(/\.$/, '')}.\n\n${USAGE}`, { cause: error });
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return print(USAGE);
  if (values.list) return print(list());
  const [given, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`One example at a time, please.\n\n${USAGE}`);
  const name = given === undefined ? undefined : nameFrom(given);
  const stage = await openStage();
  try {
    await (name === undefined ? tour(stage) : runExample(stage, name));
    if (values.keep) await keep(stage);
  } finally {
    await stage.close();
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
