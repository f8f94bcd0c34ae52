import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type JobFolder, makeJobFolder, writeFiles } from '../../packages/local-runner/run-step.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../..');
const [NODE_VERSION] = process.versions.node.split('.');

const one = { 'node_modules/one': { version: '1.0.0', integrity: 'sha512-one' } };
const link = { 'node_modules/own': { resolved: 'packages/own', link: true }, 'packages/own': {} };
const foreign = { 'node_modules/other-system': { version: '1.0.0', optional: true } };
const LOCKED = { '': { name: 'checkout' }, ...one, ...link, ...foreign };

let job: JobFolder;
beforeEach(() => {
  job = makeJobFolder();
  mkdirSync(path.join(job.workspace, 'script'));
  for (const file of ['script/bootstrap', 'script/is-installed.mjs']) {
    copyFileSync(path.join(CHECKOUT, file), path.join(job.workspace, file));
  }
});
afterEach(() => job.dispose());

/** Runs script/bootstrap in a checkout with these packages. Returns its calls of npm. */
function bootstrap(installed: unknown): string {
  writeFiles(job.workspace, {
    '.node-version': `${NODE_VERSION}.0.0\n`,
    'package-lock.json': JSON.stringify({ packages: LOCKED }),
    'node_modules/.package-lock.json': JSON.stringify(installed) ?? '',
    'commands/npm': '#!/bin/sh\necho "$*" >> asked\n',
  });
  const commands = path.join(job.workspace, 'commands');
  chmodSync(path.join(commands, 'npm'), 0o755);
  const ended = spawnSync('bash', ['script/bootstrap'], {
    cwd: job.workspace,
    env: {
      ...process.env,
      PATH: [commands, path.dirname(process.execPath), process.env['PATH']].join(path.delimiter),
    },
    encoding: 'utf8',
  });
  expect(ended.status).toBe(0);
  const asked = path.join(job.workspace, 'asked');
  return existsSync(asked) ? readFileSync(asked, 'utf8').trim() : '';
}

test('a complete install of the locked packages is kept, without packages for other systems', () => {
  expect(bootstrap({ packages: { ...one, ...link } })).toBe('');
});

describe('the locked packages are installed if', () => {
  test.each([
    ['one is missing', { packages: link }],
    ['one has another version', { packages: { ...one, ...link, 'node_modules/one': { version: '0.9.0' } } }],
    ['one is extraneous', { packages: { ...one, ...link, 'node_modules/two': { version: '1.0.0' } } }],
    ['a workspace is not linked', { packages: one }],
    ['an install was interrupted', undefined],
  ])('%s', (_, installed) => {
    expect(bootstrap(installed)).toBe('ci --loglevel=error');
  });
});
