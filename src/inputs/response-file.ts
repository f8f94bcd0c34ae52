import { lstat, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type JobFolders, placeOf } from './folders.ts';
import { type Problems, quote } from './problems.ts';

/** Where the response is written, and a line for the log where that is outside the workspace. */
export type ResponseFile = Readonly<{ file?: string; note?: string }>;

const succeeds = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  );

/** The path without symlinks in it; folders that are missing are none. Throws where a symlink leads nowhere. */
async function realFolder(folder: string): Promise<string> {
  for (let existing = folder; ; existing = path.dirname(existing)) {
    try {
      return path.join(await realpath(existing), path.relative(existing, folder));
    } catch (error) {
      if (path.dirname(existing) === existing || (await succeeds(lstat(existing)))) throw error;
    }
  }
}

/** What stands in the file's place that a response can't replace. */
async function obstacleAt(file: string): Promise<string | undefined> {
  const status = await stat(file).catch(() => undefined);
  if (status === undefined || status.isFile()) return undefined;
  return status.isDirectory() ? 'a folder' : 'not a regular file';
}

/** Reads `response_file`: an absolute path, its folder without symlinks. Folders that are missing are made later. */
export async function parseResponseFile(
  text: string,
  folders: JobFolders,
  problems: Problems,
): Promise<ResponseFile> {
  if (text === '') return {};
  const named = `response_file ${quote(text)}`;
  const asked = path.resolve(folders.workspace, text);
  const obstacle = /[/\\]$/.test(text) ? 'a folder' : await obstacleAt(asked);
  if (obstacle === 'a folder') {
    problems.add(
      `${named} is a folder. Name the file in it, for example ${quote(path.join(text, 'response.json'))}.`,
    );
    return {};
  }
  if (obstacle !== undefined) {
    problems.add(`${named} is ${obstacle}. Name another file.`);
    return {};
  }
  try {
    const real = path.join(await realFolder(path.dirname(asked)), path.basename(asked));
    const place = await placeOf({ asked, real }, folders);
    if (place === 'workspace') return { file: real };
    if (place === 'outside') {
      const workspace = quote(folders.workspace);
      return { file: real, note: `response_file is ${quote(real)}, outside the workspace ${workspace}.` };
    }
    problems.add(
      `${named} leads out of the workspace, to ${quote(real)}, through a symlink. To write there, write that absolute path in the workflow.`,
    );
  } catch {
    problems.add(`${named} is below a symlink that leads nowhere. Remove the symlink, or name another file.`);
  }
  return {};
}
