import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { runScript } from '../../packages/local-runner/run-script.ts';
import { makeJobFolder, writeFiles } from '../../packages/local-runner/run-step.ts';
import { runWorkflow } from '../../packages/local-runner/run-workflow.ts';
import { fieldsOf } from '../../src/shared/values.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const workflowFile = (name: string): string => path.join(ROOT, '.github', 'workflows', name);

/** The files in a folder of the checkout, by path. */
const filesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(ROOT, file), readFileSync(file, 'utf8')]),
  );

/** The files that `actions/checkout` adds to the workspace of a job that uses the action from its checkout. */
const checkout = (): Record<string, string> => ({
  'action.yml': readFileSync(path.join(ROOT, 'action.yml'), 'utf8'),
  ...filesIn('dist'),
});

test('self-test.yml succeeds, including the jobs that must fail', async () => {
  const jobs = await runWorkflow({
    file: workflowFile('self-test.yml'),
    env: { AWS_EC2_METADATA_DISABLED: 'true' },
    repository: { ...checkout(), ...filesIn('packages/local-lambda') },
    // Installs nothing, because the locked packages are already there.
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

describe('script/act', () => {
  const run = (folders: readonly string[]) =>
    spawnSync('bash', ['script/act', '--dryrun'], {
      cwd: ROOT,
      env: { ...process.env, PATH: folders.join(path.delimiter) },
      encoding: 'utf8',
    });
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);

  test('runs the self-test in act, with what it is told', () => {
    const { workspace, dispose } = makeJobFolder();
    try {
      writeFiles(workspace, { act: '#!/bin/sh\nprintf "%s\\n" "$*"\nexit 3\n' });
      chmodSync(path.join(workspace, 'act'), 0o755);
      const { status, stdout } = run([workspace, ...folders]);
      expect(status).toBe(3);
      expect(stdout).toMatch(
        /^workflow_dispatch --workflows \.github\/workflows\/self-test\.yml .* --dryrun\n$/,
      );
    } finally {
      dispose();
    }
  });

  test('says where there is no act, and is no failure', () => {
    const without = folders.filter(
      (folder) => !['act', 'act.exe'].some((file) => existsSync(path.join(folder, file))),
    );
    const { status, stderr } = run(without);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('Skipped: act is not on the PATH.'),
    });
  });
});

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

  test('runs the file that action.yml names', async () => {
    const jobs = await run(checkout());
    const [, invoke] = jobs[0]?.steps ?? [];
    expect(invoke).toMatchObject({ kind: 'action', run: { annotations: [{ title: 'Invalid Input' }] } });
  });

  test('fails if action.yml has an expression in a description', async () => {
    const files = checkout();
    const broken =
      files['action.yml']?.replace('The event, as JSON.', 'The event of ${{ github.ref }}.') ?? '';
    await expect(run({ ...files, 'action.yml': broken })).rejects.toThrow(
      /^Failed to load .*action\.yml\n.*Unrecognized named-value: 'github'/,
    );
  });

  test('fails if nothing was checked out', async () => {
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
  /** Runs the commit script on a Dependabot branch. Returns its calls of the `gh` command and what it pushed. */
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

  test('commits the built dist/, without removed files, and starts CI', () => {
    const { exitCode, log, pushed, content } = commit({ 'index.js': 'new', '2.index.js': 'more' });
    expect(exitCode).toBe(0);
    expect(pushed).toEqual(['dist/2.index.js', 'dist/index.js', 'package.json']);
    expect(content).toBe('new');
    expect(log).toBe('gh auth setup-git\ngh workflow run ci.yml --ref dependabot/npm/yaml-3\n');
  });

  test('does nothing if dist/ is the same', () => {
    const { exitCode, log } = commit({ 'index.js': 'old', '1.index.js': 'gone soon' });
    expect({ exitCode, log }).toEqual({ exitCode: 0, log: '' });
  });

  test('rejects an artifact that contains folders', () => {
    const { exitCode, content } = commit({ 'index.js': 'new', '.git/config': 'x' });
    expect({ exitCode, content }).toEqual({ exitCode: 1, content: 'old' });
  });
});

const SHA = '0123456789abcdef0123456789abcdef01234567';

/** Runs a script of a workflow. `gh` records its arguments and runs this script. */
function runReleaseScript(
  [workflow, job, name]: readonly [workflow: string, job: string, name: string],
  { gh, env }: Readonly<{ gh: string; env: Readonly<Record<string, string>> }>,
) {
  const site = makeJobFolder();
  try {
    const { exitCode, text, outputs } = runScript({
      script: scriptOf(workflow, job, name),
      env: { RUNNER_TEMP: site.temp, GITHUB_SHA: SHA, GITHUB_REPOSITORY: 'octo/lambda', ...env },
      job: site,
      commands: { gh: `#!/bin/sh\necho "$*" >> "$RUNNER_TEMP/gh.log"\n${gh}\n` },
    });
    const log = path.join(site.temp, 'gh.log');
    const notes = path.join(site.workspace, 'notes.md');
    return {
      exitCode,
      text,
      outputs,
      told: existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [],
      notes: existsSync(notes) ? readFileSync(notes, 'utf8') : undefined,
    };
  } finally {
    site.dispose();
  }
}

describe('release.yml', () => {
  const workflow = fieldsOf(parse(readFileSync(workflowFile('release.yml'), 'utf8')));
  const jobs = fieldsOf(workflow['jobs']);
  const stepsOf = (job: string) => {
    const { steps } = fieldsOf(jobs[job]);
    return (Array.isArray(steps) ? steps : []).map(fieldsOf);
  };
  /** The values that the steps of a job pass to an input of an action. */
  const given = (job: string, action: string, input: string): unknown[] =>
    stepsOf(job)
      .filter((step) => String(step['uses']).startsWith(`actions/${action}@`))
      .map((step) => fieldsOf(step['with'])[input]);

  const NOTES = '- First line.\n- `code` and $HOME and "quotes".';
  const draft = (gh: string) =>
    runReleaseScript(['release.yml', 'draft', 'Draft the release'], { gh, env: { VERSION: '1.2.3', NOTES } });

  test('ends with a draft, which a person publishes', () => {
    expect(Object.keys(jobs)).toEqual(['notes', 'check', 'attest', 'draft']);
    expect(readFileSync(workflowFile('release.yml'), 'utf8')).not.toContain('--draft=false');
  });

  test('drafts the release of this commit, with its notes and the archive', () => {
    const { exitCode, told, notes } = draft('case "$*" in "release view"*) exit 1 ;; esac');
    expect(exitCode).toBe(0);
    expect(told.at(-1)).toBe(
      `release create v1.2.3 --draft --target ${SHA} --title v1.2.3 --notes-file notes.md dist.tar.gz`,
    );
    expect(notes).toBe(`${NOTES}\n`);
  });

  test('does not draft a version that already has a release or a draft', () => {
    const { exitCode, told, text } = draft('exit 0');
    expect({ exitCode, told }).toEqual({ exitCode: 1, told: ['release view v1.2.3'] });
    expect(text).toContain('v1.2.3 has a release or a draft already.');
  });

  test('does not draft an archive other than the attested one', () => {
    const { exitCode, told } = draft('case "$*" in "release view"* | attestation*) exit 1 ;; esac');
    expect(exitCode).toBe(1);
    expect(told.at(-1)).toBe(`attestation verify dist.tar.gz --repo octo/lambda --source-digest ${SHA}`);
  });

  test('also attests the archive, and drafts the same one', () => {
    const [subjects = ''] = given('attest', 'attest-build-provenance', 'subject-path');
    expect(String(subjects).trim().split('\n')).toEqual(['dist/*', 'action.yml', 'dist.tar.gz']);
    expect(given('attest', 'upload-artifact', 'path')).toEqual(['dist.tar.gz']);
    expect(given('draft', 'download-artifact', 'name')).toEqual(given('attest', 'upload-artifact', 'name'));
  });

  test('gets the notes from a job that runs no tests and no dependencies', () => {
    const script = stepsOf('draft').find(({ run }) => run !== undefined);
    expect(fieldsOf(script?.['env'])['NOTES']).toBe('${{ needs.notes.outputs.notes }}');
    const scripts = stepsOf('notes').flatMap(({ run }) => (typeof run === 'string' ? [run] : []));
    expect(scripts.join('\n').match(/script\/\S+|npm|npx/g)).toEqual(['script/release-notes.ts']);
    const imports = readFileSync(path.join(ROOT, 'script/release-notes.ts'), 'utf8').matchAll(/from '(.+)'/g);
    expect([...imports].filter(([, from = '']) => !from.startsWith('node:'))).toEqual([]);
  });

  test('passes multiline notes on unchanged', () => {
    const site = makeJobFolder();
    try {
      const { exitCode, outputs } = runScript({
        script: scriptOf(
          'release.yml',
          'notes',
          'Compare the version with the commit, and extract the release notes',
        ),
        env: { RUNNER_TEMP: site.temp, GITHUB_SHA: SHA, VERSION: '1.2.3' },
        job: site,
        commands: { node: `#!/bin/sh\ncat <<'END'\n${NOTES}\nEND\n` },
      });
      expect({ exitCode, outputs }).toEqual({ exitCode: 0, outputs: { notes: NOTES } });
    } finally {
      site.dispose();
    }
  });
});

describe('major-version.yml', () => {
  const NAMES = {
    check: 'Check that the workflow Release built it, and that it can no longer change',
    move: 'Move the tag of the major version',
  };
  const run = (step: keyof typeof NAMES, tag: string, gh: string) =>
    runReleaseScript(['major-version.yml', 'move', NAMES[step]], { gh, env: { TAG: tag } });
  const publishedAre = (tags: readonly string[]): string =>
    `case "$*" in "release list"*) printf '%s\\n' ${tags.join(' ')} ;; esac`;

  test.each([
    { tag: 'v1.0.0', published: ['v1.0.0'] },
    { tag: 'v1.10.0', published: ['v1.9.0', 'v1.10.0', 'v1.2.0'] },
    { tag: 'v1.2.1', published: ['v2.0.0', 'v1.2.1', 'v10.0.0', 'v1.2.0'] },
    // The list can be older than the release.
    { tag: 'v1.2.1', published: ['v1.2.0'] },
  ])('moves v1 to $tag, the newest of $published', ({ tag, published }) => {
    const { exitCode, told } = run('move', tag, publishedAre(published));
    expect(exitCode).toBe(0);
    expect(told.at(-1)).toBe(
      `api --method PATCH repos/octo/lambda/git/refs/tags/v1 -f sha=${SHA} -F force=true`,
    );
  });

  test('creates a new tag', () => {
    const { exitCode, told } = run('move', 'v2.0.0', 'case "$*" in *PATCH*) exit 1 ;; esac');
    expect(exitCode).toBe(0);
    expect(told.at(-1)).toBe(
      `api --method POST repos/octo/lambda/git/refs -f ref=refs/tags/v2 -f sha=${SHA}`,
    );
  });

  test.each([
    { tag: 'v1.9.0', published: ['v1.10.0', 'v1.9.0'], newest: 'v1.10.0' },
    { tag: 'v1.0.1', published: ['v1.0.1', 'v1.1.0', 'v2.0.0'], newest: 'v1.1.0' },
  ])('leaves v1 at $newest when the run for $tag is re-run', ({ tag, published, newest }) => {
    const { exitCode, told, text } = run('move', tag, publishedAre(published));
    expect({ exitCode, told: told.length }).toEqual({ exitCode: 0, told: 1 });
    expect(text).toContain(`v1 stays where it is, because ${newest} is newer than ${tag}.`);
  });

  test('accepts an immutable release that the workflow built from its commit', () => {
    const { exitCode, told } = run('check', 'v1.2.3', 'case "$*" in *immutable) echo true ;; esac');
    expect(exitCode).toBe(0);
    expect(told.at(-1)).toBe(
      `attestation verify dist.tar.gz --repo octo/lambda --source-digest ${SHA} --signer-workflow octo/lambda/.github/workflows/release.yml`,
    );
  });

  test.each([
    { what: 'could still change', gh: 'echo false' },
    {
      what: 'has no archive',
      gh: 'case "$*" in *immutable) echo true ;; "release download"*) exit 1 ;; esac',
    },
    {
      what: 'the workflow did not build',
      gh: 'case "$*" in *immutable) echo true ;; attestation*) exit 1 ;; esac',
    },
  ])('rejects a release that $what', ({ gh }) => {
    expect(run('check', 'v1.2.3', gh).exitCode).toBe(1);
  });
});

describe('release-notes', () => {
  const notes = (version: string) =>
    spawnSync(process.execPath, ['script/release-notes.ts', version], { cwd: ROOT, encoding: 'utf8' });
  const { version } = fieldsOf(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')));

  test('are those of the version in package.json', () => {
    const { status, stdout } = notes(String(version));
    expect(status).toBe(0);
    expect(stdout.trim().length).toBeGreaterThan(20);
    expect(readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`## ${version}\n\n${stdout}`);
    expect(stdout).not.toContain('\n## ');
  });

  test('of another version are rejected, with everything that is missing', () => {
    const { status, stdout, stderr } = notes('9.9.9');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      'package.json has another version.\nsrc/shared/version.ts has another version.\nCHANGELOG.md has nothing under "## 9.9.9".\n',
    );
    expect(notes('1.0').stderr).toContain('"1.0" is no version such as 1.2.3.');
  });
});
