import { appendFileSync } from 'node:fs';

/** Writes a line for each run, so that runs are counted by a side effect of the run itself. */
export const handler = async ({ id }) => {
  appendFileSync(process.env.RUNS, `${id}\n`);
  return { id, filler: 'x'.repeat(200) };
};
