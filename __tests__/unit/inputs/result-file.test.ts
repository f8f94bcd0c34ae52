import path from 'node:path';
import { expect, test } from '@jest/globals';
import { createJob, planFor, problemsFor } from './factory.ts';

test.each(['response.json', 'new/folder/response.json', '../response.json'])(
  'result_file %s is a path from the workspace',
  async (file) => {
    const job = await createJob();
    expect((await planFor({ result_file: file }, job)).resultFile).toBe(path.resolve(job.workspace, file));
  },
);

test.each(['events', 'events/', 'missing/'])('result_file %s is a folder, and refused', async (file) => {
  const job = await createJob({ 'events/a.json': '{}' });
  expect(await problemsFor({ result_file: file }, job)).toEqual([
    `result_file "${file}" is a folder. Name the file in it, for example "${path.join(file, 'response.json')}".`,
  ]);
});

test.each(['Event', 'DryRun'])('result_file has no effect with %s, which is a warning', async (type) => {
  const plan = await planFor({ result_file: 'a.json', invocation_type: type });
  expect(plan.warnings).toEqual([
    `result_file has no effect with invocation_type: ${type}; there is a response only with RequestResponse.`,
  ]);
});
