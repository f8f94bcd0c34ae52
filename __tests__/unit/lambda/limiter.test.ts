import { describe, expect, test } from '@jest/globals';
import { AdaptiveLimiter, type Permit } from '../../../src/lambda/limiter.ts';

const NEVER = new AbortController().signal;

/** Takes passes until the limiter gives no more, and returns their number. */
async function fill(limiter: AdaptiveLimiter): Promise<Permit[]> {
  const passes: Permit[] = [];
  for (;;) {
    const full = new AbortController();
    setImmediate(() => full.abort());
    const pass = await limiter.acquire(0, full.signal);
    if (pass === undefined) return passes;
    passes.push(pass);
  }
}

describe('the limiter', () => {
  test('gives as many passes as its limit, and one more for each that is returned', async () => {
    const limiter = new AdaptiveLimiter(3);
    const passes = await fill(limiter);
    expect(passes).toHaveLength(3);
    passes[0]?.release('otherwise');
    expect(await fill(limiter)).toHaveLength(1);
  });

  test('counts a pass that is returned twice only once', async () => {
    const limiter = new AdaptiveLimiter(2);
    const [pass] = await fill(limiter);
    pass?.release('otherwise');
    pass?.release('otherwise');
    expect(await fill(limiter)).toHaveLength(1);
  });

  test('gives passes in the order of the plan, not of the requests', async () => {
    const limiter = new AdaptiveLimiter(1);
    const [first] = await fill(limiter);
    const admitted: number[] = [];
    const ask = async (order: number): Promise<void> => {
      const pass = await limiter.acquire(order, NEVER);
      admitted.push(order);
      pass?.release('otherwise');
    };
    const asked = [7, 3, 5].map(ask);
    first?.release('otherwise');
    await Promise.all(asked);
    expect(admitted).toEqual([3, 5, 7]);
  });

  test('halves the limit after throttling, once for all concurrent invocations', async () => {
    const limiter = new AdaptiveLimiter(16);
    const passes = await fill(limiter);
    for (const pass of passes) pass.release('throttled');
    expect(limiter.limit).toBe(8);
    for (const pass of await fill(limiter)) pass.release('throttled');
    expect(limiter.limit).toBe(4);
  });

  test('never goes below one, and raises the limit after successes up to the maximum', async () => {
    const limiter = new AdaptiveLimiter(4);
    for (let round = 0; round < 10; round += 1) {
      for (const pass of await fill(limiter)) pass.release('throttled');
    }
    expect(limiter.limit).toBe(1);
    const other = new AdaptiveLimiter(4);
    (await fill(other)).forEach((pass) => {
      pass.release('throttled');
    });
    expect(other.limit).toBe(2);
    for (let round = 0; round < 20; round += 1) {
      for (const pass of await fill(other)) pass.release('otherwise');
    }
    expect(other.limit).toBe(4);
  });

  test('raises the limit by one after as many successes as the limit', async () => {
    const limiter = new AdaptiveLimiter(16);
    for (const pass of await fill(limiter)) pass.release('throttled');
    for (const pass of await fill(limiter)) pass.release('throttled');
    expect(limiter.limit).toBe(4);
    const bounds: number[] = [];
    for (let success = 0; success < 10; success += 1) {
      (await limiter.acquire(0, NEVER))?.release('otherwise');
      bounds.push(limiter.limit);
    }
    expect(bounds).toEqual([4, 4, 4, 4, 5, 5, 5, 5, 5, 6]);
  });

  test('gives no pass to a canceled request', async () => {
    const limiter = new AdaptiveLimiter(1);
    const [first] = await fill(limiter);
    const gone = new AbortController();
    const waiting = limiter.acquire(0, gone.signal);
    const next = limiter.acquire(1, NEVER);
    gone.abort();
    expect(await waiting).toBeUndefined();
    first?.release('otherwise');
    expect(await next).toBeDefined();
    expect(await limiter.acquire(2, AbortSignal.abort())).toBeUndefined();
  });
});
