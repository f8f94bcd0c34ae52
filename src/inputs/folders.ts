import { realpath } from 'node:fs/promises';
import path from 'node:path';

/** The folders of the job: relative paths start in the workspace, and RUNNER_TEMP is the job's own too. */
export type JobFolders = Readonly<{ workspace: string; temporaryFolder: string }>;

/** A file as the workflow's text names it, absolute, and where it really is. */
export type Named = Readonly<{ asked: string; real: string }>;

/** Where a named file is. What a symlink in the workspace leads out of it was not asked for by the workflow. */
export type Place = 'workspace' | 'outside' | 'redirected';

function contains(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

const realOf = (folder: string): Promise<string> => realpath(folder).catch(() => folder);

/** Finds out where a named file is. */
export async function placeOf({ asked, real }: Named, folders: JobFolders): Promise<Place> {
  if (contains(await realOf(folders.workspace), real)) return 'workspace';
  if (!contains(folders.workspace, asked)) return 'outside';
  return contains(await realOf(folders.temporaryFolder), real) ? 'outside' : 'redirected';
}
