import { setTimeout as sleep } from 'node:timers/promises';

// Takes {"ms": n}, or longer than any function may.
export const handler = async (event) => {
  console.log('going to sleep');
  await sleep(event?.ms ?? 1_000_000);
  return { slept: event.ms };
};
