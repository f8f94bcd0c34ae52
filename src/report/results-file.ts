import { appendFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Outcome } from '../outcome/outcome.ts';

/** Makes a step's results file, empty, in a folder of its own. */
export async function createResultsFile(temporaryFolder: string): Promise<string> {
  const folder = await mkdtemp(path.join(temporaryFolder, 'lambda-invoke-'));
  const file = path.join(folder, 'results.jsonl');
  await writeFile(file, '');
  return file;
}

/**
 * Adds one outcome as one line of JSON. It is synchronous, because a long line is written in pieces,
 * and those of two that end at once would mix.
 */
export function appendResult(file: string, outcome: Outcome): void {
  appendFileSync(file, `${JSON.stringify(outcome)}\n`);
}
