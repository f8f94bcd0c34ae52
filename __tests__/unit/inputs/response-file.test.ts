import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { devNull } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { onPosix } from '../../platforms.ts';
import { createJob, planFor, problemsFor } from './factory.ts';

test.each(['response.json', 'new/folder/response.json', '../response.json'])(
  'response_file %s is relative to the workspace',
  async (file) => {
    const job = await createJob();
    expect((await planFor({ response_file: file }, job)).responseFile).toBe(
      path.resolve(job.workspace, file),
    );
  },
);

test.each(['events', 'events/', 'missing/'])(
  'response_file %s is rejected because it is a folder',
  async (file) => {
    const job = await createJob({ 'events/a.json': '{}' });
    expect(await problemsFor({ response_file: file }, job)).toEqual([
      `response_file "${file}" is a folder. Name the file in it, for example "${path.join(file, 'response.json')}".`,
    ]);
  },
);

describe('a response_file that is not a regular file is rejected:', () => {
  onPosix('a device', async () => {
    expect(await problemsFor({ response_file: devNull })).toEqual([
      `response_file "${devNull}" is not a regular file. Name another file.`,
    ]);
  });

  onPosix('a FIFO', async () => {
    const job = await createJob();
    execFileSync('mkfifo', [path.join(job.workspace, 'response.json')]);
    expect(await problemsFor({ response_file: 'response.json' }, job)).toEqual([
      'response_file "response.json" is not a regular file. Name another file.',
    ]);
  });
});

test('response_file is rejected if it is the journal, which it would replace', async () => {
  expect(await problemsFor({ response_file: 'out/a.jsonl', journal: './out/../out/a.jsonl' })).toEqual([
    'response_file and journal name the same file, and the response would replace the journal. Change one of them.',
  ]);
});

test.each(['Event', 'DryRun'])(
  'response_file gets a warning with %s, because it has no effect',
  async (type) => {
    const plan = await planFor({ response_file: 'a.json', invocation_type: type });
    expect(plan.warnings).toEqual([
      `response_file has no effect with invocation_type: ${type}; there is a response only with RequestResponse.`,
    ]);
  },
);

describe('a response_file outside the workspace', () => {
  test.each(['../shared/new/a.json', 'out/../../shared/new/a.json'])(
    'is used with a note if the workflow writes a path with ..: %s',
    async (file) => {
      const job = await createJob();
      const plan = await planFor({ response_file: file }, job);
      expect(plan.responseFile).toBe(path.join(job.folder, 'shared/new/a.json'));
      expect(plan.notes).toEqual([
        `response_file is "${plan.responseFile}", outside the workspace "${job.workspace}".`,
      ]);
    },
  );

  test('is used if the workflow writes an absolute path, with its real path', async () => {
    const job = await createJob({ '../shared/event.json': '{}' });
    await symlink('shared', path.join(job.folder, 'link'));
    const plan = await planFor({ response_file: path.join(job.folder, 'link', 'a.json') }, job);
    expect(plan.responseFile).toBe(path.join(job.folder, 'shared/a.json'));
    expect(plan.notes).toHaveLength(1);
  });

  test.each(['out/a.json', 'out/new/a.json', 'out/../out/a.json'])(
    'is rejected if a symlink in the workspace leads to it: %s',
    async (file) => {
      const job = await createJob({ '../shared/event.json': '{}' });
      await symlink('../shared', path.join(job.workspace, 'out'));
      const real = path.join(job.folder, 'shared', path.relative('out', file));
      for (const given of [file, path.join(job.workspace, file)]) {
        expect(await problemsFor({ response_file: given }, job)).toEqual([
          `response_file "${given}" leads out of the workspace, to "${real}", through a symlink. To write there, write that absolute path in the workflow.`,
        ]);
      }
    },
  );

  test('is used with a note if a symlink leads to RUNNER_TEMP', async () => {
    const job = await createJob();
    await symlink('../temp', path.join(job.workspace, 'out'));
    const plan = await planFor({ response_file: 'out/a.json' }, job);
    expect(plan.responseFile).toBe(path.join(job.folder, 'temp/a.json'));
    expect(plan.notes).toHaveLength(1);
  });

  test.each(['../missing', 'out'])('is not created through a symlink to %s', async (target) => {
    const job = await createJob();
    await symlink(target, path.join(job.workspace, 'out'));
    expect(await problemsFor({ response_file: 'out/new/a.json' }, job)).toEqual([
      'response_file "out/new/a.json" is below a symlink that leads nowhere. Remove the symlink, or name another file.',
    ]);
  });
});

test('a response_file below a symlink within the workspace is used without a note', async () => {
  const job = await createJob();
  await mkdir(path.join(job.workspace, 'real'));
  await symlink('real', path.join(job.workspace, 'out'));
  const plan = await planFor({ response_file: 'out/a.json' }, job);
  expect({ file: plan.responseFile, notes: plan.notes }).toEqual({
    file: path.join(job.workspace, 'real/a.json'),
    notes: [],
  });
});
