import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { loadedBy } from './measure.ts';
import { type Work, withJob } from './subjects.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const DIST = path.join(ROOT, 'dist');

const sizeOf = (files: readonly string[]): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0);

/** The sizes, in bytes, of the archive of HEAD, which a job would download, and of the files that one run of dist/ loads. */
export async function bundleSizes(
  work: Work,
): Promise<Readonly<{ archive: number; loaded: number; files: readonly string[] }>> {
  const loaded = await withJob(work, loadedBy);
  const files = loaded.files.filter((file) => path.dirname(file) === DIST);
  return {
    archive: execFileSync('git', ['archive', '--format=tar.gz', 'HEAD'], {
      cwd: ROOT,
      maxBuffer: 100_000_000,
    }).length,
    loaded: sizeOf(files),
    files: files.map((file) => path.basename(file)),
  };
}
