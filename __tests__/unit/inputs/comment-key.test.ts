import { expect, test } from '@jest/globals';
import { planFor } from './factory.ts';

const keyOf = async (comment_key: string): Promise<string | undefined> =>
  (await planFor({ comment_on_pull_request: 'true', comment_key })).comment?.key;

test("the comment's key is the one that is given", async () => {
  expect(await keyOf('CI/smoke/__run/1')).toBe('CI/smoke/__run/1');
});

test("the comment's key is workflow, job and step where it is empty", async () => {
  expect(await keyOf('')).toBe('CI/check/__run');
});

test('keys too long for a comment still differ where they do at the end', async () => {
  const workflow = 'w'.repeat(300);
  expect(await keyOf(`${workflow}/0`)).not.toBe(await keyOf(`${workflow}/1`));
  expect((await keyOf(`${workflow}/0`))?.length).toBe(256);
});
