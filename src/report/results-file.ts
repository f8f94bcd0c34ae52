import { appendFile, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Outcome } from '../outcome/outcome.ts';

/** Makes a step's results file, empty, in a folder of its own. */
export async function createResultsFile(temporaryFolder: string): Promise<string> {
  const folder = await mkdtemp(path.join(temporaryFolder, 'lambda-invoke-'));
  const file = path.join(folder, 'results.jsonl');
  await writeFile(file, '');
  return file;
}

/** Adds one outcome as one line of JSON. */
export async function appendResult(file: string, outcome: Outcome): Promise<void> {
  await appendFile(file, `${JSON.stringify(outcome)}\n`);
}
