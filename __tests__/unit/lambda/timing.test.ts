import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { boundsFor, REAL_TIMING } from '../../../src/lambda/timing.ts';

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

describe('bounds', () => {
  const bound = (cancel: AbortSignal) => boundsFor(60_000, { cancel, timing: REAL_TIMING });

  test('end with the workflow, also those whose place another one had before', () => {
    const cancel = new AbortController();
    const [first, second] = [bound(cancel.signal), bound(cancel.signal)];
    first.release();
    first.release();
    const [third, fourth] = [bound(cancel.signal), bound(cancel.signal)];
    cancel.abort();
    const all = [first, second, third, fourth];
    expect(all.map(({ bounds }) => bounds.stop.aborted)).toEqual([false, true, true, true]);
    for (const { release } of all) release();
  });

  test('that begin after the end of the workflow are at their end', () => {
    const { bounds, release } = bound(AbortSignal.abort());
    release();
    expect(bounds.stop.aborted).toBe(true);
  });
});
