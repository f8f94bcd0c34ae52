import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';

const realPathOf = (folder: string): Promise<string | undefined> => realpath(folder).catch(() => undefined);

/**
 * Makes a folder and those above it that are missing, where no symlink redirects it: the path was checked before. Not by one recursive mkdir, which never ends below /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  const real = await realPathOf(folder);
  if (real === folder) return;
  if (real !== undefined) throw new Error(`${folder} is redirected to ${real} by a symlink`);
  if (path.dirname(folder) !== folder) await makeFolder(path.dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    // Another step may have made it in the meantime.
    if ((await realPathOf(folder)) !== folder) throw error;
  }
}
