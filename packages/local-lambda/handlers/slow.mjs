import { setTimeout as sleep } from 'node:timers/promises';

// Sleeps for {"ms": n}. Without it, sleeps longer than any function timeout.
export const handler = async (event) => {
  console.log('going to sleep');
  await sleep(event?.ms ?? 1_000_000);
  return { slept: event.ms };
};
