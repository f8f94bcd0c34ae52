import { setTimeout as sleep } from 'node:timers/promises';

/** Waits at most 20 s until a condition is true. Throws if it does not become true. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < 1_000; waited += 1) {
    if (isSo()) return;
    await sleep(20);
  }
  throw new Error(`it never came to this: ${isSo}`);
}
