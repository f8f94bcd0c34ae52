import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isMapping } from '@actions/workflow-parser';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';
import { evaluate, holds, type JobStatus } from './expressions.ts';
import { type JobRun, runJob } from './run-job.ts';
import { entryOf, readWorkflow } from './workflow-file.ts';

/** What a workflow runs with, and what triggered it. */
export type WorkflowOptions = Readonly<{
  file: string;
  /** The event's name and payload. Default: a push. */
  event?: Readonly<{
    name: string;
    payload?: unknown;
  }>;
  /** Additional fields of the `github` context. */
  github?: Readonly<Record<string, unknown>>;
  /** Other contexts: `inputs`, `vars`, `secrets`, `job`. */
  contexts?: Readonly<Record<string, unknown>>;
  env: Readonly<Record<string, string>>;
  repository?: Readonly<Record<string, string>>;
  commands?: Readonly<Record<string, string>>;
  /** A folder for caches that are kept after the run. */
  caches?: string;
}>;

const GITHUB = {
  repository: 'octo-org/octo-repo',
  repository_owner: 'octo-org',
  actor: 'octocat',
  ref: 'refs/heads/main',
  ref_name: 'main',
  ref_type: 'branch',
  head_ref: '',
  base_ref: '',
  sha: '0123456789abcdef0123456789abcdef01234567',
  run_id: '42',
  run_number: '7',
  run_attempt: '1',
  server_url: 'https://github.com',
  token: 'token-of-the-job',
} as const;

type Combination = Readonly<Record<string, unknown>>;

/** Every combination of the lists of a matrix. `include` and `exclude` are not supported. */
function combinations(matrix: unknown): Combination[] {
  return Object.entries(Object(matrix)).reduce<Combination[]>(
    (made, [name, values]) => {
      if (!Array.isArray(values)) throw new Error(`the matrix's ${name} is not a list`);
      return made.flatMap((combination) =>
        values.map((value: unknown) => ({ ...combination, [name]: value })),
      );
    },
    [{}],
  );
}

const namesIn = (needs: unknown): string[] =>
  (Array.isArray(needs) ? needs : [needs]).filter((name) => name !== undefined).map(String);

/** Runs the jobs of a workflow one after another, in file order, once per combination of a matrix. */
export async function runWorkflow(options: WorkflowOptions): Promise<readonly JobRun[]> {
  const root = await readWorkflow(options.file);
  const jobs = entryOf(root, 'jobs');
  if (jobs === undefined || !isMapping(jobs)) throw new Error(`${options.file} has no jobs`);
  const folder = mkdtempSync(path.join(tmpdir(), 'run-'));
  try {
    const runs: JobRun[] = [];
    for (const { key, value } of jobs) {
      runs.push(...(await runMatrix({ id: key.toString(), token: value, root, options, folder, runs })));
    }
    return runs;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runMatrix(run: {
  id: string;
  token: TemplateToken;
  root: TemplateToken;
  options: WorkflowOptions;
  folder: string;
  runs: readonly JobRun[];
}): Promise<JobRun[]> {
  const { id, token, root, options, folder, runs } = run;
  const { name = 'push', payload = {} } = options.event ?? {};
  const eventFile = path.join(folder, 'event.json');
  writeFileSync(eventFile, JSON.stringify(payload));
  const artifacts = path.join(folder, 'artifacts');
  const caches = options.caches ?? path.join(folder, 'caches');
  for (const kept of [artifacts, caches]) mkdirSync(kept, { recursive: true });
  const github = {
    ...GITHUB,
    workflow: String(evaluate(entryOf(root, 'name'), { contexts: {}, status: 'success' })),
    event_name: name,
    event_path: eventFile,
    event: payload,
    ...options.github,
  };
  const needed = namesIn(evaluate(entryOf(token, 'needs'), { contexts: {}, status: 'success' }));
  const before = needed.map((need) => runs.filter((job) => job.id === need));
  const needs = Object.fromEntries(
    before.map((group) => [
      group[0]?.id ?? '',
      { result: resultOf(group), outputs: Object.assign({}, ...group.map(({ outputs }) => outputs)) },
    ]),
  );
  const contexts = { inputs: {}, vars: {}, secrets: {}, job: {}, ...options.contexts, github, needs };
  const status: JobStatus = before.every((group) => resultOf(group) === 'success') ? 'success' : 'failure';
  const skipped = { id, matrix: {}, result: 'skipped', steps: [], outputs: {} } as const;
  if (!holds(entryOf(token, 'if'), { contexts, status })) return [skipped];

  const strategy = entryOf(token, 'strategy');
  const matrices = combinations(evaluate(entryOf(strategy, 'matrix'), { contexts, status }));
  const made: JobRun[] = [];
  for (const [index, matrix] of matrices.entries()) {
    made.push(
      await runJob({
        id,
        token,
        workflowEnv: entryOf(root, 'env'),
        site: {
          contexts,
          env: options.env,
          repository: options.repository ?? {},
          commands: options.commands ?? {},
          artifacts,
          caches,
        },
        contexts: { matrix, strategy: { 'job-index': index, 'job-total': matrices.length } },
      }),
    );
  }
  return made;
}

function resultOf(group: readonly JobRun[]): JobRun['result'] {
  if (group.some(({ result }) => result === 'failure')) return 'failure';
  return group.every(({ result }) => result === 'success') ? 'success' : 'skipped';
}
