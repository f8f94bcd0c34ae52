import path from 'node:path';
import { runScenario } from './run-scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { transcribe } from './transcript.ts';

/** The folder of the transcripts. */
export const TRANSCRIPTS = import.meta.dirname;

/** The path of a scenario's transcript. */
export const transcriptFile = (name: string): string => path.join(TRANSCRIPTS, `${name}.md`);

/** Runs a scenario and renders its transcript. */
export async function transcriptOf(name: string): Promise<string> {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`There is no scenario named "${name}".`);
  return transcribe(name, scenario, await runScenario(scenario));
}
