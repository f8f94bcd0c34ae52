import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so, for 20 s at most. Throws where it never is. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < 1_000; waited += 1) {
    if (isSo()) return;
    await sleep(20);
  }
  throw new Error(`it never came to this: ${isSo}`);
}
