import { Buffer } from 'node:buffer';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { saveResponse } from '../../../src/report/saved-response.ts';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'response-')));
});
afterAll(() => rm(folder, { recursive: true }));

test('a response is saved byte for byte, and the folder has no other file', async () => {
  const response = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0x00, 0x0a]);
  await saveResponse(path.join(folder, 'new', 'deep', 'response'), response);
  expect(await readFile(path.join(folder, 'new', 'deep', 'response'))).toEqual(response);
  expect(await readdir(path.join(folder, 'new', 'deep'))).toEqual(['response']);
});

test('a response replaces an old file atomically, so that a reader of the old file can finish', async () => {
  const file = path.join(folder, 'replaced');
  await writeFile(file, 'old');
  const before = await readFileIdentity(file);
  await saveResponse(file, Buffer.from('new'));
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await readFileIdentity(file)).not.toBe(before);
});

test('a response that cannot be moved into place leaves no partial file', async () => {
  await mkdir(path.join(folder, 'taken', 'response'), { recursive: true });
  await writeFile(path.join(folder, 'taken', 'response', 'mine'), '');
  await expect(saveResponse(path.join(folder, 'taken', 'response'), Buffer.from('x'))).rejects.toThrow();
  expect(await readdir(path.join(folder, 'taken'))).toEqual(['response']);
  expect(await readdir(path.join(folder, 'taken', 'response'))).toEqual(['mine']);
});

test('responses written concurrently into one new folder are all saved', async () => {
  const names = ['one', 'two', 'three', 'four'];
  const places = names.map((name) => path.join(folder, 'at-once', 'deep', name));
  await Promise.all(places.map((place, index) => saveResponse(place, Buffer.from(names[index] ?? ''))));
  expect(await Promise.all(places.map((place) => readFile(place, 'utf8')))).toEqual(names);
});

async function readFileIdentity(file: string): Promise<number> {
  return (await stat(file)).ino;
}
