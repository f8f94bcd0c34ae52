import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Problems, quote } from './problems.ts';

/** The job's folders. Relative paths start in the workspace, and RUNNER_TEMP belongs to the job too. */
export type JobFolders = Readonly<{ workspace: string; temporaryFolder: string }>;

/** A file: the absolute path that the workflow names, and the real path. */
type NamedFile = Readonly<{ asked: string; real: string }>;

/**
 * Where a named file is. It is redirected if a symlink in the workspace leads out of it without the workflow's intent.
 */
export type FilePlace = 'workspace' | 'outside' | 'redirected';

function contains(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

const realOf = (folder: string): Promise<string> => realpath(folder).catch(() => folder);

/** Finds out where a named file is. */
export async function placeOf({ asked, real }: NamedFile, folders: JobFolders): Promise<FilePlace> {
  if (contains(await realOf(folders.workspace), real)) return 'workspace';
  if (!contains(folders.workspace, asked)) return 'outside';
  return contains(await realOf(folders.temporaryFolder), real) ? 'outside' : 'redirected';
}

/** What a path is if it is not a regular file; undefined for a regular file. */
export function irregularKind(
  status: Pick<Stats, 'isFile' | 'isDirectory'>,
): 'a folder' | 'not a regular file' | undefined {
  if (status.isFile()) return undefined;
  return status.isDirectory() ? 'a folder' : 'not a regular file';
}

/** Whether something exists at a path, even a symlink that leads nowhere. */
export const exists = (file: string): Promise<boolean> =>
  lstat(file).then(
    () => true,
    () => false,
  );

/** The path with all symlinks resolved. Folders may be missing. Throws if a symlink leads nowhere. */
async function realFolder(folder: string): Promise<string> {
  for (let existing = folder; ; existing = path.dirname(existing)) {
    try {
      return path.join(await realpath(existing), path.relative(existing, folder));
    } catch (error) {
      if (path.dirname(existing) === existing || (await exists(existing))) throw error;
    }
  }
}

async function obstacleAt(file: string): Promise<ReturnType<typeof irregularKind>> {
  const status = await stat(file).catch(() => undefined);
  return status && irregularKind(status);
}

/** A file to write, and a line for the log if it is outside the workspace. */
export type OutputFile = Readonly<{ file?: string; note?: string }>;

/** An input that names a file to write, and the name of an example. */
type OutputFileInput = Readonly<{ input: 'response_file' | 'journal'; text: string; example: string }>;

/** Resolves the path of a file to write, and checks that nothing prevents it. Throws if a symlink leads nowhere. */
async function locate(
  { asked, named, input }: Readonly<{ asked: string; named: string; input: string }>,
  folders: JobFolders,
  problems: Problems,
): Promise<OutputFile> {
  const real = path.join(await realFolder(path.dirname(asked)), path.basename(asked));
  const place = await placeOf({ asked, real }, folders);
  if (place === 'workspace') return { file: real };
  if (place === 'outside') {
    const workspace = quote(folders.workspace);
    return { file: real, note: `${input} is ${quote(real)}, outside the workspace ${workspace}.` };
  }
  problems.add(
    `${named} leads out of the workspace, to ${quote(real)}, through a symlink. To write there, write that absolute path in the workflow.`,
  );
  return {};
}

/** Reads the path of a file to write: absolute, its folder without symlinks. Parent folders are created later. */
export async function parseOutputFile(
  { input, text, example }: OutputFileInput,
  folders: JobFolders,
  problems: Problems,
): Promise<OutputFile> {
  if (text === '') return {};
  const named = `${input} ${quote(text)}`;
  const asked = path.resolve(folders.workspace, text);
  const obstacle = /[/\\]$/.test(text) ? 'a folder' : await obstacleAt(asked);
  if (obstacle !== undefined) {
    const fix =
      obstacle === 'a folder'
        ? `Name the file in it, for example ${quote(path.join(text, example))}`
        : 'Name another file';
    problems.add(`${named} is ${obstacle}. ${fix}.`);
    return {};
  }
  try {
    return await locate({ asked, named, input }, folders, problems);
  } catch {
    problems.add(`${named} is below a symlink that leads nowhere. Remove the symlink, or name another file.`);
    return {};
  }
}

const LONGEST_PATH = 1024;

const PATHS: readonly RegExp[] = [
  /^fileb?:\/\//i,
  /^(?:\.{1,2}|~|[a-z]:)?[\\/]\S/i,
  /^[^:]+\.(?:jsonc?|jsonl|ndjson|ya?ml|txt)$/i,
];

/** Whether a text looks like the path of a file. The AWS CLI accepts a path instead of the text itself. */
export const looksLikePath = (text: string): boolean =>
  text.length <= LONGEST_PATH && !/[\r\n{}[\]"]/.test(text) && PATHS.some((pattern) => pattern.test(text));
