import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { boundsFor, linkHalt, REAL_TIMING } from '../../../src/lambda/timing.ts';

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

describe('the time', () => {
  const realNow = Date.now;
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('is that of the machine', () => {
    expect(Math.abs(REAL_TIMING.now() - Date.now())).toBeLessThan(1_000);
  });

  test.each([-7_200_000, 25_200_000])('continues if the clock of the machine is set by %d ms', (ms) => {
    const before = REAL_TIMING.now();
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + ms);
    const passed = REAL_TIMING.now() - before;
    expect(passed).toBeGreaterThanOrEqual(0);
    expect(passed).toBeLessThan(1_000);
    expect(Number.isInteger(passed)).toBe(true);
  });
});

test('a signal that is linked to a halt aborts with either, and not after it is unlinked', () => {
  const [stop, halt] = [new AbortController(), new AbortController()];
  const [stopped, halted, unlinked] = [
    stop.signal,
    new AbortController().signal,
    new AbortController().signal,
  ].map((signal) => linkHalt(signal, halt.signal));
  stop.abort();
  expect([stopped, halted].map((link) => link?.signal.aborted)).toEqual([true, false]);
  unlinked?.unlink();
  halt.abort();
  expect([halted, unlinked].map((link) => link?.signal.aborted)).toEqual([true, false]);
  expect(linkHalt(new AbortController().signal, halt.signal).signal.aborted).toBe(true);
  expect(linkHalt(stop.signal, undefined).signal.aborted).toBe(true);
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
