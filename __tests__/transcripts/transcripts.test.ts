import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { signalTest } from '../signals.ts';
import { TRANSCRIPTS, transcriptFile, transcriptOf } from './files.ts';
import { SCENARIOS } from './scenarios.ts';

test('every scenario has a transcript, and every transcript has a scenario', () => {
  const names = readdirSync(TRANSCRIPTS)
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.replace(/\.md$/, ''));
  expect(names.sort()).toEqual(Object.keys(SCENARIOS).sort());
});

describe('the transcript shows what a user sees (run script/transcripts to update it)', () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    (scenario.isCancelled ? signalTest : test)(`${name}.md`, async () => {
      const file = transcriptFile(name);
      const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
      expect(await transcriptOf(name)).toBe(kept);
    });
  }
});
