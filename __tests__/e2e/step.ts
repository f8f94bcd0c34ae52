import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import type { LocalLambda } from '../../packages/local-lambda/server.ts';
import { readLog } from '../../packages/local-runner/commands.ts';
import { runStep, type StepOptions, type StepRun } from '../../packages/local-runner/run-step.ts';
import { portOf } from '../../packages/local-server/listening.ts';

export const HANDLERS = path.join(import.meta.dirname, 'handlers', 'functions.mjs');
export const ECHO = path.join(
  import.meta.dirname,
  '..',
  '..',
  'packages',
  'local-lambda',
  'handlers',
  'echo.mjs.handler',
);

/** A code block of a summary: no text in it has as many backticks in a row. */
export const CODE_BLOCK = /^(`{3,})\n[\s\S]*?\n\1$/gm;

/** A loopback address without a server. */
export async function unusedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${portOf(server)}`;
  server.close();
  await once(server, 'close');
  return url;
}

/** The environment of a job that talks to a local Lambda. */
export const jobEnvironment = (lambda: Pick<LocalLambda, 'url' | 'region'>): Record<string, string> => ({
  AWS_ENDPOINT_URL_LAMBDA: lambda.url,
  AWS_REGION: lambda.region,
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** A step with the lines of its outcomes file, read before the job's folder is removed. */
export type InvokeStep = StepRun & Readonly<{ outcomeLines: readonly string[] }>;

/** Standard output without its first lines, which register the step's credentials as secrets. */
export const withoutCredentials = (stdout: string): string => stdout.replace(/^(?:::add-mask::.*\n)*/, '');

/** Runs one step with the committed bundle against a local Lambda, then removes the job's folder. */
export async function invokeStep(
  lambda: Pick<LocalLambda, 'url' | 'region'>,
  inputs: Readonly<Record<string, string>>,
  options: Omit<StepOptions, 'with'> = {},
): Promise<InvokeStep> {
  const step = await runStep({
    ...options,
    with: inputs,
    env: { ...jobEnvironment(lambda), ...options.env },
  });
  const file = step.outputs['outcomes_file'] ?? '';
  const lines = file === '' ? [] : readFileSync(file, 'utf8').split('\n');
  step.dispose();
  const stdout = withoutCredentials(step.stdout);
  return { ...step, ...readLog(stdout), stdout, outcomeLines: lines.slice(0, -1) };
}
