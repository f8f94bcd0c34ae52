import { Buffer } from 'node:buffer';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import type { Environment } from '../../../src/inputs/environment.ts';
import { makePlan, type Plan } from '../../../src/inputs/plan.ts';
import { InvalidInputError } from '../../../src/inputs/problems.ts';
import { INPUTS, type InputName, type InputReader } from '../../../src/inputs/schema.ts';
import type { Invocation } from '../../../src/lambda/invocation.ts';
import { REQUEST_ID, STARTED_AT } from '../../base.ts';
import '../realm.ts';

/** A step's `with:`, where it differs from the valid one below. */
export type Given = Readonly<Partial<Record<InputName, string>>>;

const VALID: Given = { function_name: 'my-function', payload: '{"action": "warmup"}' };

/** When requests become events, and with which ID. */
export const STAMP = { at: STARTED_AT, id: REQUEST_ID } as const;

/** The bytes that are sent for a payload. A stored payload is read from its file. */
export const eventOf = async (payload: Invocation['payload'] = new Uint8Array()): Promise<Buffer> =>
  Buffer.from(payload instanceof Uint8Array ? payload : await payload.read());

/** A folder with a real workspace, and the environment of the job from a runner. */
export type Job = Readonly<{ folder: string; workspace: string; environment: Environment }>;

const folders: string[] = [];
afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** Creates a job with `files` in its workspace. A path that starts with `../` is next to the workspace. */
export async function createJob(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Job> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'inputs-')));
  folders.push(folder);
  const workspace = path.join(folder, 'workspace');
  const temporaryFolder = path.join(folder, 'temp');
  for (const made of [workspace, temporaryFolder]) await mkdir(made);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(workspace, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return { folder, workspace, environment: environmentOf(workspace, temporaryFolder) };
}

/** The environment of a job that a push started, with this workspace. */
export function environmentOf(workspace: string, temporaryFolder: string): Environment {
  return {
    workspace,
    temporaryFolder,
    hasSummary: true,
    eventName: 'push',
    hasOidc: false,
    github: {
      apiUrl: 'https://api.github.com',
      serverUrl: 'https://github.com',
      repository: 'octo-org/octo-repo',
      sha: '0123456789abcdef0123456789abcdef01234567',
      runId: '42',
      workflow: 'CI',
      job: 'check',
      step: '__run',
      eventPath: undefined,
    },
    proxy: {},
    credentials: { keys: [], passwords: [] },
    isDebug: false,
    nodeVersion: '24.5.0',
    trustsAnyCertificate: false,
    inputNames: [],
    aws: { endpoints: [], hasLogs: true },
  };
}

/** Valid inputs with overrides, in the form that a runner passes them. */
export function inputs(given: Given): InputReader {
  const all: Given = { ...VALID, ...given };
  return (name) => all[name] ?? INPUTS[name].default;
}

/** For inputs that name no test event: nothing is read. */
const noTestEvents = (): Promise<never> => Promise.reject(new Error('a test event was read'));

/** What a plan needs in addition to inputs and environment. */
export const SOURCES = { openTestEvents: noTestEvents, stamp: STAMP } as const;

/** The plan for the inputs, with its invocations as an array. */
export async function planFor(
  given: Given,
  job?: Job,
): Promise<Plan & Readonly<{ invocations: readonly Invocation[] }>> {
  const { environment } = job ?? (await createJob());
  const plan = await makePlan(inputs(given), environment, SOURCES);
  return { ...plan, invocations: [...plan.invocations] };
}

/** The only invocation in the plan. */
export async function invocationFor(given: Given, job?: Job): Promise<Invocation> {
  const [invocation, ...others] = (await planFor(given, job)).invocations;
  if (invocation === undefined || others.length > 0)
    throw new Error('the plan has not exactly one invocation');
  return invocation;
}

/** Every problem with the inputs. Empty if they are accepted. */
export async function problemsFor(given: Given, job?: Job): Promise<readonly string[]> {
  try {
    await planFor(given, job);
    return [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
}
