import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { loadedBy } from './measure.ts';
import { type Work, withJob } from './subjects.ts';

const DIST = path.resolve(import.meta.dirname, '..', 'dist');

const sizeOf = (files: readonly string[]): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0);

/** Bytes of dist/ and of those of its files that one run of the action loads. */
export async function bundleSizes(
  work: Work,
): Promise<Readonly<{ dist: number; loaded: number; files: readonly string[] }>> {
  const loaded = await withJob(work, loadedBy);
  const files = loaded.files.filter((file) => path.dirname(file) === DIST);
  return {
    dist: sizeOf(readdirSync(DIST).map((file) => path.join(DIST, file))),
    loaded: sizeOf(files),
    files: files.map((file) => path.basename(file)),
  };
}
