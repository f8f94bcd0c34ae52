import { isSequence } from '@actions/workflow-parser';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';
import { evaluate, evaluateStrings, holds, type JobStatus, type Scope } from './expressions.ts';
import { runScript } from './run-script.ts';
import { makeJobFolder, runStep, type StepRun } from './run-step.ts';
import { STAND_INS } from './stand-ins.ts';
import { entryOf } from './workflow-file.ts';

/** A step of a job: this action, a script, or a stand-in for a third-party action. It ran or was skipped. */
export type JobStep = Readonly<{ id: string; name: string; outputs: Readonly<Record<string, string>> }> &
  (
    | Readonly<{ kind: 'action'; inputs: Readonly<Record<string, string>>; run: StepRun }>
    | Readonly<{ kind: 'script'; script: string; text: string; exitCode: number | null; summary: string }>
    | Readonly<{ kind: 'stand-in'; uses: string }>
    | Readonly<{ kind: 'skipped' }>
  );

export type JobRun = Readonly<{
  id: string;
  matrix: unknown;
  result: 'success' | 'failure' | 'skipped';
  steps: readonly JobStep[];
  outputs: Readonly<Record<string, string>>;
}>;

/** The settings that all jobs of a run share. */
export type RunSite = Readonly<{
  contexts: Readonly<Record<string, unknown>>;
  /** The environment of the runner itself, as on a self-hosted runner. */
  env: Readonly<Record<string, string>>;
  repository: Readonly<Record<string, string>>;
  commands: Readonly<Record<string, string>>;
  artifacts: string;
  caches: string;
}>;

/** The value of `runner.os`. */
const SYSTEMS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'macOS', win32: 'Windows' };

/** How workflows reference this action: examples use a release, our own workflows use the checkout. */
const RELEASED = 'OWNER/aws-lambda-invoke@v1';
const CHECKED_OUT = './';
/** The contexts that a default in `action.yml` may use. */
const IN_DEFAULTS = ['github', 'strategy', 'matrix', 'job', 'runner'];

/** The runner's variables, from the context with the same values. */
const runnerVariables = (github: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(github)
      .filter(([name, value]) => typeof value === 'string' && name !== 'token')
      .map(([name, value]) => [`GITHUB_${name.toUpperCase()}`, String(value)]),
  );

/** A running job. */
class Job {
  readonly folder = makeJobFolder();
  readonly steps: JobStep[] = [];
  status: JobStatus = 'success';
  readonly #token: TemplateToken;
  readonly #site: RunSite;
  readonly #github: Readonly<Record<string, unknown>>;
  readonly #workflowEnv: TemplateToken | undefined;
  readonly #contexts: Readonly<Record<string, unknown>>;
  #env: Record<string, string>;

  constructor(options: JobOptions) {
    this.#token = options.token;
    this.#site = options.site;
    this.#workflowEnv = options.workflowEnv;
    this.#github = { ...Object(options.site.contexts['github']), job: options.id };
    this.#contexts = { ...options.site.contexts, ...options.contexts, github: this.#github };
    this.#env = {};
    for (const env of [this.#workflowEnv, entryOf(this.#token, 'env')]) {
      Object.assign(this.#env, evaluateStrings(env, this.scope()));
    }
  }

  scope(stepEnv: Readonly<Record<string, string>> = {}): Scope {
    const steps = Object.fromEntries(
      this.steps.map((step) => {
        const outcome = outcomeOf(step);
        return [step.id, { outputs: step.outputs, outcome, conclusion: outcome }] as const;
      }),
    );
    const runner = { temp: this.folder.temp, os: SYSTEMS[process.platform] ?? 'Linux' };
    return {
      contexts: { ...this.#contexts, env: { ...this.#env, ...stepEnv }, steps, runner },
      status: this.status,
    };
  }

  async run(): Promise<void> {
    const steps = entryOf(this.#token, 'steps');
    if (steps === undefined || !isSequence(steps)) throw new Error('the job has no steps');
    let number = 0;
    for (const token of steps) {
      number += 1;
      const step = await this.#runStep(token, number);
      this.steps.push(step);
      const failed = outcomeOf(step) === 'failure';
      if (failed && evaluate(entryOf(token, 'continue-on-error'), this.scope()) !== true)
        this.status = 'failure';
    }
  }

  async #runStep(token: TemplateToken, number: number): Promise<JobStep> {
    const text = (key: string): string => String(evaluate(entryOf(token, key), this.scope()) ?? '');
    const uses = text('uses');
    const id = text('id') || `__${number}`;
    const named = { id, name: text('name') || uses || 'Run', outputs: {} };
    if (!holds(entryOf(token, 'if'), this.scope())) return { ...named, kind: 'skipped' };
    const stepEnv = evaluateStrings(entryOf(token, 'env'), this.scope());
    const env = { ...runnerVariables(this.#github), ...this.#site.env, ...this.#env, ...stepEnv };
    const job = this.folder;
    if (uses === '') {
      const script = text('run');
      const run = runScript({
        script,
        env: { ...env, RUNNER_TEMP: job.temp },
        job,
        commands: this.#site.commands,
      });
      Object.assign(this.#env, run.env);
      return { ...named, kind: 'script', script, ...run };
    }
    const inputs = evaluateStrings(entryOf(token, 'with'), this.scope(stepEnv));
    if (uses === RELEASED || uses === CHECKED_OUT) {
      const contexts = Object.fromEntries(
        Object.entries(this.scope().contexts).filter(([name]) => IN_DEFAULTS.includes(name)),
      );
      const run = await runStep({
        with: inputs,
        env: { ...env, GITHUB_ACTION: id },
        contexts: { ...contexts, github: { ...this.#github, action: id } },
        job,
        ...(uses === CHECKED_OUT && { action: job.workspace }),
      });
      return { ...named, kind: 'action', inputs, run, outputs: run.outputs };
    }
    const [action = ''] = uses.split('@');
    const standIn = STAND_INS.get(action);
    if (standIn === undefined) throw new Error(`there is no stand-in for ${action}`);
    const { repository, artifacts, caches } = this.#site;
    Object.assign(this.#env, standIn(inputs, { job, repository, artifacts, caches }));
    return { ...named, kind: 'stand-in', uses };
  }
}

function outcomeOf(step: JobStep): 'success' | 'failure' | 'skipped' {
  switch (step.kind) {
    case 'action':
      return step.run.exitCode === 0 ? 'success' : 'failure';
    case 'script':
      return step.exitCode === 0 ? 'success' : 'failure';
    case 'stand-in':
      return 'success';
    case 'skipped':
      return 'skipped';
    default:
      return step satisfies never;
  }
}

export type JobOptions = Readonly<{
  id: string;
  token: TemplateToken;
  workflowEnv: TemplateToken | undefined;
  site: RunSite;
  /** `matrix`, `strategy` and `needs`. */
  contexts: Readonly<Record<string, unknown>>;
}>;

/** Runs one job of a workflow and removes its folders. */
export async function runJob(options: JobOptions): Promise<JobRun> {
  const { id, token, contexts } = options;
  const job = new Job(options);
  try {
    await job.run();
    const outputs = evaluateStrings(entryOf(token, 'outputs'), job.scope());
    const result = job.status === 'success' ? 'success' : 'failure';
    return { id, matrix: contexts['matrix'], result, steps: job.steps, outputs };
  } finally {
    job.folder.dispose();
  }
}
