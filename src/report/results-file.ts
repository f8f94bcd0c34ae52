import { appendFile, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import type { Outcome } from '../outcome/outcome.ts';

/** Makes the place for a step's results file, in a folder of its own. */
export async function createResultsFile(temporaryFolder: string): Promise<string> {
  return path.join(await mkdtemp(path.join(temporaryFolder, 'lambda-invoke-')), 'results.jsonl');
}

/** Adds one outcome as one line of JSON. */
export async function appendResult(file: string, outcome: Outcome): Promise<void> {
  await appendFile(file, `${JSON.stringify(outcome)}\n`);
}
