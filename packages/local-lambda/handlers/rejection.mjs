import { setTimeout as sleep } from 'node:timers/promises';

// Rejects its own promise or, with {"unhandled": true}, a promise that nothing awaits.
export const handler = async (event) => {
  if (event?.unhandled) {
    Promise.reject(new Error('nobody waits for this'));
    await sleep(1_000);
  }
  await sleep(1);
  throw new RangeError('rejected after a while');
};
