import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { OWN_CREDENTIALS, type Stage } from '../examples/local/stage.ts';
import type { Fault } from '../packages/local-lambda/server.ts';
import { runStep, type StepRun } from '../packages/local-runner/run-step.ts';

/** A step of the tour: what it is about, the step itself, and what goes wrong on the way, if anything. */
export type Scene = Readonly<{ title: string; with: Readonly<Record<string, string>>; fault?: Fault }>;

/** What came of a scene, with how often a function ran. */
export type SceneRun = Readonly<{ scene: Scene; step: StepRun; executions: number; requests: number }>;

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
] as const satisfies readonly Scene[];

/** The scene whose picture is in the README. */
export const PICTURED: Scene = SCENES[1];

const CHECKOUT = path.resolve(import.meta.dirname, '..');

/** Text without the place of this checkout, as it has no meaning to a reader. */
export const withoutCheckout = (text: string): string =>
  text.replaceAll(`${pathToFileURL(CHECKOUT).href}/`, '').replaceAll(`${CHECKOUT}${path.sep}`, '');

/** Runs a scene as a runner runs a step. */
export async function runScene(stage: Stage, scene: Scene): Promise<SceneRun> {
  const { lambda } = stage;
  lambda.reset();
  lambda.setFault(() => scene.fault);
  const step = await runStep({
    with: scene.with,
    env: { ...OWN_CREDENTIALS, AWS_ENDPOINT_URL_LAMBDA: lambda.url, AWS_REGION: lambda.region },
  });
  step.dispose();
  await lambda.idle();
  return { scene, step, executions: lambda.executions().length, requests: lambda.requests.length };
}
