import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { ECHO, invokeStep } from './step.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');

let lambda: LocalLambda;
let folder: string;
let archive: Buffer;
let action: string;

/** The archive that a runner would download if the files of this checkout were a release. */
function archiveOfCheckout(): Buffer {
  const objects = path.join(folder, 'objects');
  mkdirSync(objects);
  const git = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Buffer =>
    execFileSync('git', args, { cwd: CHECKOUT, env: { ...process.env, ...env }, maxBuffer: 100_000_000 });
  const own = path.resolve(CHECKOUT, git(['rev-parse', '--git-path', 'objects']).toString().trim());
  // A separate index and object store, so that those of the checkout do not change.
  const env = {
    GIT_INDEX_FILE: path.join(folder, 'index'),
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: own,
  };
  git(['add', '--all'], env);
  const tree = git(['write-tree'], env).toString().trim();
  return git(['archive', '--format=tar.gz', '--prefix=aws-lambda-invoke/', tree], env);
}

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  folder = mkdtempSync(path.join(tmpdir(), 'archive-'));
  archive = archiveOfCheckout();
  execFileSync('tar', ['-xzf', '-'], { cwd: folder, input: archive });
  action = path.join(folder, 'aws-lambda-invoke');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await lambda.close();
});

test('the archive has only the files that a runner needs and the license', () => {
  expect(readdirSync(action).sort()).toEqual(['LICENSE', 'action.yml', 'dist']);
});

test('the archive has all of dist/, byte for byte', () => {
  const files = readdirSync(path.join(CHECKOUT, 'dist')).sort();
  expect(readdirSync(path.join(action, 'dist')).sort()).toEqual(files);
  const changed = files.filter(
    (file) =>
      !readFileSync(path.join(action, 'dist', file)).equals(readFileSync(path.join(CHECKOUT, 'dist', file))),
  );
  expect(changed).toEqual([]);
});

test('a job downloads less than 300 KB', () => {
  expect(archive.length).toBeLessThan(300_000);
});

test('the action runs from the archive, with the chunks that it loads on demand', async () => {
  const inputs = {
    function_name: 'echo',
    invocations: '- payload: { a: 1 }\n- payload: { a: 2 }',
    expect: 'response.a > `0`',
  };
  const step = await invokeStep(lambda, inputs, { action });
  expect(step.stderr).toBe('');
  expect(step.outputs).toMatchObject({ total: '2', succeeded: '2' });
  expect(lambda.executions('echo')).toHaveLength(2);
});
