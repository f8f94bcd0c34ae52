// Draws the README's picture of a failed step from the output of the demo's step.
// Usage: node --import ./packages/local-runner/json-modules.ts script/picture.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openStage } from '../examples/local/stage.ts';
import { drawFailure } from './failure-picture.ts';
import { PICTURED, runAlone } from './tour.ts';

const FILE = 'docs/images/failure.svg';

const stage = await openStage();
try {
  const { step } = await runAlone(stage, PICTURED);
  mkdirSync(path.dirname(FILE), { recursive: true });
  writeFileSync(FILE, drawFailure(step));
} finally {
  await stage.close();
}
