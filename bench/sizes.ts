import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { loadedBy } from './measure.ts';
import { newJob, type Work } from './subjects.ts';

const DIST = path.resolve(import.meta.dirname, '..', 'dist');

const sizeOf = (files: readonly string[]): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0);

/** Bytes of dist/ and of those of its files that one run of the action loads. */
export async function bundleSizes(
  work: Work,
): Promise<Readonly<{ dist: number; loaded: number; files: readonly string[] }>> {
  const job = newJob(work);
  try {
    const loaded = await loadedBy(job.program);
    const files = loaded.files.filter((file) => path.dirname(file) === DIST);
    return {
      dist: sizeOf(readdirSync(DIST).map((file) => path.join(DIST, file))),
      loaded: sizeOf(files),
      files: files.map((file) => path.basename(file)),
    };
  } finally {
    job.dispose();
  }
}
