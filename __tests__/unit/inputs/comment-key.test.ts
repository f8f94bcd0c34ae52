import { expect, test } from '@jest/globals';
import { planFor } from './factory.ts';

const keyOf = async (comment_key: string): Promise<string | undefined> =>
  (await planFor({ comment_on_pull_request: 'true', comment_key })).comment?.key;

test('the comment key is the given one', async () => {
  expect(await keyOf('CI/smoke/__run/1')).toBe('CI/smoke/__run/1');
});

test('the default comment key consists of workflow, job and step', async () => {
  expect(await keyOf('')).toBe('CI/check/__run');
});

test('long comment keys that differ only at the end stay different', async () => {
  const workflow = 'w'.repeat(300);
  expect(await keyOf(`${workflow}/0`)).not.toBe(await keyOf(`${workflow}/1`));
  expect((await keyOf(`${workflow}/0`))?.length).toBe(256);
});
