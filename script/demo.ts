// Shows the action without an AWS account. Usage: script/demo [NAME | --list | --keep]
import { readFileSync } from 'node:fs';
import leven from 'leven';
import {
  environmentOf,
  exampleFile,
  exampleNames,
  FUNCTION_NAMES,
  openStage,
  type Stage,
} from '../examples/local/stage.ts';
import type { JobRun, JobStep } from '../packages/local-runner/run-job.ts';
import type { StepRun } from '../packages/local-runner/run-step.ts';
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
import { runScenes, SCENES, type Screen, withoutCheckout } from './tour.ts';

const USAGE = `Usage: script/demo [NAME | --list | --keep]

Runs this action against a local Lambda. No AWS account is needed.

  script/demo          run a tour of seven steps
  script/demo NAME     run one of the examples, such as script/demo warm-up
  script/demo --list   list the examples
  script/demo --keep   start the local Lambda, show how to use it, and keep it running until Ctrl+C

To run a step of your own, use script/try.
`;
const HINT = 'Run script/demo --help to see the options.';

/** The description of an example: the first sentence of its first comment. */
function describe(name: string): string {
  const [comment = ''] = /^(?:#.*\n)+/.exec(readFileSync(exampleFile(name), 'utf8')) ?? [];
  const text = comment.replace(/^#[^\S\n]*/gm, '').replaceAll('\n', ' ');
  return text.split(/(?<=[.:])\s/)[0]?.replace(/:$/, '.') ?? text;
}

function list(): string {
  const names = exampleNames();
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map((name) => `  ${paint('cyan', name.padEnd(width))}  ${describe(name)}`);
  return `The examples are workflows in examples/. To run one, use script/demo NAME.\n\n${rows.join('\n')}\n`;
}

function nameFrom(given: string): string {
  const name = given.replace(/^(?:.*\/)?([^/]+?)(?:\.ya?ml)?$/, '$1');
  const names = exampleNames();
  if (names.includes(name)) return name;
  const near = names.filter(
    (other) => leven(name, other) <= 3 || other.includes(name) || name.includes(other),
  );
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '';
  throw new UsageError(
    `There is no example named "${name}". ${hint}Run script/demo --list to see all examples.`,
  );
}

/** What a step writes in addition to its log. */
const showReports = (run: StepRun): string =>
  section('Annotations', showAnnotations(run.annotations)) +
  section('Summary', withoutCheckout(showMarkdown(run.summary))) +
  section('Outputs', showOutputs(run.outputs, 'cut'));

const showRun = (run: StepRun): string => section('Log', showLog(run.lines, 'cut')) + showReports(run);

/** Prints the scenes of the tour while they run. */
const SCREEN: Screen = {
  begin: (scene) =>
    print(
      `${paint('bold', `── ${scene.title}\n\n`)}${section('Step', showStep(scene.with))}${paint('dim', 'Log')}\n`,
    ),
  line: (line) => print(`${indented(showLog([line], 'cut'))}\n`),
  end: ({ step, counts }) => {
    const result =
      step.signal === null ? showResult(step.exitCode === 0, 'step') : paint('red', 'The runner was lost.');
    print(`\n${showReports(step)}${result} ${showCounts(counts)}\n\n`);
  },
};

function showJobStep(step: JobStep): string {
  switch (step.kind) {
    case 'action':
      return `${paint('bold', `● ${step.name}\n`)}${section('Step', showStep(step.inputs))}${showRun(step.run)}${showResult(step.run.exitCode === 0, 'step')}\n\n`;
    case 'script':
      return `${paint('bold', `● ${step.name}\n`)}${section('Script', step.script)}${section('Log', step.text)}${showResult(step.exitCode === 0, 'step')}\n\n`;
    case 'stand-in':
      return paint('dim', `● ${step.uses.replace(/@.*/, '')} (simulated)\n\n`);
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
  return `${paint('bold', `${title}\n\n`)}${steps.map(showJobStep).join('')}`;
}

async function tour(stage: Stage): Promise<void> {
  print(
    'This tour runs seven steps as a GitHub runner does, against a local Lambda. No AWS account is needed.\n\n',
  );
  await runScenes(stage, SCENES, SCREEN);
  print(`What to do next:

  script/demo --list   list the examples. script/demo NAME runs one of them.
  script/try --help    run a step of your own, with a function of your own if you like
  script/demo --keep   keep the local Lambda running, to use it from another terminal
`);
}

async function runExample(stage: Stage, name: string): Promise<void> {
  print(`${paint('bold', `examples/${name}.yml`)}\n${describe(name)}\n\n`);
  const jobs = await stage.run(name);
  for (const job of jobs) print(showJob(job));
  for (const comment of stage.comments()) print(section('Pull request comment', showMarkdown(comment)));
  print(
    `${showResult(
      jobs.every(({ result }) => result !== 'failure'),
      'workflow',
    )}\n`,
  );
}

const showUse = (url: string, variables: Readonly<Record<string, string>>): string =>
  `The local Lambda is running at ${url}. Press Ctrl+C to stop it.

To use it from another terminal, set these variables there:

${Object.entries(variables)
  .map(([name, value]) => `export ${name}=${value}`)
  .join('\n')}

Then invoke a function, for example with version 2 of the AWS CLI:

aws lambda invoke --function-name greeting --cli-binary-format raw-in-base64-out \\
  --payload '{"name": "you"}' /dev/stdout

These functions are deployed:

${indented(inLines(FUNCTION_NAMES))}

To run a step of this action, use script/try, which starts a local Lambda of its own:

script/try function_name=greeting payload='{"name": "you"}'
`;

/** Shows how to use the local Lambda, and waits for the signal to stop. */
async function keep({ lambda }: Stage): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  print(showUse(lambda.url, environmentOf(lambda)));
  await stopped;
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments(
    {
      allowPositionals: true,
      options: {
        list: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    },
    HINT,
  );
  if (values.help) return print(USAGE);
  if (values.list) return print(list());
  const [given, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`Name one example, not ${positionals.length}. ${HINT}`);
  if (values.keep && given !== undefined) throw new UsageError(`--keep does not run an example. ${HINT}`);
  const name = given === undefined ? undefined : nameFrom(given);
  const stage = await openStage();
  try {
    if (values.keep) await keep(stage);
    else await (name === undefined ? tour(stage) : runExample(stage, name));
  } finally {
    await stage.close();
  }
}

await runCommand(main);
