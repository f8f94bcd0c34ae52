import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Writes a response byte for byte, its folder made where there is none.
 * It is written beside its place and moved there whole, so that a crash leaves no half file.
 */
export async function writeResponseFile(file: string, response: Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true });
  const partial = path.join(folder, `.${path.basename(file)}.${randomUUID()}`);
  try {
    await writeFile(partial, response);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
