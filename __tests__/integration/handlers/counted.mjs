import { appendFileSync } from 'node:fs';

/** Leaves a line for each run, so that runs can be counted by something that only a run does. */
export const handler = async ({ id }) => {
  appendFileSync(process.env.RUNS, `${id}\n`);
  return { id, filler: 'x'.repeat(200) };
};
