import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { findPullRequest, readEventPayload } from '../../../src/inputs/pull-request.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const inRepository = (id: number) => ({ base: { repo: { id } } });

describe('the pull request of an event', () => {
  test.each([
    ['pull_request', { action: 'opened', number: 7, pull_request: { number: 7 } }],
    ['pull_request_target', { pull_request: { number: 7 } }],
    ['pull_request_review', { pull_request: { number: 7 } }],
    ['pull_request_review_comment', { pull_request: { number: 7 }, comment: { id: 1 } }],
    ['issue_comment', { issue: { number: 7, pull_request: { url: 'https://api.github.com/…' } } }],
    ['merge_group', { merge_group: { head_ref: `refs/heads/gh-readonly-queue/main/pr-7-${SHA}` } }],
    ['merge_group', { merge_group: { head_ref: `refs/heads/gh-readonly-queue/a/pr-9-b/c/pr-7-${SHA}` } }],
    ['workflow_run', { workflow_run: { head_sha: SHA, pull_requests: [{ number: 7 }] } }],
    [
      'workflow_run',
      {
        repository: { id: 1 },
        workflow_run: {
          head_sha: SHA,
          pull_requests: [
            { number: 8, ...inRepository(2) },
            { number: 7, ...inRepository(1) },
          ],
        },
      },
    ],
  ])('%s: is known by its number', (name, payload) => {
    expect(findPullRequest({ name, payload })).toEqual({ kind: 'number', number: 7 });
  });

  test.each([
    ['push', { ref: 'refs/heads/topic', after: SHA, deleted: false }],
    ['workflow_run', { workflow_run: { head_sha: SHA, pull_requests: [] } }],
    [
      'workflow_run',
      {
        repository: { id: 1 },
        workflow_run: { head_sha: SHA, pull_requests: [{ number: 8, ...inRepository(2) }] },
      },
    ],
  ])('%s: is known only to GitHub, by its commit', (name, payload) => {
    expect(findPullRequest({ name, payload })).toEqual({ kind: 'commit', sha: SHA });
  });

  test.each([
    ['issue_comment', { issue: { number: 7 } }, 'the comment is on an issue, not on a pull request'],
    ['push', { ref: 'refs/tags/v1', after: SHA }, 'a tag was pushed'],
    ['push', { ref: 'refs/heads/x', after: '0'.repeat(40), deleted: true }, 'the branch was deleted'],
    ['push', { ref: 'refs/heads/x', after: '0'.repeat(40) }, "the event's payload has no commit"],
    ['push', { ref: 'refs/heads/x', after: `${SHA}/../x` }, "the event's payload has no commit"],
    [
      'merge_group',
      { merge_group: { head_ref: 'refs/heads/main' } },
      "the merge queue's branch names no pull request",
    ],
    ['workflow_run', { workflow_run: {} }, "the event's payload has neither a pull request nor a commit"],
    ['schedule', {}, 'the event schedule belongs to no pull request'],
    ['workflow_dispatch', {}, 'the event workflow_dispatch belongs to no pull request'],
    ['constructor', {}, 'the event constructor belongs to no pull request'],
    ['', {}, 'the event (none) belongs to no pull request'],
    ['pull_request', undefined, "the event's payload could not be read"],
    ...[null, [], 'text', 7, {}, { pull_request: null }, { pull_request: { number: '7' } }].map(
      (payload) => ['pull_request', payload, "the event's payload has no pull request"] as const,
    ),
    ...[0, -1, 1.5, Number.NaN].map(
      (number) =>
        ['pull_request', { pull_request: { number } }, "the event's payload has no pull request"] as const,
    ),
  ])('%s %j: does not exist, with the reason', (name, payload, reason) => {
    expect(findPullRequest({ name, payload })).toEqual({ reason });
  });
});

describe("the event's payload", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'event-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (text: string): string => {
    const file = path.join(folder, 'event.json');
    writeFileSync(file, text);
    return file;
  };

  test('is read from its file', async () => {
    expect(await readEventPayload(write('{"pull_request":{"number":7}}'))).toEqual({
      pull_request: { number: 7 },
    });
  });

  test('is undefined if it cannot be read', async () => {
    expect(await readEventPayload(undefined)).toBeUndefined();
    expect(await readEventPayload('')).toBeUndefined();
    expect(await readEventPayload(path.join(folder, 'missing.json'))).toBeUndefined();
    expect(await readEventPayload(folder)).toBeUndefined();
    expect(await readEventPayload(write('{"pull_request":'))).toBeUndefined();
  });
});
