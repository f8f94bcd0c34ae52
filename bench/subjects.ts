import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepareStep } from '../packages/local-runner/run-step.ts';
import { measureNode, measureWall, type Program, type Usage } from './measure.ts';

/** What to invoke: one event, once or many times. */
export type Work = Readonly<{
  url: string;
  event: string;
  invocations: number;
  concurrency: number;
  /** Whether each invocation is an entry of a list in a file, with its own event. Otherwise they are copies. */
  isList?: boolean;
  /** More inputs of the action. */
  inputs?: Readonly<Record<string, string>>;
  /** A certificate to trust. */
  authority?: string;
}>;

/** One small event, once. */
export const ONCE = { event: '{"order":7}', invocations: 1, concurrency: 1 } as const;

const FUNCTION = 'measured';
const REGION = 'eu-west-1';
// A larger event has to be in a file.
const LONGEST_INPUT = 100_000;

const jobVariables = ({ url, authority }: Work): Record<string, string> => ({
  AWS_ENDPOINT_URL_LAMBDA: url,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_EC2_METADATA_DISABLED: 'true',
  ...(authority !== undefined && { NODE_EXTRA_CA_CERTS: authority, AWS_CA_BUNDLE: authority }),
});

/** Calls a function with an event in a file. */
async function withEventFile<T>(event: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'event-'));
  try {
    const file = path.join(folder, 'event.json');
    writeFileSync(file, event);
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// The action invokes copies of an entry with their log tail, to count cold starts.
const logTypeOf = ({ invocations }: Work): string => (invocations > 1 ? 'Tail' : 'None');

/** Measures the floor. If it keeps the response, the figures include reading and writing the JSON. */
export const measureFloor = (work: Work, { keeps = false } = {}): Promise<Usage> =>
  withEventFile(work.event, (file) =>
    measureNode({
      command: process.execPath,
      args: [
        path.join(import.meta.dirname, 'floor.cjs'),
        FUNCTION,
        work.event.length > LONGEST_INPUT ? `@${file}` : work.event,
        logTypeOf(work),
        String(work.invocations),
        String(work.concurrency),
        ...(keeps ? [`${file}.response`] : []),
      ],
      env: { PATH: process.env['PATH'], ...jobVariables(work) },
    }),
  );

/** A step of the action, and the job that it belongs to. */
type Job = Readonly<{ program: Program; dispose: () => void }>;

/** The inputs that name the events, and the files that have them. */
function eventsOf({ event, invocations, isList = false }: Work) {
  if (isList) {
    const list = `{"payload":${event}}\n`.repeat(invocations);
    return { inputs: { invocations_file: 'list.jsonl' }, files: { 'list.jsonl': list } };
  }
  const copies = invocations > 1 ? { repeat: String(invocations) } : {};
  if (event.length <= LONGEST_INPUT) return { inputs: { payload: event, ...copies }, files: {} };
  const file = `${randomUUID()}.json`;
  return { inputs: { payload_file: file, ...copies }, files: { [file]: event } };
}

/** Creates a job with a step that does the work. */
function newJob(work: Work): Job {
  const { inputs, files } = eventsOf(work);
  const { main, env, workspace, dispose } = prepareStep({
    with: {
      function_name: FUNCTION,
      ...inputs,
      ...(work.invocations > 1 && { max_concurrency: String(work.concurrency) }),
      ...work.inputs,
    },
    env: jobVariables(work),
    workspace: files,
  });
  return {
    program: { command: process.execPath, args: [main], env, cwd: workspace },
    dispose,
  };
}

/** Calls a function with a step that does the work, in its own job. */
export async function withJob<T>(work: Work, use: (step: Program) => Promise<T>): Promise<T> {
  const { program, dispose } = newJob(work);
  try {
    return await use(program);
  } finally {
    dispose();
  }
}

/** Measures the action as the first step of a job. */
export const measureAction = (work: Work): Promise<Usage> => withJob(work, measureNode);

/** Measures the action as the second step of a job. */
export const measureSecondStep = (work: Work): Promise<Usage> =>
  withJob(work, async (step) => {
    await measureNode(step);
    return measureNode(step);
  });

/** The SDK's client alone, bundled like dist/. */
export type SdkAlone = Readonly<{ measure: (work: Work) => Promise<Usage>; dispose: () => void }>;

/** Bundles the SDK's client, which takes some seconds. */
export function bundleSdkAlone(): SdkAlone {
  const folder = path.join(import.meta.dirname, '..', 'build', 'sdk-alone');
  const bundle = path.join(folder, 'dist');
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(import.meta.dirname, 'sdk.mjs'), path.join(folder, 'index.js'));
  const script = path.join(import.meta.dirname, '..', 'script', 'bundle');
  execFileSync('bash', [script, folder, bundle], { stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    measure: (work) =>
      measureNode({
        command: process.execPath,
        args: [
          path.join(bundle, 'index.js'),
          ...[FUNCTION, work.event, logTypeOf(work), String(work.invocations), String(work.concurrency)],
        ],
        env: { PATH: process.env['PATH'], HOME: folder, ...jobVariables(work) },
      }),
    dispose: () => rmSync(folder, { recursive: true }),
  };
}

/** Measures the bundle of gagoar/invoke-aws-lambda at some work over HTTPS, from a checkout of it. */
export async function measureGagoar(work: Work, checkout: string): Promise<Usage> {
  const variables = jobVariables(work);
  const { main, env, workspace, dispose } = prepareStep({
    action: checkout,
    with: {
      AWS_ACCESS_KEY_ID: variables['AWS_ACCESS_KEY_ID'] ?? '',
      AWS_SECRET_ACCESS_KEY: variables['AWS_SECRET_ACCESS_KEY'] ?? '',
      REGION,
      FunctionName: FUNCTION,
      Payload: work.event,
    },
    env: { REDIRECT_TO: work.url, NODE_EXTRA_CA_CERTS: work.authority ?? '' },
  });
  const redirect = path.join(import.meta.dirname, 'redirect.cjs');
  try {
    return await measureNode({
      command: process.execPath,
      args: ['--require', redirect, main],
      env,
      cwd: workspace,
    });
  } finally {
    dispose();
  }
}

/** The `aws` commands on the PATH: the first of each major version, with its name and version. */
export function awsCommands(): ReadonlyMap<string, Readonly<{ command: string; version: string }>> {
  const found = new Map<string, { command: string; version: string }>();
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const command = path.join(folder, 'aws');
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    const [version, major] = (status === 0 && /^aws-cli\/(\d+)\.\S+/.exec(stdout)) || [];
    if (version !== undefined && major !== undefined && !found.has(major)) {
      found.set(major, { command, version });
    }
  }
  return found;
}

/** Measures the wall time of `aws lambda invoke`, in milliseconds. */
export const measureAwsCli = (work: Work, command: string): Promise<number> =>
  withEventFile(work.event, (file) =>
    measureWall({
      command,
      args: [
        ...['lambda', 'invoke', '--function-name', FUNCTION, '--payload', `fileb://${file}`],
        ...['--endpoint-url', work.url, '/dev/null'],
      ],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        AWS_DEFAULT_REGION: REGION,
        ...jobVariables(work),
      },
    }),
  );
