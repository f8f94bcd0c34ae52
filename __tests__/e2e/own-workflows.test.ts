import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { runScript } from '../../packages/local-runner/run-script.ts';
import { makeJobFolder, writeFiles } from '../../packages/local-runner/run-step.ts';
import { runWorkflow } from '../../packages/local-runner/run-workflow.ts';
import { fieldsOf } from '../../src/shared/values.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const workflowFile = (name: string): string => path.join(ROOT, '.github', 'workflows', name);

/** The files of a folder of the checkout, by their path in it. */
const filesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(ROOT, file), readFileSync(file, 'utf8')]),
  );

/** What `actions/checkout` brings into the workspace of a job that uses the action from there. */
const checkout = (): Record<string, string> => ({
  'action.yml': readFileSync(path.join(ROOT, 'action.yml'), 'utf8'),
  ...filesIn('dist'),
});

test('self-test.yml passes, the jobs that must fail included', async () => {
  const jobs = await runWorkflow({
    file: workflowFile('self-test.yml'),
    env: { AWS_EC2_METADATA_DISABLED: 'true' },
    repository: { ...checkout(), ...filesIn('packages/local-lambda') },
    // Installs nothing: what is locked is there already.
    commands: {
      npm: `#!/bin/sh\ntest "$*" = ci && ln -s '${path.join(ROOT, 'node_modules')}' node_modules\n`,
    },
  });
  expect(jobs.map(({ id, result }) => `${id}: ${result}`)).toEqual([
    'succeeds: success',
    'succeeds: success',
    'succeeds: success',
    'must-fail: success',
  ]);
  const outcomes = jobs.at(-1)?.steps.flatMap((step) => (step.kind === 'action' ? [step.run.exitCode] : []));
  expect(outcomes).toEqual([1, 1, 1, 1]);
}, 120_000);

describe('a job that uses the action from its checkout', () => {
  const FILE = 'job.yml';
  const WORKFLOW = `
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - id: invoke
        uses: ./
        with:
          function_name: f
          payload: '{'
`;
  const run = async (repository: Readonly<Record<string, string>>) => {
    const { workspace, dispose } = makeJobFolder();
    try {
      writeFiles(workspace, { [FILE]: WORKFLOW });
      const file = path.join(workspace, FILE);
      return await runWorkflow({ file, env: {}, repository });
    } finally {
      dispose();
    }
  };

  test('runs what action.yml names', async () => {
    const jobs = await run(checkout());
    const [, invoke] = jobs[0]?.steps ?? [];
    expect(invoke).toMatchObject({ kind: 'action', run: { annotations: [{ title: 'Invalid Input' }] } });
  });

  test('fails where action.yml has an expression in a description', async () => {
    const files = checkout();
    const broken =
      files['action.yml']?.replace('The event, as JSON.', 'The event of ${{ github.ref }}.') ?? '';
    await expect(run({ ...files, 'action.yml': broken })).rejects.toThrow(
      /^Failed to load .*action\.yml\n.*Unrecognized named-value: 'github'/,
    );
  });

  test('fails where nothing was checked out', async () => {
    await expect(run({})).rejects.toThrow(/ENOENT.*action\.yml/);
  });
});

/** The script of a job's step, by the step's name. */
function scriptOf(workflow: string, job: string, name: string): string {
  const { jobs } = fieldsOf(parse(readFileSync(workflowFile(workflow), 'utf8')));
  const { steps } = fieldsOf(fieldsOf(jobs)[job]);
  const found = (Array.isArray(steps) ? steps.map(fieldsOf) : []).find((step) => step['name'] === name);
  if (typeof found?.['run'] !== 'string') throw new Error(`${workflow} has no script "${name}"`);
  return found['run'];
}

describe('dependency-commit.yml', () => {
  /** Runs the commit's script on a branch of Dependabot, and says what it told the `gh` command and pushed. */
  function commit(artifact: Readonly<Record<string, string>>) {
    const job = makeJobFolder();
    try {
      const git = (...args: string[]): string =>
        execFileSync('git', args, { cwd: job.workspace, encoding: 'utf8' });
      const origin = path.join(job.folder, 'origin.git');
      git('init', '--quiet', '--bare', origin);
      git('init', '--quiet', '--initial-branch', 'dependabot/npm/yaml-3');
      git('remote', 'add', 'origin', origin);
      writeFiles(job.workspace, {
        'dist/index.js': 'old',
        'dist/1.index.js': 'gone soon',
        'package.json': '{}',
      });
      git('add', '--all');
      git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message', 'Update');
      git('push', '--quiet', 'origin', 'HEAD');
      writeFiles(path.join(job.temp, 'dist'), artifact);
      const run = runScript({
        script: scriptOf('dependency-commit.yml', 'commit', 'Commit dist/ where it changed'),
        env: { RUNNER_TEMP: job.temp, BRANCH: 'dependabot/npm/yaml-3' },
        job,
        commands: { gh: '#!/bin/sh\necho "gh $*" >> "$RUNNER_TEMP/gh.log"\n' },
      });
      const logFile = path.join(job.temp, 'gh.log');
      const log = existsSync(logFile) ? readFileSync(logFile, 'utf8') : '';
      const pushed = execFileSync('git', ['ls-tree', '-r', '--name-only', 'dependabot/npm/yaml-3'], {
        cwd: origin,
        encoding: 'utf8',
      });
      const content = execFileSync('git', ['show', 'dependabot/npm/yaml-3:dist/index.js'], {
        cwd: origin,
        encoding: 'utf8',
      });
      return { exitCode: run.exitCode, text: run.text, log, pushed: pushed.trim().split('\n'), content };
    } finally {
      job.dispose();
    }
  }

  test('commits the dist/ that was built, without what is no longer in it, and starts CI', () => {
    const { exitCode, log, pushed, content } = commit({ 'index.js': 'new', '2.index.js': 'more' });
    expect(exitCode).toBe(0);
    expect(pushed).toEqual(['dist/2.index.js', 'dist/index.js', 'package.json']);
    expect(content).toBe('new');
    expect(log).toBe('gh auth setup-git\ngh workflow run ci.yml --ref dependabot/npm/yaml-3\n');
  });

  test('does nothing where dist/ is the same', () => {
    const { exitCode, log } = commit({ 'index.js': 'old', '1.index.js': 'gone soon' });
    expect({ exitCode, log }).toEqual({ exitCode: 0, log: '' });
  });

  test('refuses an artifact with folders in it', () => {
    const { exitCode, content } = commit({ 'index.js': 'new', '.git/config': 'x' });
    expect({ exitCode, content }).toEqual({ exitCode: 1, content: 'old' });
  });
});

describe('release.yml', () => {
  const SHA = '0123456789abcdef0123456789abcdef01234567';

  /** Runs a script of the job that publishes; `gh` writes down what it is told, and answers like this. */
  function publish(name: string, gh: string) {
    const job = makeJobFolder();
    try {
      const { exitCode } = runScript({
        script: scriptOf('release.yml', 'publish', name),
        env: { RUNNER_TEMP: job.temp, VERSION: '1.2.3', GITHUB_SHA: SHA, GITHUB_REPOSITORY: 'octo/lambda' },
        job,
        commands: { gh: `#!/bin/sh\necho "$*" >> "$RUNNER_TEMP/gh.log"\n${gh}\n` },
      });
      const told = readFileSync(path.join(job.temp, 'gh.log'), 'utf8').trim().split('\n');
      return { exitCode, told };
    } finally {
      job.dispose();
    }
  }

  test('publishes what was drafted of this commit', () => {
    const { exitCode, told } = publish('Publish the draft', `echo ${SHA}`);
    expect({ exitCode, last: told.at(-1) }).toEqual({
      exitCode: 0,
      last: 'release edit v1.2.3 --draft=false',
    });
  });

  test('publishes nothing that was drafted of another commit', () => {
    const { exitCode, told } = publish('Publish the draft', 'echo another');
    expect({ exitCode, told }).toEqual({
      exitCode: 1,
      told: [expect.stringContaining('release view v1.2.3')],
    });
  });

  test.each([
    { tag: 'is there', gh: 'exit 0', calls: 1 },
    { tag: 'is new', gh: 'case "$*" in *PATCH*) exit 1 ;; esac', calls: 2 },
  ])('lets the tag of the major version point to it, when that $tag', ({ gh, calls }) => {
    const { exitCode, told } = publish('Move the tag of the major version', gh);
    expect({ exitCode, calls: told.length }).toEqual({ exitCode: 0, calls });
    expect(told.at(-1)).toMatch(/refs\/tags\/v1\b/);
    expect(told.at(-1)).toContain(SHA);
  });
});

describe('release-notes', () => {
  const notes = (version: string) =>
    spawnSync(process.execPath, ['script/release-notes.ts', version], { cwd: ROOT, encoding: 'utf8' });
  const { version } = fieldsOf(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')));

  test('are those of the version that package.json has', () => {
    const { status, stdout } = notes(String(version));
    expect(status).toBe(0);
    expect(stdout.trim().length).toBeGreaterThan(20);
    expect(readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`## ${version}\n\n${stdout}`);
    expect(stdout).not.toContain('\n## ');
  });

  test('of another version are refused, with everything that is missing', () => {
    const { status, stdout, stderr } = notes('9.9.9');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      'package.json has another version.\nsrc/shared/version.ts has another version.\nCHANGELOG.md has nothing under "## 9.9.9".\n',
    );
    expect(notes('1.0').stderr).toContain('"1.0" is no version such as 1.2.3.');
  });
});
