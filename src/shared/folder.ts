import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';

const realPathOf = (folder: string): Promise<string | undefined> => realpath(folder).catch(() => undefined);

/**
 * Creates a folder and its missing parents. Throws if a symlink redirects it, because the path was checked before. It
 * does not use a recursive mkdir, which never ends below /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  const real = await realPathOf(folder);
  if (real === folder) return;
  if (real !== undefined) throw new Error(`${folder} is redirected to ${real} by a symlink`);
  if (path.dirname(folder) !== folder) await makeFolder(path.dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    // Another step may have created the folder in the meantime.
    if ((await realPathOf(folder)) !== folder) throw error;
  }
}
