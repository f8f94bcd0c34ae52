import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isInvocation, type Stage, variablesFor } from '../examples/local/stage.ts';
import type { Fault } from '../packages/local-lambda/server.ts';
import { type JobFolder, makeJobFolder, runStep, type StepRun } from '../packages/local-runner/run-step.ts';

/** A step of the tour: what it is about, the step itself, and what goes wrong on the way, if anything. */
export type Scene = Readonly<{
  title: string;
  with: Readonly<Record<string, string>>;
  fault?: Fault;
  /** The request at which the runner is lost. */
  killedAt?: number;
  /** Whether it has the workspace of the scene before, as a job that is run again has its cache. */
  isRerun?: true;
}>;

/** What came of a scene, with how often a function ran. */
export type SceneRun = Readonly<{ scene: Scene; step: StepRun; executions: number; requests: number }>;

/** A list that is worked through one entry after the other, with a journal. */
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
      payload: '{"path": "/health"}',
      log_type: 'Tail',
      expect: 'powertools_json(response.body).ok == `true`',
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
    title: 'The connection is reset during a migration: the action does not retry',
    with: { function_name: 'migrate', payload: '{"to": "latest"}' },
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

/** Text without the place of this checkout, as it has no meaning to a reader. */
export const withoutCheckout = (text: string): string =>
  text.replaceAll(`${pathToFileURL(CHECKOUT).href}/`, '').replaceAll(`${CHECKOUT}${path.sep}`, '');

/** Runs a scene as a runner runs a step, in the folders of a job. */
async function runScene(stage: Stage, scene: Scene, job: JobFolder): Promise<SceneRun> {
  const { lambda } = stage;
  lambda.reset();
  let kill = (): void => {};
  lambda.setFault((request) => {
    if (lambda.requests.length === scene.killedAt) kill();
    return isInvocation(request) ? scene.fault : undefined;
  });
  const step = await runStep({
    with: scene.with,
    env: variablesFor(lambda),
    job,
    onStart: (child) => {
      kill = () => child.kill('SIGKILL');
    },
  });
  await lambda.idle();
  const requests = lambda.requests.filter(isInvocation).length;
  return { scene, step, executions: lambda.executions().length, requests };
}

/** Runs a scene in a job of its own. */
export async function runAlone(stage: Stage, scene: Scene): Promise<SceneRun> {
  const job = makeJobFolder();
  try {
    return await runScene(stage, scene, job);
  } finally {
    job.dispose();
  }
}

/** Runs the scenes one after the other, each in a job of its own but for one that is run again. */
export async function* runScenes(stage: Stage, scenes: readonly Scene[]): AsyncGenerator<SceneRun, void> {
  let job = makeJobFolder();
  try {
    for (const scene of scenes) {
      if (scene.isRerun !== true) {
        job.dispose();
        job = makeJobFolder();
      }
      yield await runScene(stage, scene, job);
    }
  } finally {
    job.dispose();
  }
}
