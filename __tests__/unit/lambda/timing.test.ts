import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { REAL_TIMING } from '../../../src/lambda/timing.ts';

// Node.js fires a timer of more than 2^31-1 ms after 1 ms.
describe.each([2 ** 31, 1e15, Number.POSITIVE_INFINITY])('a time of %d ms', (ms) => {
  test('does not end immediately', async () => {
    const over: string[] = [];
    const stop = new AbortController();
    const slept = REAL_TIMING.sleep(ms, stop.signal).then(() => over.push('sleep'));
    const cancelTimer = REAL_TIMING.after(ms, () => over.push('after'));
    await sleep(50);
    const tooEarly = [...over];
    cancelTimer();
    stop.abort();
    await slept;
    expect(tooEarly).toEqual([]);
    expect(over).toEqual(['sleep']);
  });
});
