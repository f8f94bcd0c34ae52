import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { environmentOf, type Stage } from '../examples/local/stage.ts';
import type { Fault, LambdaRequest, LocalLambda } from '../packages/local-lambda/server.ts';
import type { LogLine } from '../packages/local-runner/commands.ts';
import { type JobFolder, makeJobFolder, runStep, type StepRun } from '../packages/local-runner/run-step.ts';

/** A step of the tour: its title, its inputs, and the faults that happen, if any. */
export type Scene = Readonly<{
  title: string;
  with: Readonly<Record<string, string>>;
  /** The fault of each invocation request. */
  fault?: Fault;
  /** The invocation request at which the runner is lost. */
  killedAt?: number;
  /** Whether it uses the workspace of the previous scene, like a re-run job that restores a cache. */
  isRerun?: true;
}>;

/** How many invocations were requested, and how many functions ran. */
export type Counts = Readonly<{ requests: number; executions: number }>;

/** The outcome of a scene. */
export type SceneRun = Readonly<{ scene: Scene; step: StepRun; counts: Counts }>;

/** Shows scenes while they run. */
export type Screen = Readonly<{
  begin: (scene: Scene) => void;
  /** Called for each line of the step's log as soon as the step prints it. */
  line: (line: LogLine) => void;
  end: (run: SceneRun) => void;
}>;

/** A list whose entries are invoked one after the other, with a journal. */
const BACKFILL = {
  function_name: 'backfill',
  invocations: Array.from({ length: 8 }, (_, day) => `- payload: { day: "2026-11-0${day + 1}" }`).join('\n'),
  max_concurrency: '1',
  retry: 'idempotent',
  journal: 'backfill.jsonl',
} as const;

/** The first minute with the action. */
export const SCENES = [
  {
    title: 'Smoke-test the new version after a deployment',
    with: {
      function_name: 'my-api',
      qualifier: 'live',
      http_request: 'GET /health',
      log_type: 'Tail',
      expect: 'http.body.ok == `true`',
      show_response: 'true',
    },
  },
  {
    title: 'A function error fails the step and shows the cause',
    with: {
      function_name: 'place-order',
      qualifier: 'live',
      payload: '{"order": 17, "lines": [{"article": "coffee", "count": 2}]}',
      log_type: 'Tail',
    },
  },
  {
    title: 'The log of a long migration is shown while the function runs',
    with: { function_name: 'move-orders', payload: '{"batches": 6}', follow_log: 'true' },
  },
  {
    title: 'The response of a migration is lost: the log shows that it ran, and the action does not retry',
    with: { function_name: 'move-orders', payload: '{"batches": 2}' },
    fault: { kind: 'reset', when: 'after' },
  },
  {
    title: 'A dry run checks permissions and shows how to fix what is missing',
    with: { function_name: 'checkout\nrefund', invocation_type: 'DryRun' },
  },
  { title: 'The runner is lost in the middle of a backfill', with: BACKFILL, killedAt: 5 },
  { title: 'The job is run again: only what has not succeeded is invoked', with: BACKFILL, isRerun: true },
] as const satisfies readonly Scene[];

/** The scene whose picture is in the README. */
export const PICTURED: Scene = SCENES[1];

const CHECKOUT = path.resolve(import.meta.dirname, '..');

/** Text without the path of this checkout, which means nothing to a reader. */
export const withoutCheckout = (text: string): string =>
  text.replaceAll(`${pathToFileURL(CHECKOUT).href}/`, '').replaceAll(`${CHECKOUT}${path.sep}`, '');

const isInvocation = ({ operation }: LambdaRequest): boolean =>
  operation === 'Invoke' || operation === 'InvokeWithResponseStream';

/** Counts the requests and executions of a local Lambda, without requests that read a log, a configuration or a state. */
export const countsOf = (lambda: LocalLambda): Counts => ({
  requests: lambda.requests.filter(isInvocation).length,
  executions: lambda.executions().length,
});

/** Runs a scene like a step on a runner, in the folders of a job. */
async function runScene(
  { lambda }: Stage,
  scene: Scene,
  { job, onLine }: Readonly<{ job: JobFolder; onLine: Screen['line'] }>,
): Promise<SceneRun> {
  lambda.reset();
  let kill = (): void => {};
  lambda.setFault((request) => {
    if (!isInvocation(request)) return undefined;
    if (countsOf(lambda).requests === scene.killedAt) kill();
    return scene.fault;
  });
  const step = await runStep({
    with: scene.with,
    env: environmentOf(lambda),
    job,
    onStart: (child) => {
      kill = () => child.kill('SIGKILL');
    },
    onLine,
  });
  await lambda.idle();
  return { scene, step, counts: countsOf(lambda) };
}

/** Runs a scene in its own job. */
export async function runAlone(stage: Stage, scene: Scene): Promise<SceneRun> {
  const job = makeJobFolder();
  try {
    return await runScene(stage, scene, { job, onLine: () => {} });
  } finally {
    job.dispose();
  }
}

/** Runs the scenes one after the other. Each has its own job, except for a job that is re-run. */
export async function runScenes(stage: Stage, scenes: readonly Scene[], screen: Screen): Promise<void> {
  let job = makeJobFolder();
  try {
    for (const scene of scenes) {
      if (scene.isRerun !== true) {
        job.dispose();
        job = makeJobFolder();
      }
      screen.begin(scene);
      screen.end(await runScene(stage, scene, { job, onLine: screen.line }));
    }
  } finally {
    job.dispose();
  }
}
