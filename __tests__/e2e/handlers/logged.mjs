import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_WAIT_MS = 60_000;
const LOOK_MS = 20;

/** Waits until a file is there, for a minute at most. */
async function appears(file) {
  for (let waited = 0; waited < LONGEST_WAIT_MS; waited += LOOK_MS) {
    if (existsSync(file)) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`${file} did not appear`);
}

/** Prints so many lines. After every fifth one it waits for a file of that name in the folder `gates`. */
export async function lines({ count, gates, fails, secret }) {
  for (let line = 1; line <= count; line += 1) {
    console.log(`step ${line} of ${count}`);
    if (gates !== undefined && line % 5 === 0) await appears(`${gates}/${line}`);
  }
  if (secret !== undefined) console.log(`the password is ${secret}`);
  if (fails) throw new Error('the last step failed');
  return { done: count, secret };
}
