// Runs every scenario, writes the transcripts that changed, and removes those without a scenario.
// Usage: node --import ./packages/local-runner/json-modules.ts script/transcripts.ts
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { TRANSCRIPTS, transcriptFile, transcriptOf } from '../__tests__/transcripts/files.ts';
import { SCENARIOS } from '../__tests__/transcripts/scenarios.ts';

const say = (what: string, file: string): void => {
  process.stdout.write(`${what} ${path.relative(process.cwd(), file)}\n`);
};

const files = new Set(Object.keys(SCENARIOS).map(transcriptFile));
for (const name of readdirSync(TRANSCRIPTS)) {
  const file = path.join(TRANSCRIPTS, name);
  if (!name.endsWith('.md') || files.has(file)) continue;
  rmSync(file);
  say('Removed', file);
}
for (const name of Object.keys(SCENARIOS)) {
  const file = transcriptFile(name);
  const text = await transcriptOf(name);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  writeFileSync(file, text);
  say('Wrote', file);
}
