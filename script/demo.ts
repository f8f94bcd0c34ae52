// The demo: three steps of a workflow, run as a runner runs them, against the local Lambda.
import { stringify } from 'yaml';
import { SAMPLE_FUNCTIONS } from '../local-lambda/sample-functions.ts';
import { startLocalLambda } from '../local-lambda/server.ts';
import type { LogLine } from '../local-runner/commands.ts';
import { runStep, type StepRun } from '../local-runner/run-step.ts';

type Scene = Readonly<{ title: string; with: Readonly<Record<string, string>> }>;

const SCENES: readonly Scene[] = [
  {
    title: 'Check the function that was just deployed, with its response and its log',
    with: {
      function_name: 'health',
      payload: '{"check": "deploy"}',
      log_type: 'Tail',
      show_response: 'true',
    },
  },
  {
    title: 'A function that fails turns the step red, and says why',
    with: { function_name: 'throws', payload: '{"order": 7}', log_type: 'Tail' },
  },
  {
    title: 'A dry run checks the permission and runs nothing',
    with: { function_name: 'echo', qualifier: 'live', invocation_type: 'DryRun' },
  },
];

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
const paint = (colour: keyof typeof COLOURS, text: string): string =>
  process.stdout.isTTY ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;

function showLine({ kind, text, depth }: LogLine): string {
  const indent = '  '.repeat(depth);
  switch (kind) {
    case 'group':
      return paint('bold', `▸ ${text}`);
    case 'error':
      return paint('red', `Error: ${text}`);
    case 'warning':
    case 'notice':
      return paint('yellow', `${kind === 'warning' ? 'Warning' : 'Notice'}: ${text}`);
    case 'text':
    case 'debug':
      return indent + text;
    default:
      return kind satisfies never;
  }
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

function section(title: string, text: string): string {
  return `${paint('dim', title)}\n${indented(text.trimEnd())}\n`;
}

function showOutputs(outputs: Readonly<Record<string, string>>): string {
  return Object.entries(outputs)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => {
      const [first = '', ...rest] = value.split('\n');
      const cut = first.length > 76 || rest.some((line) => line !== '');
      return `${name}: ${first.slice(0, 76)}${cut ? ' …' : ''}`;
    })
    .join('\n');
}

function show(scene: Scene, step: StepRun): string {
  const result = step.exitCode === 0 ? paint('green', 'The step passed.') : paint('red', 'The step failed.');
  return [
    paint('bold', `── ${scene.title} `),
    '',
    section(
      'The step',
      stringify({ uses: 'OWNER/aws-lambda-invoke@v1', with: scene.with }, { lineWidth: 0 }),
    ),
    section('Its log', step.lines.map(showLine).join('\n')),
    section('Its outputs', showOutputs(step.outputs)),
    section('Its summary, in Markdown', step.summary),
    result,
    '',
    '',
  ].join('\n');
}

const lambda = await startLocalLambda({ functions: SAMPLE_FUNCTIONS });
try {
  for (const scene of SCENES) {
    const step = await runStep({
      with: scene.with,
      env: {
        AWS_ENDPOINT_URL_LAMBDA: lambda.url,
        AWS_REGION: lambda.region,
        AWS_ACCESS_KEY_ID: 'AKIALOCALLAMBDA00000',
        AWS_SECRET_ACCESS_KEY: 'not-checked-here',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
    step.dispose();
    process.stdout.write(show(scene, step));
  }
  const ran = lambda.executions().map(({ functionName }) => functionName);
  process.stdout.write(
    `The local Lambda counted ${ran.length} executions in ${lambda.requests.length} requests: ${ran.join(', ')}.\n`,
  );
} finally {
  await lambda.close();
}
