import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_WAIT_MS = 60_000;
const LOOK_MS = 20;

/** Waits at most a minute until a file exists. */
async function appears(file) {
  for (let waited = 0; waited < LONGEST_WAIT_MS; waited += LOOK_MS) {
    if (existsSync(file)) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`${file} did not appear`);
}

/** Prints lines. After every fifth line, it waits for a file with that name in the folder `gates`. */
export async function lines({ count, gates, fails, secret }) {
  for (let line = 1; line <= count; line += 1) {
    console.log(`step ${line} of ${count}`);
    if (gates !== undefined && line % 5 === 0) await appears(`${gates}/${line}`);
  }
  if (secret !== undefined) console.log(`the password is ${secret}`);
  if (fails) throw new Error('the last step failed');
  return { done: count, secret };
}
