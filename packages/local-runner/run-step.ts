import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ActionFile, readActionFile } from './action-file.ts';
import { LineSplitter, type LogLine, LogReader, type StepLog } from './commands.ts';
import { evaluateString } from './expressions.ts';
import { readOutputs } from './output-file.ts';

/** The outcome of a step. */
export type StepRun = StepLog &
  Readonly<{
    exitCode: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
    outputs: Readonly<Record<string, string>>;
    /** Markdown of the job summary. */
    summary: string;
    summaryFile: string;
    outputFile: string;
    /** The job's folder. It contains `workspace` and `temp` until `dispose` removes it. */
    folder: string;
    dispose: () => void;
  }>;

export type StepOptions = Readonly<{
  /** The step's `with:`. */
  with: Readonly<Record<string, string>>;
  /** The job's `env:`. From this process's own environment, the step gets only PATH. */
  env?: Readonly<Record<string, string>>;
  /** Files to create in the workspace before the step runs, by relative path. */
  workspace?: Readonly<Record<string, string | Uint8Array>>;
  /** The job's token, `github.token`. */
  token?: string;
  /** Contexts of the job, for the defaults in `action.yml`. */
  contexts?: Readonly<Record<string, unknown>>;
  /** Flags for Node.js. A runner sets none. */
  nodeFlags?: readonly string[];
  /** The folder of `action.yml`. Default: this checkout. */
  action?: string;
  /** A job folder from `makeJobFolder`, shared by several steps. The caller removes it. */
  job?: JobFolder;
  onStart?: (child: ChildProcess, workspace: string) => void;
  /** Called for each line of the log as soon as the step prints it. */
  onLine?: (line: LogLine) => void;
}>;

/** The folders of a job. */
export type JobFolder = Readonly<{ folder: string; workspace: string; temp: string; dispose: () => void }>;

/** Creates the folders of a job. */
export function makeJobFolder(): JobFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'job-'));
  const [workspace, temp] = [path.join(folder, 'workspace'), path.join(folder, 'temp')];
  for (const made of [workspace, temp]) mkdirSync(made);
  return { folder, workspace, temp, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

const CHECKOUT = path.resolve(import.meta.dirname, '../..');

/** The contexts that a default in `action.yml` may use, for a job without a matrix. */
const CONTEXTS = {
  github: {},
  strategy: { 'fail-fast': true, 'job-index': 0, 'job-total': 1, 'max-parallel': 1 },
  matrix: null,
  job: {},
  runner: {},
} as const;

/** The `github` context that matches the job's GITHUB_ variables. A runner fills both with the same values. */
const githubContext = (variables: StepOptions['env'] = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables)
      .filter(([name]) => name.startsWith('GITHUB_'))
      .map(([name, value]) => [name.slice('GITHUB_'.length).toLowerCase(), value]),
  );

function inputVariables({ token = '', ...options }: StepOptions, action: ActionFile) {
  const contexts = { ...CONTEXTS, github: { ...githubContext(options.env), token }, ...options.contexts };
  const declared = Object.entries(action.inputs).map(
    ([name, { preset }]) =>
      [name, options.with[name] ?? evaluateString(preset, { contexts, status: 'success' })] as const,
  );
  const given = Object.entries(options.with).filter(([name]) => !(name in action.inputs));
  return Object.fromEntries(
    [...declared, ...given].map(([name, value]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      value,
    ]),
  );
}

/** The warnings before a step starts, about inputs that `action.yml` does not declare. */
function inputWarnings(given: StepOptions['with'], { inputs }: ActionFile): string[] {
  const declared = Object.keys(inputs);
  const names = new Set(declared.map((name) => name.toLowerCase()));
  const unexpected = Object.keys(given).filter((name) => !names.has(name.toLowerCase()));
  // Source: actions/runner 2.336, ActionRunner.cs.
  return unexpected.length === 0
    ? []
    : [`Unexpected input(s) '${unexpected.join("', '")}', valid inputs are ['${declared.join("', '")}']`];
}

/** Writes files into a folder, by relative path. */
export function writeFiles(folder: string, files: StepOptions['workspace']): void {
  for (const [name, content] of Object.entries(files ?? {})) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

/** A step that is ready to run: its program, folder and variables, and the files that it will write. */
export type PreparedStep = Readonly<{
  main: string;
  env: Readonly<Record<string, string | undefined>>;
  folder: string;
  workspace: string;
  outputFile: string;
  summaryFile: string;
  warnings: readonly string[];
  /** Removes the job's folder, unless several steps share it. */
  dispose: () => void;
}>;

/** Creates a job folder and everything else that a runner gives to a step: defaults, INPUT_ variables, files. */
export function prepareStep(options: StepOptions): PreparedStep {
  const root = options.action ?? CHECKOUT;
  const action = readActionFile(path.join(root, 'action.yml'));
  const job = options.job ?? makeJobFolder();
  const { folder, workspace, temp } = job;
  writeFiles(workspace, options.workspace);
  // Each step has files of its own: two steps of a job can run at the same time.
  const id = randomUUID();
  const outputFile = path.join(folder, `output-${id}`);
  const summaryFile = path.join(folder, `summary-${id}.md`);
  for (const file of [outputFile, summaryFile]) writeFileSync(file, '');
  return {
    main: path.join(root, action.main),
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_EVENT_NAME: 'push',
      GITHUB_OUTPUT: outputFile,
      GITHUB_STEP_SUMMARY: summaryFile,
      RUNNER_TEMP: temp,
      ...options.env,
      ...inputVariables(options, action),
    },
    folder,
    workspace,
    outputFile,
    summaryFile,
    warnings: inputWarnings(options.with, action),
    dispose: options.job === undefined ? job.dispose : () => {},
  };
}

/** Runs an action's step as a runner does, in a child process. */
export async function runStep(options: StepOptions): Promise<StepRun> {
  const { main, env, folder, workspace, outputFile, summaryFile, warnings, dispose } = prepareStep(options);
  const log = new LogReader(options.onLine);
  for (const message of warnings) log.annotate('warning', '', message);
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), main], {
    cwd: workspace,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.onStart?.(child, workspace);
  const [stdout, stderr] = await Promise.all([
    collect(child.stdout, log),
    collect(child.stderr, log),
    ended(child),
  ]);

  return {
    ...log.log,
    exitCode: child.exitCode,
    signal: child.signalCode,
    stdout,
    stderr,
    outputs: readOutputs(readFileSync(outputFile, 'utf8')),
    summary: readFileSync(summaryFile, 'utf8'),
    summaryFile,
    outputFile,
    folder,
    dispose,
  };
}

/** Reads a whole stream. Its lines go into the log as they arrive. */
async function collect(stream: NodeJS.ReadableStream, log: LogReader): Promise<string> {
  const chunks: Buffer[] = [];
  const splitter = new LineSplitter((line) => log.read(line));
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    splitter.write(Buffer.from(chunk));
  }
  splitter.end();
  return Buffer.concat(chunks).toString('utf8');
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}
