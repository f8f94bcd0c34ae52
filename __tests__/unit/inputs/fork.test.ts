import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readIsFork } from '../../../src/inputs/environment.ts';

import '../realm.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fork-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function payloadFile(content: string): string {
  const file = path.join(folder, 'event.json');
  writeFileSync(file, content);
  return file;
}

const pullRequest = (head: unknown, base: unknown = { repo: { id: 1, fork: false } }): string =>
  JSON.stringify({ pull_request: { number: 7, head, base } });
const FROM_FORK = pullRequest({ repo: { id: 2, fork: true } });

const isFork = (content: string, name = 'pull_request'): boolean | undefined =>
  readIsFork({ name, path: payloadFile(content) });

describe('whether a pull request is from a fork', () => {
  test.each(['pull_request', 'pull_request_review', 'pull_request_review_comment'])(
    'is read from the payload of %s',
    (name) => {
      expect(isFork(FROM_FORK, name)).toBe(true);
      expect(isFork(pullRequest({ repo: { id: 1, fork: false } }), name)).toBe(false);
    },
  );

  test('is false for a pull request within a fork', () => {
    const repo = { id: 2, fork: true };
    expect(isFork(pullRequest({ repo }, { repo }))).toBe(false);
  });

  test.each(['pull_request_target', 'push', 'issue_comment', ''])('is not checked for %j', (name) => {
    expect(isFork(FROM_FORK, name)).toBeUndefined();
  });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '{"pull_request": 7}',
    pullRequest({ repo: null }),
    pullRequest({ repo: { fork: 'true' } }),
  ])('is unknown with the payload %j', (content) => {
    expect(isFork(content)).toBeUndefined();
  });

  test('is unknown for a missing file, a folder or a file over 25 MB', () => {
    const name = 'pull_request';
    expect(readIsFork({ name, path: undefined })).toBeUndefined();
    expect(readIsFork({ name, path: path.join(folder, 'none.json') })).toBeUndefined();
    mkdirSync(path.join(folder, 'folder'));
    expect(readIsFork({ name, path: path.join(folder, 'folder') })).toBeUndefined();
    const large = payloadFile(FROM_FORK);
    // The JSON is followed by whitespace, so that only the size is invalid.
    writeFileSync(large, FROM_FORK.padEnd(25_000_001, ' '));
    expect(readIsFork({ name, path: large })).toBeUndefined();
    truncateSync(large, 25_000_000);
    expect(readIsFork({ name, path: large })).toBe(true);
  });
});
